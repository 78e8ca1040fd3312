import { beforeEach, describe, expect, it } from 'vitest';
import { err, ok, type Result } from '../base/result.ts';
import { hashText, signerNameHash } from '../model/credential-hash.ts';
import type { Credential, Directory, SecretReference } from '../model/world.ts';
import { consumer, directory, issued, tenant } from './directory.cases.ts';
import { createIdentitySource } from './identity-source.ts';
import { ACTOR, liveDirectory, worldOf } from './live-directory.cases.ts';

const FIRST = 'the first secret, thirty-two bytes or more';
const SECOND = 'the second secret, thirty-two bytes or more';
const NAME = signerNameHash('acme/bot/signer');

function signer(...secrets: readonly SecretReference[]): Credential {
  return {
    name: 'signer',
    kind: 'signature',
    ...hashText(NAME),
    createdMs: 1_000,
    expiresMs: null,
    secrets,
  };
}

const NEW: SecretReference = { in: 'file', path: '/new' };
const OLD: SecretReference = { in: 'environment', name: 'OLD' };
const WORLD = worldWith(signer(NEW, OLD));
let places: Map<string, string>;

function worldWith(...credentials: readonly Credential[]): Directory {
  return directory(
    tenant('acme', [consumer('bot', credentials), consumer('web', [issued(7, 'web-1').credential])]),
  );
}

function readSecret(reference: SecretReference): Result<Uint8Array, string> {
  const text = places.get(reference.in === 'file' ? reference.path : reference.name);
  return text === undefined ? err('no such file') : ok(Buffer.from(text));
}

/** A running directory; `secrets` as the last version that was shown to threads has them. */
function running(world: Directory = WORLD) {
  const made = liveDirectory({ readSecret });
  const { directory: live, hash, published } = made;
  expect(live.load().ok).toBe(true);
  const take = (next: Directory) => {
    const prepared = live.prepare(worldOf(next));
    if (!prepared.ok) return prepared.error;
    prepared.value.takeUp();
    published.push(prepared.value.snapshot);
    return 'taken up';
  };
  expect(take(world)).toBe('taken up');
  const secrets = (): readonly string[] | string => {
    const source = createIdentitySource(published.at(-1)!, hash);
    const found = source.identifyByName(NAME, made.clock.wall);
    if (typeof found === 'string') return found;
    expect(found.identity.credential).toMatchObject({ name: 'signer', kind: 'signature' });
    return source.secretsOf(found).map((secret) => Buffer.from(secret).toString());
  };
  return { ...made, live, take, secrets };
}

beforeEach(() => {
  places = new Map([
    ['/new', FIRST],
    ['OLD', SECOND],
  ]);
});

describe('secrets to sign with', () => {
  it('are read from where the files say, and from nowhere else', () => {
    const { secrets, published, entities, keys } = running();
    expect(secrets()).toEqual([FIRST, SECOND]);
    expect(JSON.stringify([...entities.kept, ...keys.keys, ...keys.entries])).not.toContain(FIRST);
    expect(published).toHaveLength(1);
  });

  it('are renewed when they are others where they lie, and not when they are the same', async () => {
    const { live, secrets, published } = running();
    expect(await live.renewSecrets()).toEqual(ok({ outcome: 'unchanged', faults: [] }));
    places.set('/new', SECOND.toUpperCase());
    expect(await live.renewSecrets()).toEqual(ok({ outcome: 'renewed', faults: [] }));
    expect(secrets()).toEqual([SECOND.toUpperCase(), SECOND]);
    expect(await live.renewSecrets()).toEqual(ok({ outcome: 'unchanged', faults: [] }));
    expect(published).toHaveLength(2);
  });

  it('of before go on counting while the new ones can not be read', async () => {
    const { live, secrets, take } = running();
    places.delete('OLD');
    const why = `The secret of credential "signer" of "bot" of "acme" can't be used: the variable OLD: no such file.`;
    expect(await live.renewSecrets()).toMatchObject({
      ok: true,
      value: {
        outcome: 'unchanged',
        faults: [
          {
            credential: 'acme/bot/signer',
            place: 'the variable OLD',
            message: why,
            remedy:
              'Set the variable to 32 to 4096 bytes and start the gateway anew: no process sees another environment.',
          },
        ],
      },
    });
    expect(take(worldWith(signer(OLD)))).toBe(why);
    expect(secrets()).toEqual([FIRST, SECOND]);
  });

  it('are renewed though another one can not be read, which stays as it was until it can', async () => {
    const { live, secrets } = running();
    places = new Map([['/new', SECOND.toUpperCase()]]);
    expect(await live.renewSecrets()).toMatchObject({ ok: true, value: { outcome: 'renewed' } });
    expect(secrets()).toEqual([SECOND.toUpperCase(), SECOND]);
    expect(await live.renewSecrets()).toMatchObject({ ok: true, value: { outcome: 'unchanged' } });
    places.set('OLD', FIRST.toUpperCase());
    expect(await live.renewSecrets()).toEqual(ok({ outcome: 'renewed', faults: [] }));
    expect(secrets()).toEqual([SECOND.toUpperCase(), FIRST.toUpperCase()]);
  });

  it('that can not be read are all named where a version is refused', () => {
    const { take } = running();
    places = new Map();
    expect(take(WORLD)).toBe(
      `The secret of credential "signer" of "bot" of "acme" can't be used: /new: no such file. So it is with acme/bot/signer (the variable OLD).`,
    );
  });

  it.each([
    ['31 bytes', 31, 'has fewer than 32 bytes'],
    ['4,097 bytes', 4_097, 'has more than 4096 bytes'],
  ])('of %s are refused, and are not shown', (_what, length, why) => {
    const { take } = running();
    places.set('/other', 'x'.repeat(length));
    const refused = take(worldWith(signer({ in: 'file', path: '/other' })));
    expect(refused).toContain(why);
    expect(refused).not.toContain('xxx');
  });

  it('go with their credential: removed from its file, or revoked', async () => {
    const { take, secrets, live } = running();
    expect(live.keys.revoke({ tenant: 'acme', consumer: 'bot', name: 'signer' }, ACTOR).ok).toBe(true);
    expect(secrets()).toBe('unknown');
    const { take: takeOther, secrets: otherSecrets } = running();
    expect(takeOther(worldWith())).toBe('taken up');
    expect(otherSecrets()).toBe('unknown');
    expect(take(worldWith(signer(NEW)))).toBe('taken up');
    expect(secrets()).toBe('unknown');
  });

  it('stay through changes that do not concern them', async () => {
    const { live, secrets } = running();
    const team = { kind: 'team', tenant: 'acme', name: 'x', document: {} } as const;
    await live.put(team, ACTOR);
    expect(secrets()).toEqual([FIRST, SECOND]);
  });
});

it('a certificate or signer has no successor made here', () => {
  const { live } = running();
  const rotated = live.keys.rotate(
    { tenant: 'acme', consumer: 'bot', name: 'signer', environment: 'live', overlapMs: 0, expiresMs: null },
    ACTOR,
  );
  expect(rotated).toMatchObject({ ok: false, error: { code: 'not_a_key' } });
  const views = live.keys.list({ tenant: 'acme', consumer: null, after: null, count: 9 });
  expect(views.ok && views.value.map(({ kind }) => kind)).toEqual(['signature', 'key']);
});
