/** Provider keys on the control thread: rotations come to an end whatever happens meanwhile, and what is kept of keys is found again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { err, ok, type Result } from '../../src/base/result.ts';
import { PoolKeeper, type PoolKeeperParts } from '../../src/cli/run/pool-keeper.ts';
import { poolRuleSpecs } from '../../src/compiler/pool-rules.ts';
import { poolAlertTest, rotationTest } from '../../src/compiler/runtime/pool-rules.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import { AI_WORLD } from '../../src/language/world.cases.ts';
import type { RotationHook } from '../../src/model/pools.ts';
import { PoolAlerts } from '../../src/observe/pool-alerts.ts';
import type { AuditActor, AuditEntry } from '../../src/pipeline/audit.ts';
import type { PoolAlertTest, PoolRuleSpecs } from '../../src/pipeline/pool-rules.ts';
import { KeyHealth } from '../../src/pools/key-health.ts';
import { KEY_EVENTS, type KeyEvent } from '../../src/pools/key-states.ts';
import { HELLO, Models, type RotatedSecret } from '../../src/pools/model-call.cases.ts';
import type { KeyName, SetAsideKey } from '../../src/state/set-aside-keys.ts';

const HOUR_MS = 3_600_000;
const actor: AuditActor = { kind: 'account', name: 'test' };
const NO_ROOM = {
  code: 'store_write_failed',
  message: 'No room.',
  place: '/',
  remedy: 'Make room.',
} as const;
const POOL = [{ name: 'pool', keys: [{ name: 'a' }] }];

let dataFolder: string;
/** What the store keeps of words of people; audit records of each change. */
let aside: SetAsideKey[];
let audited: AuditEntry[];
beforeEach(() => {
  aside = [];
  audited = [];
  dataFolder = mkdtempSync(join(tmpdir(), 'portunus-pools-'));
});
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }));

/** A control thread and a data thread; the store is a map. */
class Rig {
  readonly stored: Map<string, RotatedSecret>;
  readonly models: Models;
  readonly keeper: PoolKeeper;
  readonly alerts = new Map<string, string>();
  readonly events: string[] = [];
  readonly poolAlerts: PoolAlerts;
  readonly hookCalls: string[] = [];
  hookGives: Result<string, string> = err('it said nothing');
  diskIsFull = false;

  constructor(
    stored: Record<string, RotatedSecret>,
    nowMs = 1_000,
    rotationHook: RotationHook | null = null,
  ) {
    this.stored = new Map(Object.entries(stored));
    const pools = POOL.map((pool) => ({ ...pool, rotationHook }));
    const disabled = aside.map(({ key }) => key);
    this.models = new Models({ pools, rotated: this.stored, nowMs, disabled });
    const clock = { monotonicMs: () => this.models.nowMs, wallMs: () => this.models.nowMs };
    const alerts: PoolKeeperParts['alerts'] = {
      raise: ({ kind, subject, message }) => {
        this.alerts.set(`${kind} ${subject}`, message);
        return true;
      },
      resolve: ({ kind, subject }) => void this.alerts.delete(`${kind} ${subject}`),
    };
    this.poolAlerts = new PoolAlerts({ clock, alerts, quietMs: 60_000 });
    this.keeper = new PoolKeeper({
      dataFolder,
      registry: this.models.registry,
      clock,
      alerts,
      events: { write: (_level, message) => void this.events.push(message) },
      setAsideKeys: this.#setAsideKeys(),
      models: () => this.models.models,
      tellKeys: (keys) => this.models.tellKeys(keys),
      secrets: this.#secrets(),
      poolAlerts: this.poolAlerts,
      callHook: (_hook, { pool, key }) => {
        this.hookCalls.push(`${pool}/${key}`);
        return Promise.resolve(this.hookGives);
      },
    });
  }

