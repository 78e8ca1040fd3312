import { describe, expect, it } from 'vitest';
import type { Result } from '../base/result.ts';
import type { Directory } from '../model/world.ts';
import type { IdentityFailure } from '../pipeline/identity.ts';
import { consumer, directory, issued, tenant } from './directory.cases.ts';
import { createIdentitySource } from './identity-source.ts';
import type { KeyProblem } from './key-problems.ts';
import { ACTOR, LIMITS, liveDirectory, worldOf } from './live-directory.cases.ts';

const DAY_MS = 86_400_000;
const written = issued(901, 'web-1');
const WORLD = directory(
  tenant('acme', [consumer('web', [written.credential]), consumer('app', [])]),
  tenant('globex', [consumer('erp', [])]),
);

/** A running directory, as a data thread sees it. */
function running(parts: Parameters<typeof liveDirectory>[0] = {}, world: Directory = WORLD) {
  const made = liveDirectory(parts);
  const live = made.directory;
  const take = (next: Directory) => {
    const prepared = live.prepare(worldOf(next));
    if (!prepared.ok) throw new Error(prepared.error);
    prepared.value.takeUp();
    return createIdentitySource(prepared.value.snapshot, made.hash);
  };
  expect(live.load()).toEqual({ ok: true, value: undefined });
  let source = take(world);
  const who = (key: string): string | IdentityFailure => {
    const found = source.identify(key, made.clock.wall);
    if (typeof found === 'string') return found;
    const { tenant: of, consumer: caller, credential } = found.identity;
    return `${of.name}/${caller.name}/${credential.name}`;
  };
  const reload = (next: Directory): void => {
    source = take(next);
  };
  return { ...made, live, keys: live.keys, who, reload, store: made.keys };
}

function done<Value>(result: Result<Value, KeyProblem>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const APP = { tenant: 'acme', consumer: 'app' };
const ISSUE = { ...APP, name: null, environment: 'live', expiresMs: null };

describe('issuing', () => {
  it('gives a key that counts at once, told once, named by number, with only its hash kept', () => {
    const { keys, who, store, clock } = running();
    const first = done(keys.issue(ISSUE, ACTOR));
    const second = done(keys.issue({ ...ISSUE, environment: 'test', expiresMs: clock.wall + 5 }, ACTOR));
    expect(first).toMatchObject({ ...APP, name: 'app-1', expiresMs: null, in: 'store', state: 'live' });
    expect(first.key).toMatch(/^ptn_live_/);
    expect(second.key).toMatch(/^ptn_test_/);
    expect([who(first.key), who(second.key)]).toEqual(['acme/app/app-1', 'acme/app/app-2']);
    clock.wall += 5;
    expect(who(second.key)).toBe('expired');
    const kept = JSON.stringify([...store.keys.values()]);
    expect(kept).toContain(first.keyId);
    expect(kept).not.toContain(first.key.slice(-38));
  });

  it('counts after a restart', () => {
    const { keys, store } = running();
    const { key } = done(keys.issue(ISSUE, ACTOR));
    expect(running({ keys: store, seed: 2 }).who(key)).toBe('acme/app/app-1');
  });

  it.each([
    [{ ...ISSUE, consumer: 'apps' }, 'consumer_not_found'],
    [{ ...ISSUE, tenant: 'globex' }, 'consumer_not_found'],
    [{ ...ISSUE, name: 'No' }, 'malformed_name'],
    [{ ...ISSUE, environment: 'Live' }, 'malformed_name'],
    [{ ...ISSUE, expiresMs: 5 }, 'expiry_passed'],
    [{ ...ISSUE, expiresMs: 8_640_000_000_000_001 }, 'expiry_too_far'],
    [{ ...ISSUE, consumer: 'web', name: 'web-1' }, 'key_name_taken'],
  ])('refuses %o: %s', (request, code) => {
    const { keys, store } = running();
    expect(keys.issue(request, ACTOR)).toMatchObject({ ok: false, error: { code } });
    expect(store.keys.size).toBe(0);
  });

  it('issues nothing that it could not save', () => {
    const { keys, store, live } = running();
    store.broken = true;
    expect(keys.issue(ISSUE, ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'not_saved', message: 'The change could not be saved: no space. No key was issued.' },
    });
    expect(live.usage.keys).toBe(1);
  });

  it('says what is full, and has room again when a key is revoked', () => {
    const { keys } = running({ limits: { ...LIMITS, consumerKeys: 3 } });
    done(keys.issue(ISSUE, ACTOR));
    const { name } = done(keys.issue(ISSUE, ACTOR));
    expect(keys.issue(ISSUE, ACTOR)).toMatchObject({
      ok: false,
      error: {
        code: 'keys_full',
        message: 'There is no room for another key: limits.consumerKeys is reached.',
      },
    });
    done(keys.revoke({ ...APP, name }, ACTOR));
    expect(keys.issue(ISSUE, ACTOR).ok).toBe(true);
  });
});

