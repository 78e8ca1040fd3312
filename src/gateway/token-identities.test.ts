import { expect, it } from 'vitest';
import type { IdentitySource, VerifiedToken } from '../pipeline/identity.ts';
import { TokenIdentities } from './token-identities.ts';

const AMONG = ['corporate'];

function tokenUntil(expiresMs: number): VerifiedToken {
  return { tenant: 'acme', consumer: 'web', credential: 'jwt:corporate', createdMs: 0, expiresMs };
}

/** A directory in which the token's consumer has this plan. */
function directoryOf(plan: string, asked: string[]): IdentitySource {
  const keyHash = { high: 0, low: 0 };
  return {
    identify: () => 'unknown',
    identifyByName: () => 'unknown',
    secretsOf: () => [],
    holds: () => true,
    named: ({ credential: name, createdMs, expiresMs }) => {
      asked.push(plan);
      return {
        tenant: { name: 'acme', plan, priority: 'normal', share: 1, attributes: {}, keyHash },
        team: null,
        consumer: { name: 'web', attributes: {}, keyHash, roles: [], subscriptions: new Set<string>() },
        credential: { name, kind: 'token', keyHash, createdMs, expiresMs },
      };
    },
  };
}

async function known(
  identities: TokenIdentities,
  token: string,
  source: IdentitySource,
  wallMs = 0,
): Promise<void> {
  const begun = identities.identify(token, AMONG, null, source, wallMs);
  if (typeof begun === 'string' || !('outcome' in begun)) throw new Error('nothing was to be verified');
  await begun.outcome;
}

it('looks a token up once in each directory, and is of the newest', async () => {
  const identities = new TokenIdentities({ verify: async () => tokenUntil(100) }, 10, 10);
  const asked: string[] = [];
  const gold = directoryOf('gold', asked);
  const silver = directoryOf('silver', asked);
  await known(identities, 'a.b.c', gold);
  for (const source of [gold, gold, silver, silver])
    expect(identities.identify('a.b.c', AMONG, null, source, 50)).toMatchObject({
      tenant: { plan: source === gold ? 'gold' : 'silver' },
    });
  expect(asked).toEqual(['gold', 'silver']);
});

it('keeps no token that has ended once another comes', async () => {
  const verify = async (token: string) => tokenUntil(token === 'a.b.c' ? 100 : 200);
  const identities = new TokenIdentities({ verify }, 10, 10);
  const source = directoryOf('gold', []);
  await known(identities, 'a.b.c', source);
  expect(identities.identify('a.b.c', AMONG, null, source, 100)).toBe('expired');
  await known(identities, 'd.e.f', source, 100);
  // known no more: it is to be verified anew
  await known(identities, 'a.b.c', source, 100);
  await expect(known(identities, 'd.e.f', source, 100)).rejects.toThrow('nothing was to be verified');
});