  #setAsideKeys(): PoolKeeperParts['setAsideKeys'] {
    const put = ({ pool, key }: KeyName, words: readonly SetAsideKey[], entry: AuditEntry) => {
      if (this.diskIsFull) return err(NO_ROOM);
      aside = [...aside.filter((one) => one.pool !== pool || one.key !== key), ...words];
      audited.push(entry);
      return ok(undefined);
    };
    return {
      list: () => aside,
      set: (key, entry) => put(key, [key], entry),
      free: (key, entry) => put(key, [], entry),
    };
  }

  #secrets(): PoolKeeperParts['secrets'] {
    const put = (name: string, change: Partial<RotatedSecret>) => {
      if (this.diskIsFull) return err(NO_ROOM);
      const before = this.stored.get(name) ?? { present: '', former: null, sinceMs: 0, untilMs: 0 };
      this.stored.set(name, { ...before, ...change });
      return ok(undefined);
    };
    const viewOf = (name: string) => {
      const { former, sinceMs, untilMs } = this.stored.get(name)!;
      return { name, generation: 1, sinceMs, formerUntilMs: former === null ? null : untilMs };
    };
    return {
      list: () => [...this.stored.keys()].map(viewOf),
      set: (name, value, { keepFormerMs }) => {
        const former = this.stored.get(name)?.present ?? null;
        const sinceMs = this.models.nowMs;
        const present = Buffer.from(value).toString();
        const set = put(name, { present, former, sinceMs, untilMs: sinceMs + keepFormerMs });
        return set.ok ? ok(viewOf(name)) : set;
      },
      endFormer: (name) => put(name, { former: null }),
      goBack: (name) => put(name, { present: this.stored.get(name)!.former!, former: null }),
    };
  }

  rotate(secret: string) {
    return this.keeper.rotate('pool', 'a', { secret, overlapMs: HOUR_MS }, actor);
  }

  /** The secrets that calls went out with; only those that are known are answered with success. */
  callsKnowing(...known: string[]): string[] {
    this.models.call(HELLO);
    const used: string[] = [];
    for (let calls = this.models.newCalls(); calls.length > 0; calls = this.models.newCalls())
      for (const call of calls) {
        used.push(call.key!);
        call.answer(known.includes(call.key!) ? 200 : 401, {});
        this.models.pass(0);
      }
    return used;
  }

  get state(): string {
    return this.keeper.list()[0]!.keys[0]!.state;
  }
}

const kept = (present: string): RotatedSecret => ({ present, former: null, sinceMs: 0, untilMs: 0 });

it('a secret that is no key is told, until there is one', () => {
  const rig = new Rig({ a: kept('first') });
  rig.stored.set('a', kept(''));
  rig.keeper.renewSecrets();
  expect(rig.alerts.get('provider-secret-refused pool/a')).toMatch(
    /What was read there before still counts\.$/,
  );
  rig.stored.set('a', kept('second'));
  rig.keeper.renewSecrets();
  expect(rig.alerts.has('provider-secret-refused pool/a')).toBe(false);
});

it('a use that can not have been is told, until a person enables its key', async () => {
  const rig = new Rig({ a: kept('first') });
  rig.keeper.tend();
  rig.models.registry.health.doubt(0);
  rig.keeper.tend();
  rig.keeper.tend();
  expect(rig.alerts.get('provider-usage-doubted pool/a')).toMatch(/^Answers for key "a" of pool "pool" told/);
  expect(rig.events).toEqual(['a call told more use than is believed']);
  await rig.keeper.change('pool', 'a', 'enable', actor);
  rig.keeper.tend();
  expect(rig.alerts.has('provider-usage-doubted pool/a')).toBe(false);
});