describe('revoking', () => {
  it('ends a key for good, and a name that is not there is told', () => {
    const { keys, who, store } = running();
    const { key, name } = done(keys.issue(ISSUE, ACTOR));
    expect(done(keys.revoke({ ...APP, name }, ACTOR))).toMatchObject({ name, state: 'revoked' });
    expect(who(key)).toBe('unknown');
    expect(keys.revoke({ ...APP, name }, ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'key_not_found' },
    });
    expect(running({ keys: store }).who(key)).toBe('unknown');
    expect([...store.names.keys()]).toEqual(['acme\0app']);
  });

  it('ends keys of files too, over reloads, restarts and jumps of the clock, until the file has another', () => {
    const { keys, who, reload, store, clock } = running();
    const name = { tenant: 'acme', consumer: 'web', name: 'web-1' };
    expect(who(written.key)).toBe('acme/web/web-1');
    expect(done(keys.revoke(name, ACTOR))).toMatchObject({ in: 'file', state: 'revoked' });
    clock.wall = 0;
    expect(who(written.key)).toBe('unknown');
    reload(WORLD);
    expect(who(written.key)).toBe('unknown');
    const again = running({ keys: store });
    expect(again.who(written.key)).toBe('unknown');
    const other = issued(902, 'web-1');
    again.reload(directory(tenant('acme', [consumer('web', [other.credential])])));
    expect(again.who(other.key)).toBe('acme/web/web-1');
  });

  it('ends keys of files whatever they are called, and when a file has them again', () => {
    const web = (name: string, { credential }: typeof written): Directory =>
      directory(tenant('acme', [consumer('web', [{ ...credential, name }])]));
    const name = { tenant: 'acme', consumer: 'web', name: 'web-1' };
    const other = issued(902, 'web-1');
    const { keys, who, reload, store } = running();
    done(keys.revoke(name, ACTOR));
    reload(web('renamed', written));
    expect(who(written.key)).toBe('unknown');
    expect(running({ keys: store }, web('renamed', written)).who(written.key)).toBe('unknown');

    reload(web('web-1', other));
    expect(who(other.key)).toBe('acme/web/web-1');
    done(keys.revoke(name, ACTOR));
    for (const each of [written, other]) {
      reload(web('web-1', each));
      expect(who(each.key)).toBe('unknown');
      expect(running({ keys: store }, web('web-1', each)).who(each.key)).toBe('unknown');
    }
  });

  it('holds in this process even where it could not be saved, and says that it may not last', () => {
    const { keys, who, store } = running();
    const { key, name } = done(keys.issue(ISSUE, ACTOR));
    store.broken = true;
    const answer = keys.revoke({ ...APP, name }, ACTOR);
    expect(answer).toMatchObject({ ok: false, error: { code: 'not_saved', remedy: 'Make room.' } });
    expect(answer.ok ? '' : answer.error.message).toMatch(/only until this process ends: revoke it again/);
    expect(who(key)).toBe('unknown');
    store.broken = false;
    expect(keys.revoke({ ...APP, name }, ACTOR).ok).toBe(true);
  });
});

