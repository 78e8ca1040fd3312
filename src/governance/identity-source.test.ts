import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Directory } from '../model/world.ts';
import type { Identity, IdentityFailure, KnownKey } from '../pipeline/identity.ts';
import type { MutableKeyHash } from '../pipeline/program.ts';
import { issueKey } from './consumer-key.ts';
import { consumer, directory, issued, PEPPER, tenant } from './directory.cases.ts';
import { createIdentitySource } from './identity-source.ts';
import { liveDirectory, worldOf } from './live-directory.cases.ts';
import { seededRandom } from './seeded-random.cases.ts';

/** Numbers each (tag, text) in the order of its first use, so that tests see what was hashed. */
function recordingHash() {
  const seen: string[] = [];
  const hashKey = (tag: string, text: string, into: MutableKeyHash) => {
    seen.push(`${tag}:${text}`);
    into.high = seen.length;
    into.low = -seen.length;
  };
  return { seen, hashKey };
}

function sourceOf(world: Directory, hashKey = recordingHash().hashKey) {
  const { directory: live } = liveDirectory();
  const prepared = live.prepare(worldOf(world));
  if (!prepared.ok) throw new Error(prepared.error);
  prepared.value.takeUp();
  return createIdentitySource(prepared.value.snapshot, hashKey);
}

function identityOf(found: KnownKey | IdentityFailure): Identity {
  if (typeof found === 'string') throw new Error(found);
  return found.identity;
}

describe('the identity source', () => {
  const web = issued(1, 'web-1', 5_000);
  const erp = issued(2, 'erp-1');
  const acme = tenant(
    'acme',
    [
      consumer('web-shop', [web.credential], {
        team: 'shop',
        roles: ['buyer'],
        subscriptions: ['list-orders'],
      }),
    ],
    { teams: new Map([['shop', { name: 'shop', attributes: { floor: 2 } }]]), attributes: { region: 'eu' } },
  );
  const globex = tenant('globex', [consumer('erp', [erp.credential])], {
    plan: 'enterprise',
    priority: 'high',
    share: 3,
  });
  const source = sourceOf(directory(acme, globex));

  it('finds the caller by the key', () => {
    const identity = identityOf(source.identify(web.key, 1_000));
    expect(identity.tenant).toMatchObject({ name: 'acme', plan: 'free', attributes: { region: 'eu' } });
    expect(identity.team).toMatchObject({ name: 'shop', attributes: { floor: 2 } });
    expect(identity.consumer).toMatchObject({ name: 'web-shop', roles: ['buyer'] });
    expect(identity.consumer.subscriptions.has('list-orders')).toBe(true);
    expect(identity.credential).toMatchObject({ name: 'web-1', createdMs: 1_000, expiresMs: 5_000 });
    expect(identityOf(source.identify(erp.key, 1_000))).toMatchObject({
      tenant: { name: 'globex', priority: 'high', share: 3 },
      team: null,
    });
  });

  it('answers frozen objects, the same tenant and consumer every time', () => {
    const identity = identityOf(source.identify(web.key, 1_000));
    const again = identityOf(source.identify(web.key, 1_001));
    expect(again.tenant).toBe(identity.tenant);
    expect(again.consumer).toBe(identity.consumer);
    for (const part of [
      identity,
      identity.tenant,
      identity.tenant.attributes,
      identity.consumer,
      identity.credential,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('refuses a key from the millisecond it expires in', () => {
    expect(identityOf(source.identify(web.key, 4_999))).toMatchObject({ tenant: { name: 'acme' } });
    expect(source.identify(web.key, 5_000)).toBe('expired');
  });

  it('tells what is no key from a key that is not known', () => {
    expect(source.identify('', 0)).toBe('malformed');
    expect(source.identify('sk-1234', 0)).toBe('malformed');
    expect(source.identify(`${web.key}x`, 0)).toBe('malformed');
    expect(source.identify(issued(3, 'other').key, 0)).toBe('unknown');
  });

  it('knows no key by its id alone: another secret, another environment or an all-zero hash is unknown', () => {
    // A second random source that gives the same id and then other digits.
    const sameId = (environment: string, seed: number) => {
      const first = seededRandom(1);
      const then = seededRandom(seed);
      let fills = 0;
      const random = {
        fill: (target: Uint8Array) => (fills++ === 0 ? first : then).fill(target),
        uint32: () => 0,
      };
      return issueKey({ random, environment, pepper: PEPPER });
    };
    const forged = sameId('test', 99);
    expect(forged.keyId).toBe(web.credential.keyId);
    expect(source.identify(forged.key, 0)).toBe('unknown');
    expect(source.identify(sameId('live', 99).key, 0)).toBe('unknown');
  });

  it('knows exactly the keys it was given, out of any number', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { minLength: 2, maxLength: 12 }),
        (seeds) => {
          const keys = seeds.map((seed) => issued(seed, `key-${seed}`));
          const known = keys.slice(0, keys.length >> 1);
          const some = sourceOf(
            directory(
              tenant('acme', [
                consumer(
                  'app',
                  known.map(({ credential }) => credential),
                ),
              ]),
            ),
          );
          for (const { key, credential } of keys) {
            const found = some.identify(key, 0);
            const expected = known.some((each) => each.credential.keyId === credential.keyId);
            if (expected)
              expect(found).toMatchObject({ identity: { credential: { name: credential.name } } });
            else expect(found).toBe('unknown');
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('hashes every entity in its own key space, under its full name', () => {
    const { seen, hashKey } = recordingHash();
    sourceOf(directory(acme), hashKey).identify(web.key, 0);
    expect(seen).toEqual([
      'tenant:acme',
      'team:acme\0shop',
      'consumer:acme\0web-shop',
      'credential:acme\0web-shop\0web-1',
    ]);
  });

  it('knows nobody of a consumer that this version does not have, and again when one does', () => {
    const { directory: live } = liveDirectory();
    const sources = [directory(acme), directory(globex), directory(globex, acme)].map((world) => {
      const prepared = live.prepare(worldOf(world));
      if (!prepared.ok) throw new Error(prepared.error);
      prepared.value.takeUp();
      return createIdentitySource(prepared.value.snapshot, recordingHash().hashKey);
    });
    expect(sources.map((each) => each.identify(web.key, 0)).map((found) => typeof found)).toEqual([
      'object',
      'string',
      'object',
    ]);
  });
});