it('every event of the table of states happens in the product', async () => {
  const events = new Set<KeyEvent>();
  const { happened } = KeyHealth.prototype;
  const heard = vi.spyOn(KeyHealth.prototype, 'happened').mockImplementation(function (
    this: KeyHealth,
    key,
    event,
  ) {
    const hasChanged = happened.call(this, key, event);
    if (hasChanged) events.add(event);
    return hasChanged;
  });
  const rig = new Rig({ a: kept('first') });
  rig.callsKnowing();
  rig.callsKnowing('first');
  rig.models.call(HELLO);
  rig.models.newCalls()[0]!.answer(429, { error: { code: 'insufficient_quota' } }, ['retry-after', '5']);
  rig.keeper.tend();
  expect(rig.alerts.get('provider-key pool/a')).toMatch(/is exhausted/);
  rig.models.pass(5_000);
  rig.keeper.tend();
  expect(rig.state).toBe('active');
  await rig.keeper.change('pool', 'a', 'disable', actor);
  await rig.keeper.change('pool', 'a', 'enable', actor);
  rig.callsKnowing();
  rig.stored.set('a', kept('second'));
  rig.keeper.renewSecrets();
  expect(rig.callsKnowing('second')).toEqual(['second']);
  await rig.keeper.change('pool', 'a', 'drain', actor);
  rig.keeper.tend();
  expect(rig.state).toBe('retired');
  heard.mockRestore();
  expect(events).toEqual(new Set(Object.keys(KEY_EVENTS)));
});

it('a key is not rotated to the secret that it has, nor to the one that it had before', async () => {
  const rig = new Rig({ a: kept('first') });
  expect(await rig.rotate('first')).toEqual(err('known'));
  expect((await rig.rotate('second')).ok).toBe(true);
  rig.models.pass(HOUR_MS);
  rig.keeper.renewSecrets();
  expect(await rig.rotate('second')).toEqual(err('known'));
  expect(await rig.rotate('first')).toEqual(err('known'));
  expect((await rig.rotate('third')).ok).toBe(true);
});

describe('the rotation of a key', () => {
  it('gives an invalid one a new secret also where it was rotated before', async () => {
    const rig = new Rig({ a: kept('first') });
    await rig.rotate('second');
    rig.models.pass(HOUR_MS);
    rig.keeper.renewSecrets();
    expect(rig.stored.get('a')).toMatchObject({ present: 'second', former: null });
    for (let nth = 0; nth < 3; nth++) rig.callsKnowing();
    expect(rig.state).toBe('invalid');
    rig.keeper.tend();
    expect(rig.alerts.get('provider-key pool/a')).toMatch(/^Key "a" of pool "pool" is invalid: /);
    expect((await rig.rotate('third')).ok).toBe(true);
    expect(rig.stored.get('a')!.present).toBe('third');
    rig.keeper.tend();
    expect(rig.alerts.has('provider-key pool/a')).toBe(false);
    expect([rig.state, rig.alerts.has('key-rotation-failed pool/a')]).toEqual(['active', false]);
    for (let nth = 0; nth < 3; nth++) expect(rig.callsKnowing('third').at(-1)).toBe('third');
  });

  it('goes back where the new secret is not known, so that the next call has the former one', async () => {
    const rig = new Rig({ a: kept('first') });
    await rig.rotate('wrong');
    for (let nth = 0; nth < 3; nth++) expect(rig.callsKnowing('first').at(-1)).toBe('first');
    expect(rig.state).toBe('invalid');
    rig.diskIsFull = true;
    rig.keeper.renewSecrets();
    expect(rig.alerts.get('key-rotation-not-kept a')).toContain('No room.');
    rig.diskIsFull = false;
    rig.keeper.renewSecrets();
    expect([...rig.alerts.keys()]).toEqual(['key-rotation-failed pool/a']);
    expect(rig.state).toBe('active');
    expect(rig.callsKnowing('first')).toEqual(['first']);
  });

  it('ends though its overlap was over before the gateway began, or its key has left the files', () => {
    const over = { present: 'new', former: 'old', sinceMs: 1_000, untilMs: 2_000 };
    const rig = new Rig({ a: over, gone: over, other: { ...over, untilMs: HOUR_MS } }, 5_000);
    rig.diskIsFull = true;
    rig.keeper.renewSecrets();
    expect(rig.stored.get('a')!.former).toBe('old');
    expect([...rig.alerts.keys()]).toEqual(['key-rotation-not-kept a', 'key-rotation-not-kept gone']);
    rig.diskIsFull = false;
    rig.keeper.renewSecrets();
    expect([...rig.stored.values()].map(({ former }) => former)).toEqual([null, null, 'old']);
    expect(rig.alerts.size).toBe(0);
  });

  it('may follow one whose overlap is over', async () => {
    const rig = new Rig({ a: { present: 'new', former: 'old', sinceMs: 1_000, untilMs: 2_000 } }, 5_000);
    expect((await rig.rotate('newer')).ok).toBe(true);
    expect(await rig.rotate('newest')).toEqual(err('under-way'));
  });
});