const LAST_MS = 8_640_000_000_000_000;

describe('moments beyond the last', () => {
  it('are not reached by rotation, refused as an expiry, and read from the store as the last', () => {
    const { keys, who, store, clock } = running();
    const old = done(keys.issue({ ...ISSUE, expiresMs: LAST_MS }, ACTOR));
    clock.wall += DAY_MS;
    const overlapMs = Number.MAX_SAFE_INTEGER;
    const fresh = done(keys.rotate({ ...rotate, name: old.name, overlapMs }, ACTOR));
    expect(fresh.expiresMs).toBe(LAST_MS);
    expect(keys.expire({ ...APP, name: fresh.name }, LAST_MS + 1, ACTOR)).toMatchObject({
      ok: false,
      error: {
        code: 'expiry_too_far',
        message: 'The key would expire after +275760-09-13T00:00:00.000Z, the last moment there is.',
      },
    });
    for (const [spelt, key] of store.keys) store.keys.set(spelt, { ...key, expiresMs: 2 ** 60 });
    const again = running({ keys: store, seed: 2 });
    expect([who(old.key), again.who(fresh.key)]).toEqual(['acme/app/app-1', 'acme/app/app-2']);
    const listed = done(again.keys.list({ ...APP, after: null, count: 9 }));
    expect(listed.map(({ expiresMs }) => expiresMs)).toEqual([LAST_MS, LAST_MS]);
  });
});

const rotate = { ...APP, environment: 'live', expiresMs: 'same' as const };