describe('what is kept of keys', () => {
  const restarted = (change: (file: Record<string, unknown>) => void): Rig => {
    const rig = new Rig({ a: kept('first') });
    rig.models.registry.health.begin(0, 'invalid');
    rig.keeper.tend();
    const path = join(dataFolder, 'pools.json');
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    change(file);
    writeFileSync(path, JSON.stringify(file));
    const next = new Rig({ a: kept('first') });
    next.keeper.restore();
    return next;
  };

  it.each([
    ['a lane is damaged', (file) => (file.lanes as unknown[]).push({ name: 'damaged', cells: [null] })],
    ['a key is damaged', (file) => (file.keys as unknown[]).push({ name: 'damaged' })],
    ['the lanes are those of another version', (file) => (file.version = 1)],
    ['there are no lanes', (file) => delete file.lanes],
  ] as [string, (file: Record<string, unknown>) => void][])('is found again though %s', (_what, change) => {
    const rig = restarted(change);
    expect(rig.state).toBe('invalid');
    expect(rig.alerts.size).toBe(0);
  });

  it('is told where it is lost, until somebody has looked at it', () => {
    const rig = restarted((file) => (file.wallMs = 'yesterday'));
    expect(rig.state).toBe('active');
    const again = new Rig({ a: kept('first') });
    again.keeper.restore();
    for (const { keeper, alerts } of [rig, rig, again]) {
      keeper.tend();
      expect([...alerts.keys()]).toEqual(['pools-lost ']);
    }
    rmSync(join(dataFolder, 'pools.json.damaged'));
    again.keeper.tend();
    expect(again.alerts.size).toBe(0);
  });

  it.each([
    ['disabled', 'disable'],
    ['drained', 'drain'],
  ] as const)(
    'is in the store where a person has %s it, whatever becomes of the file',
    async (_what, event) => {
      const rig = new Rig({ a: kept('first') });
      await rig.keeper.change('pool', 'a', event, actor);
      rig.keeper.tend();
      expect(readFileSync(join(dataFolder, 'pools.json'), 'utf8')).not.toContain(rig.state);
      expect(aside).toEqual([{ pool: 'pool', key: 'a', as: event === 'disable' ? 'disabled' : 'draining' }]);
      expect(audited.map(({ action }) => action)).toEqual([`provider-keys.${event}`]);
      await rig.keeper.change('pool', 'a', event, actor);
      await rig.keeper.change('pool', 'a', 'enable', actor);
      expect(aside).toEqual([]);
      expect(audited.map(({ action }) => action)).toEqual([`provider-keys.${event}`, 'provider-keys.enable']);
    },
  );

  it('is not changed by a person where that can not be kept', async () => {
    const rig = new Rig({ a: kept('first') });
    rig.diskIsFull = true;
    expect(await rig.keeper.change('pool', 'a', 'disable', actor)).toEqual(err(NO_ROOM));
    expect(rig.state).toBe('active');
  });

  it('moves to the store from the file of an earlier version, which stays until it has', () => {
    const rig = new Rig({ a: kept('first') });
    rig.keeper.tend();
    const path = join(dataFolder, 'pools.json');
    const file = JSON.parse(readFileSync(path, 'utf8')) as { version: number; keys: { state: string }[] };
    file.version = 2;
    file.keys[0]!.state = 'disabled';
    writeFileSync(path, JSON.stringify(file));
    const next = new Rig({ a: kept('first') });
    next.diskIsFull = true;
    next.keeper.restore();
    expect(next.keeper.setAside('pool', 'a')).toBe('disabled');
    next.keeper.tend();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 2 });
    expect(next.alerts.get('pools-not-kept ')).toBe(
      "What people said of provider keys can't be moved to the store: No room.",
    );
    next.diskIsFull = false;
    next.keeper.tend();
    expect(next.alerts.has('pools-not-kept ')).toBe(false);
    expect(aside).toEqual([{ pool: 'pool', key: 'a', as: 'disabled' }]);
    expect(audited).toMatchObject([{ actor: { cause: 'start' }, action: 'provider-keys.disable' }]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 3 });
    expect(new Rig({ a: kept('first') }).state).toBe('disabled');
  });
});

/** The rules in force, of a project that has this pool. */
function rulesOf(text: string, mode: 'enforce' | 'warn' | 'shadow' = 'enforce'): PoolRuleSpecs {
  const { pools } = new Rig({ a: kept('first') }).models.models;
  const file = new SourceText('a.policy', `language 1\npolicy "p" { ${text} }`);
  const enforcement = new Map([['p', { mode, place: '' }]]);
  const world = { ...AI_WORLD, enforcement, models: { ...AI_WORLD.models, pools } };
  const { policies, diagnostics } = checkPolicies([file], world);
  expect(diagnostics).toEqual([]);
  return poolRuleSpecs(policies, world);
}

describe('a rule about pools', () => {
  const rule = (text: string): PoolAlertTest[] => rulesOf(text).alerts.map(poolAlertTest);

  it('sees a key that is lost as the gateway does, and is over once it is back', () => {
    const rig = new Rig({ a: kept('first') });
    const lostRule = rule(
      'alert "lost" when pool.usable_keys < pool.keys  because "{pool} has {pool.headroom}"',
    );
    rig.poolAlerts.use(lostRule);
    const look = (ms: number) => {
      rig.models.pass(ms);
      rig.keeper.tend();
    };
    look(1_000);
    expect([...rig.alerts]).toEqual([]);
    rig.poolAlerts.use(rule('alert "full" when pool.headroom is 100% and key.headroom is 100%'));
    look(1_000);
    expect([...rig.alerts.keys()]).toEqual(['policy-alert p/full for key "a" of pool "pool"']);
    rig.poolAlerts.use(lostRule);
    for (let nth = 0; nth < 3; nth++) rig.callsKnowing();
    look(1_000);
    const lost = 'policy-alert p/lost for pool "pool"';
    expect(rig.alerts.get(lost)).toBe('p/lost for pool "pool": pool has 0%');
    rig.stored.set('a', kept('second'));
    rig.keeper.renewSecrets();
    look(59_000);
    expect(rig.alerts.has(lost)).toBe(true);
    look(1_000);
    expect(rig.alerts.has(lost)).toBe(false);
  });

  it('knows how old a secret is, over a restart too', () => {
    const before = new Rig({ a: kept('first') }, HOUR_MS);
    before.keeper.tend();
    const rig = new Rig({ a: kept('first') }, 3 * HOUR_MS);
    rig.keeper.restore();
    rig.poolAlerts.use(rule('alert "old" when key.age >= 3h'));
    rig.keeper.tend();
    expect([...rig.alerts.values()]).toEqual(['p/old for key "a" of pool "pool": key.age is 3 hours.']);
    rig.stored.set('a', { ...kept('second'), sinceMs: 3 * HOUR_MS });
    rig.keeper.renewSecrets();
    rig.models.pass(61_000);
    rig.keeper.tend();
    expect([...rig.alerts]).toEqual([]);
  });
});