describe('rotation', () => {
  it('lets both keys count until the overlap ends, and the new one live as long as the old one', () => {
    const { keys, who, clock } = running();
    const old = done(keys.issue({ ...ISSUE, expiresMs: clock.wall + 90 * DAY_MS }, ACTOR));
    clock.wall += 80 * DAY_MS;
    const fresh = done(keys.rotate({ ...rotate, name: old.name, overlapMs: 7 * DAY_MS }, ACTOR));
    expect(fresh).toMatchObject({ name: 'app-2', expiresMs: clock.wall + 90 * DAY_MS });
    clock.wall += 7 * DAY_MS - 1;
    expect([who(old.key), who(fresh.key)]).toEqual(['acme/app/app-1', 'acme/app/app-2']);
    clock.wall += 1;
    expect([who(old.key), who(fresh.key)]).toEqual(['expired', 'acme/app/app-2']);
  });

  it('never makes the old key live longer, and without overlap ends it at once', () => {
    const { keys, who, clock } = running();
    const old = done(keys.issue({ ...ISSUE, expiresMs: clock.wall + DAY_MS }, ACTOR));
    done(keys.rotate({ ...rotate, name: old.name, overlapMs: 7 * DAY_MS }, ACTOR));
    clock.wall += DAY_MS;
    expect(who(old.key)).toBe('expired');
    const other = done(keys.issue(ISSUE, ACTOR));
    const next = done(keys.rotate({ ...rotate, name: other.name, overlapMs: 0 }, ACTOR));
    expect([who(other.key), who(next.key)]).toEqual(['unknown', 'acme/app/app-4']);
  });

  it('keeps few keys, however often it happens', () => {
    const { keys, store, clock, live } = running();
    let { name } = done(keys.issue(ISSUE, ACTOR));
    for (let round = 0; round < 40; round++) {
      ({ name } = done(keys.rotate({ ...rotate, name, overlapMs: DAY_MS }, ACTOR)));
      clock.wall += 2 * DAY_MS;
    }
    expect(name).toBe('app-41');
    expect(store.keys.size).toBeLessThan(4);
    expect(live.usage.keys).toBeLessThan(5);
  });

  it('rotates a key of a file: the file stays, its key ends', () => {
    const { keys, who, clock, store } = running();
    const name = { tenant: 'acme', consumer: 'web', name: 'web-1' };
    const fresh = done(keys.rotate({ ...rotate, ...name, overlapMs: DAY_MS }, ACTOR));
    expect(fresh).toMatchObject({ name: 'web-2', in: 'store' });
    expect([who(written.key), who(fresh.key)]).toEqual(['acme/web/web-1', 'acme/web/web-2']);
    clock.wall += DAY_MS;
    expect(who(written.key)).toBe('expired');
    const again = running({ keys: store });
    again.clock.wall = clock.wall;
    expect([again.who(written.key), again.who(fresh.key)]).toEqual(['expired', 'acme/web/web-2']);
  });

  it('numbers keys of a consumer that is called as what objects have', () => {
    const { keys } = running({}, directory(tenant('acme', [consumer('constructor', [])])));
    const request = { ...ISSUE, consumer: 'constructor' };
    const names = [1, 2].map(() => done(keys.issue(request, ACTOR)).name);
    expect(names).toEqual(['constructor-1', 'constructor-2']);
  });

  it('gives no name a second time, whatever became of its key', () => {
    const { keys, store } = running();
    const names = [];
    for (let round = 0; round < 3; round++) {
      const { name } = done(keys.issue(ISSUE, ACTOR));
      names.push(name);
      done(keys.revoke({ ...APP, name }, ACTOR));
    }
    done(keys.issue({ ...ISSUE, name: 'night' }, ACTOR));
    names.push(done(keys.rotate({ ...rotate, name: 'night', overlapMs: 0 }, ACTOR)).name);
    expect(names).toEqual(['app-1', 'app-2', 'app-3', 'night-1']);
    const again = running({ keys: store, seed: 3 });
    for (const name of ['night', 'app-2', 'night-1'])
      expect(again.keys.issue({ ...ISSUE, name }, ACTOR)).toMatchObject({
        ok: false,
        error: { code: 'key_name_taken' },
      });
    expect(done(again.keys.issue(ISSUE, ACTOR)).name).toBe('app-4');
  });

  it('does not rotate what has ended', () => {
    const { keys, clock } = running();
    const old = done(keys.issue({ ...ISSUE, expiresMs: clock.wall + 1 }, ACTOR));
    clock.wall += 1;
    expect(keys.rotate({ ...rotate, name: old.name, overlapMs: 1 }, ACTOR)).toMatchObject({
      ok: false,
      error: { code: 'key_ended' },
    });
  });
});

describe('expiry', () => {
  it('is set for keys of both kinds, and one that has passed revokes', () => {
    const { keys, who, clock } = running();
    const { key, name } = done(keys.issue(ISSUE, ACTOR));
    const file = { tenant: 'acme', consumer: 'web', name: 'web-1' };
    for (const each of [{ ...APP, name }, file])
      expect(done(keys.expire(each, clock.wall + 10, ACTOR))).toMatchObject({ expiresMs: clock.wall + 10 });
    clock.wall += 9;
    expect([who(key), who(written.key)]).toEqual(['acme/app/app-1', 'acme/web/web-1']);
    clock.wall += 1;
    expect([who(key), who(written.key)]).toEqual(['expired', 'expired']);
    const next = done(keys.issue(ISSUE, ACTOR));
    expect(done(keys.expire({ ...APP, name: next.name }, clock.wall, ACTOR))).toMatchObject({
      state: 'revoked',
    });
    expect(who(next.key)).toBe('unknown');
  });
});

describe('every change', () => {
  it('is in the audit log with who made it, what was and what is, and no hash nor key', () => {
    const { keys, store, clock } = running();
    const { key, name } = done(keys.issue(ISSUE, ACTOR));
    const fresh = done(keys.rotate({ ...rotate, name, overlapMs: DAY_MS }, ACTOR));
    done(keys.expire({ ...APP, name: fresh.name }, clock.wall + 7, ACTOR));
    done(keys.revoke({ ...APP, name }, ACTOR));
    expect(store.entries.map(({ action, target }) => [action, target])).toEqual([
      ['keys.issue', 'consumer acme/app, key app-1'],
      ['keys.rotate', 'consumer acme/app, key app-2'],
      ['keys.expire', 'consumer acme/app, key app-2'],
      ['keys.revoke', 'consumer acme/app, key app-1'],
    ]);
    expect(store.entries.at(-1)).toMatchObject({
      actor: ACTOR,
      before: { state: 'live', expiresMs: clock.wall + DAY_MS },
      after: { state: 'revoked' },
    });
    const texts = JSON.stringify(store.entries);
    expect(texts).not.toContain('ptnh1');
    expect(texts).not.toContain(key.slice(-38));
  });
});

describe('listing', () => {
  it('shows keys of files and of the store in one order, page by page, without hashes', () => {
    const { keys, clock } = running();
    for (const each of [APP, { tenant: 'globex', consumer: 'erp' }, { tenant: 'acme', consumer: 'web' }])
      done(keys.issue({ ...ISSUE, ...each, expiresMs: clock.wall + 5 }, ACTOR));
    const list = (request: Partial<Parameters<typeof keys.list>[0]> = {}) =>
      done(keys.list({ tenant: null, consumer: null, after: null, count: 100, ...request }));
    const all = ['acme/app/app-1', 'acme/web/web-1', 'acme/web/web-2', 'globex/erp/erp-1'];
    const names = (views: ReturnType<typeof list>) =>
      views.map((view) => `${view.tenant}/${view.consumer}/${view.name}`);
    expect(names(list())).toEqual(all);
    const pages: string[] = [];
    for (let page = list({ count: 1 }); page.length > 0; page = list({ count: 1, after: page[0]! }))
      pages.push(...names(page));
    expect(pages).toEqual(all);
    expect(names(list({ tenant: 'acme' }))).toEqual(all.slice(0, 3));
    expect(names(list({ tenant: 'acme', consumer: 'web' }))).toEqual(all.slice(1, 3));
    expect(list().map(({ in: place }) => place)).toEqual(['store', 'file', 'store', 'store']);
    clock.wall += 5;
    expect(list().map(({ state }) => state)).toEqual(['expired', 'live', 'expired', 'expired']);
    expect(JSON.stringify(list())).not.toContain('ptnh1');
  });
});

describe('files that change', () => {
  it('win over stored keys of the same name, which come back when the file has them no more', () => {
    const { keys, who, reload } = running();
    const stored = done(keys.issue({ ...ISSUE, name: 'k' }, ACTOR));
    const inFile = issued(903, 'k');
    reload(directory(tenant('acme', [consumer('app', [inFile.credential])])));
    expect([who(stored.key), who(inFile.key)]).toEqual(['unknown', 'acme/app/k']);
    reload(WORLD);
    expect([who(stored.key), who(inFile.key)]).toEqual(['acme/app/k', 'unknown']);
  });

  it('make keys of a consumer that is gone dormant', () => {
    const { keys, who, reload } = running();
    const { key } = done(keys.issue(ISSUE, ACTOR));
    reload(directory(tenant('acme', [])));
    expect(who(key)).toBe('unknown');
    expect(done(keys.list({ tenant: null, consumer: null, after: null, count: 9 }))).toMatchObject([
      { name: 'app-1', state: 'dormant' },
    ]);
    reload(WORLD);
    expect(who(key)).toBe('acme/app/app-1');
  });

  it('say when memory is too small', () => {
    const { directory: live } = liveDirectory({ limits: { ...LIMITS, directoryBytes: 64 } });
    expect(live.prepare(worldOf(WORLD))).toEqual({
      ok: false,
      error:
        'The directory has no room for it: limits.directoryBytes is reached. Raise it in portunus.yaml and start anew.',
    });
  });
});