describe('a rotation that a policy asks for', () => {
  const DUE = 'key-rotation-due pool/a';
  const FAILED = 'key-rotation-hook-failed pool/a';
  const hook: RotationHook = { kind: 'command', program: '/bin/new', options: [], withinMs: 1_000 };

  /** Looks after this time, and once more when the hook has ended. */
  async function look(rig: Rig, ms: number): Promise<void> {
    for (const each of [ms, 1_000]) {
      rig.models.pass(each);
      rig.keeper.tend();
      await new Promise(setImmediate);
    }
  }

  function underRules(text: string, given: { hook?: RotationHook; mode?: 'warn' | 'shadow' } = {}): Rig {
    const rig = new Rig({ a: kept('first') }, 1_000, given.hook ?? null);
    rig.keeper.useRotations(rulesOf(text, given.mode).rotations.map(rotationTest));
    return rig;
  }

  it('falls due when the secret is too old, and is over when that has another one', async () => {
    const rig = underRules(
      'rotate keys of pool "pool" every 9h  rotate keys of pool "pool" every 3h  overlap 2h',
    );
    const dueMs = () => rig.keeper.list()[0]!.keys[0]!.rotationDueMs;
    expect(dueMs()).toBe(3 * HOUR_MS);
    await look(rig, 3 * HOUR_MS - 3_000);
    expect(rig.alerts.has(DUE)).toBe(false);
    await look(rig, 1_000);
    expect(rig.alerts.get(DUE)).toBe(
      'The secret of key "a" of pool "pool" is due: policy "p" has it replaced every 3 hours.',
    );
    const rotatedMs = rig.models.nowMs;
    expect((await rig.keeper.rotate('pool', 'a', { secret: 'second' }, actor)).ok).toBe(true);
    expect(rig.stored.get('a')!.untilMs).toBe(rotatedMs + 2 * HOUR_MS);
    await look(rig, 1_000);
    expect(rig.alerts.has(DUE)).toBe(false);
    expect(dueMs()).toBe(rotatedMs + 3 * HOUR_MS);
  });

  it('is none of a key that nobody uses, nor of a policy in shadow', async () => {
    const rig = underRules('rotate keys of pool "pool" every 3h', { mode: 'shadow' });
    await look(rig, 4 * HOUR_MS);
    rig.keeper.useRotations(rulesOf('rotate keys of pool "pool" every 3h').rotations.map(rotationTest));
    await rig.keeper.change('pool', 'a', 'disable', actor);
    await look(rig, 1_000);
    expect([...rig.alerts.keys()].filter((key) => key === DUE)).toEqual([]);
    expect(rig.keeper.list()[0]!.keys[0]!.rotationDueMs).toBeNull();
    await rig.keeper.change('pool', 'a', 'enable', actor);
    await look(rig, 1_000);
    expect(rig.alerts.has(DUE)).toBe(true);
    rig.keeper.useRotations([]);
    await look(rig, 1_000);
    expect(rig.alerts.has(DUE)).toBe(false);
  });

  it('is made with what the hook of the pool gives, which is asked again with growing pauses', async () => {
    const rig = underRules('rotate keys of pool "pool" every 3h', { hook });
    await look(rig, 3 * HOUR_MS);
    expect(rig.alerts.get(FAILED)).toBe(
      'The hook of pool "pool" gave no new secret for key "a": it said nothing.',
    );
    await look(rig, 57_000);
    expect(rig.hookCalls).toEqual(['pool/a']);
    rig.hookGives = ok('no key \n at all');
    await look(rig, 3_000);
    expect(rig.hookCalls).toHaveLength(2);
    expect(rig.alerts.get(FAILED)).toContain('what it gave is no key');
    rig.hookGives = ok('second');
    await look(rig, 117_000);
    expect(rig.hookCalls).toHaveLength(2);
    await look(rig, 3_000);
    expect(rig.stored.get('a')).toMatchObject({ present: 'second', former: 'first' });
    expect([...rig.alerts.keys()]).toEqual([]);
    await look(rig, HOUR_MS);
    expect(rig.hookCalls).toHaveLength(3);
    expect(JSON.stringify([rig.events, [...rig.alerts]])).not.toContain('second');
  });

  it('leaves a hook alone in warn, which keeps no rule that is enforced from asking it', async () => {
    const rig = underRules('rotate keys of pool "pool" every 3h', { hook, mode: 'warn' });
    await look(rig, 3 * HOUR_MS);
    expect([rig.hookCalls, rig.alerts.has(DUE)]).toEqual([[], true]);
    const enforced = rulesOf('rotate keys of pool "pool" every 5h').rotations.map(rotationTest);
    const warning = rulesOf('rotate keys of pool "pool" every 3h', 'warn').rotations.map(rotationTest);
    rig.keeper.useRotations([...warning, ...enforced]);
    await look(rig, HOUR_MS);
    expect(rig.hookCalls).toEqual([]);
    await look(rig, HOUR_MS);
    expect(rig.hookCalls).toEqual(['pool/a']);
  });
});
