import type {
  KeyRotationRequest,
  PoolActions,
  PoolKeyChange,
  PoolView,
  RotationRefusal,
} from '../../admin/routes/pools.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Models } from '../../model/pools.ts';
import type { PoolAlerts } from '../../observe/pool-alerts.ts';
import type { AuditActor, AuditEntry, AuditProblem } from '../../pipeline/audit.ts';
import type { RotationTest } from '../../pipeline/pool-rules.ts';
import { Forecasts, type PoolForecast } from '../../pools/forecasts.ts';
import { afterEvent, KEY_EVENTS, KEY_STATES, type KeyState } from '../../pools/key-states.ts';
import { type KeyReading, keyIn, type PoolReading } from '../../pools/pool-registry.ts';
import type { KeyName, SetAsideKey, SetAsideKeys } from '../../state/set-aside-keys.ts';
import type { StoredSecrets } from '../../state/stored-secrets.ts';
import { DueRotations } from './due-rotations.ts';
import { KeptPools, type KeptPoolsParts } from './kept-pools.ts';
import { poolSubjects } from './pool-subjects.ts';
import { poolView } from './pool-view.ts';
import { RotationHooks, type RotationHooksParts } from './rotation-hooks.ts';

export interface PoolKeeperParts extends KeptPoolsParts {
  readonly setAsideKeys: SetAsideKeys;
  /** Of the version that runs. */
  readonly models: () => Models;
  /** Tells all data threads which keys are others (opaque here: `pools/` makes and reads it). */
  readonly tellKeys: (keys: unknown) => void;
  readonly secrets: Pick<StoredSecrets, 'list' | 'set' | 'endFormer' | 'goBack'>;
  /** Rules about pools. */
  readonly poolAlerts: Pick<PoolAlerts, 'look'>;
  readonly callHook: RotationHooksParts['call'];
}

/** How often limits are looked at for the forecast. */
const FORECAST_EVERY_MS = 1_000;

/**
 * What the control thread does about provider keys: keeps their states and what is used of their limits over the end of the process,
 * tells people of changes, and makes those that people ask for.
 */
export class PoolKeeper implements PoolActions {
  readonly #parts: PoolKeeperParts;
  readonly #kept: KeptPools;
  /** Words of people that a file of an earlier version has, and the store not yet. */
  #toAdopt: readonly SetAsideKey[] = [];
  readonly #told = new Map<string, KeyReading>();
  readonly #forecasts = new Forecasts();
  readonly #dueRotations: DueRotations;
  readonly #hooks: RotationHooks;
  #forecastDueMs = 0;
  #refusedSecrets: ReadonlySet<string> = new Set();

  constructor(parts: PoolKeeperParts) {
    this.#parts = parts;
    this.#kept = new KeptPools(parts);
    this.#dueRotations = new DueRotations(parts);
    this.#hooks = new RotationHooks({
      ...parts,
      call: parts.callHook,
      replace: async ({ pool, key }, secret) => {
        const rotated = await this.rotate(pool.name, key.name, { secret }, HOOK);
        return rotated.ok ? ok(undefined) : err(whyNotRotated(rotated.error));
      },
    });
  }

  /** Before the first version. */
  restore(): void {
    this.#toAdopt = this.#kept.restore();
    this.#adopt();
  }

  /** What people have said of a key. Of a file of an earlier version it is the first word, unless the store has another. */
  setAside(pool: string, key: string): SetAsideKey['as'] | null {
    const { setAsideKeys } = this.#parts;
    const isOf = (name: KeyName): boolean => name.pool === pool && name.key === key;
    return (setAsideKeys.list().find(isOf) ?? this.#toAdopt.find(isOf))?.as ?? null;
  }

  /** Words of people move from the file of an earlier version to the store. The file stays until they have. */
  #adopt(): void {
    const { setAsideKeys } = this.#parts;
    this.#toAdopt = this.#toAdopt.filter((key) => {
      if (setAsideKeys.list().some((other) => other.pool === key.pool && other.key === key.key)) return false;
      const entry = entryOf(START, key.as === 'disabled' ? 'disable' : 'drain', key, null, key.as);
      const kept = setAsideKeys.set(key, entry, () => true);
      if (!kept.ok)
        this.#kept.tellProblem(
          `What people said of provider keys can't be moved to the store: ${kept.error.message}`,
        );
      return !kept.ok;
    });
  }

  /** To be called a few times a second. */
  tend(): void {
    this.#kept.tellDamage();
    if (this.#parts.models().pools.size === 0) {
      this.#parts.poolAlerts.look([]);
      void this.#hooks.tend(this.#dueRotations.look([]));
      return;
    }
    this.#parts.registry.tend(this.#parts.models());
    const readings = this.#readings();
    for (const { pool, keys } of readings) for (const key of keys) this.#tell(pool.name, key);
    this.#observe(readings);
    if (this.#toAdopt.length > 0) this.#adopt();
    if (this.#toAdopt.length === 0) this.#kept.save(this.#parts.models());
  }

  #observe(readings: readonly PoolReading[]): void {
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#forecastDueMs) return;
    this.#forecastDueMs = nowMs + FORECAST_EVERY_MS;
    this.#parts.registry.alignPeriods();
    this.#forecasts.observe(readings, nowMs, clock.wallMs());
    const secretSinceMs = this.#secretSinceMs();
    this.#parts.poolAlerts.look(poolSubjects(this.forecasts(), secretSinceMs, clock.wallMs()));
    const due = this.#dueRotations.look(
      readings.flatMap(({ pool, keys }) =>
        keys.map((reading) => ({ ...reading, pool, sinceMs: secretSinceMs(reading) })),
      ),
    );
    void this.#hooks.tend(due);
  }

  /** Rules about how old secrets may be, from now on. */
  useRotations(tests: readonly RotationTest[]): void {
    this.#dueRotations.use(tests);
  }

  /** Of a key, since when it has its secret. The store knows it of its own, whatever the gateway has seen. */
  #secretSinceMs(): (key: KeyReading) => number {
    const stored = new Map(this.#parts.secrets.list().map(({ name, sinceMs }) => [name, sinceMs]));
    return ({ key: { secret }, secretSinceMs }) =>
      (secret.in === 'store' ? stored.get(secret.name) : undefined) ?? secretSinceMs;
  }

  /** Of every pool, with what it is made of. */
  forecasts(): readonly { readonly reading: PoolReading; readonly forecast: PoolForecast }[] {
    const { clock } = this.#parts;
    const [nowMs, wallMs] = [clock.monotonicMs(), clock.wallMs()];
    return this.#readings().map((reading) => ({
      reading,
      forecast: this.#forecasts.of(reading, nowMs, wallMs),
    }));
  }

  /** Secrets that lie in files and in the store may be others by now. To be called every few seconds, and when one is set. */
  renewSecrets(): void {
    this.#renew();
    // Only now: the state of a key is that of its present secret.
    if (this.#tendRotations()) this.#renew();
  }

  #renew(): void {
    const { registry, models, tellKeys, alerts, events } = this.#parts;
    const { pools, faults } = registry.renew(models());
    // Threads first: a key that is well again is called with the secret that made it so.
    if (pools.length > 0) tellKeys({ pools });
    registry.renewed({ pools }, models());
    if (pools.length > 0) {
      for (const { name: pool, keys } of pools)
        for (const { name: key } of keys)
          events.write('info', 'provider key has another secret', { pool, key });
    }
    const refused = new Set<string>();
    for (const { pool, key, message } of faults) {
      const subject = `${pool}/${key}`;
      refused.add(subject);
      alerts.raise({
        kind: SECRET_REFUSED,
        subject,
        severity: 'critical',
        message: `${message} What was read there before still counts.`,
        remedy: 'See to it that the gateway can read a key there; it is tried again every two seconds.',
      });
    }
    for (const subject of this.#refusedSecrets)
      if (!refused.has(subject)) alerts.resolve({ kind: SECRET_REFUSED, subject });
    this.#refusedSecrets = refused;
  }

  /**
   * A former secret whose time is over is given up, and a new one that its provider does not know gives way to the former one.
   * Whether any did.
   */
  #tendRotations(): boolean {
    const { secrets, clock, events } = this.#parts;
    const wallMs = clock.wallMs();
    let wentBack = false;
    // Of the store, not of keys: an overlap may have ended while no gateway ran, and its key may have left the files.
    for (const { name, formerUntilMs } of secrets.list()) {
      if (formerUntilMs === null) continue;
      const users = this.#keysWith(name);
      if (wallMs >= formerUntilMs) {
        if (!this.#isKept(name, secrets.endFormer(name, ROTATION))) continue;
        for (const user of users.length > 0 ? users : [{ secret: name }])
          events.write('info', 'provider key has its new secret alone', user);
      } else if (users.some(({ pool, key }) => this.#isInvalid(pool, key))) {
        if (!this.#isKept(name, secrets.goBack(name, ROTATION))) continue;
        for (const user of users) this.#tellGoneBack(user);
        wentBack = true;
      }
    }
    return wentBack;
  }

  /** Keys of the version that runs whose secret is `store:NAME`. */
  #keysWith(secret: string): { readonly pool: string; readonly key: string }[] {
    return [...this.#parts.models().pools.values()].flatMap((pool) =>
      pool.keys
        .filter((key) => key.secret.in === 'store' && key.secret.name === secret)
        .map((key) => ({ pool: pool.name, key: key.name })),
    );
  }

  #isInvalid(pool: string, key: string): boolean {
    const { registry } = this.#parts;
    const place = registry.keyPlace(pool, key);
    return place !== null && registry.health.state(place) === 'invalid';
  }

  /** What can't be written is tried again with the next look. */
  #isKept(secret: string, written: Result<void, AuditProblem>): boolean {
    const { alerts } = this.#parts;
    const identity = { kind: 'key-rotation-not-kept', subject: secret } as const;
    if (written.ok) alerts.resolve(identity);
    else {
      const { message, remedy } = written.error;
      const sentence = `The rotation of the secret "${secret}" can't go on: ${message}`;
      alerts.raise({ ...identity, severity: 'critical', message: sentence, remedy });
    }
    return written.ok;
  }

  #tellGoneBack({ pool, key }: { readonly pool: string; readonly key: string }): void {
    this.#parts.alerts.raise({
      kind: 'key-rotation-failed',
      subject: `${pool}/${key}`,
      severity: 'critical',
      message: `The new secret of key "${key}" of pool "${pool}" is not known to its provider: the former one serves again.`,
      remedy: `Rotate it again with a secret that works: "portunus keys rotate ${pool}/${key}".`,
    });
  }

  async rotate(
    pool: string,
    key: string,
    { secret, overlapMs }: KeyRotationRequest,
    actor: AuditActor,
  ): Promise<Result<PoolView, AuditProblem | RotationRefusal>> {
    const { models, secrets, alerts, clock } = this.#parts;
    const found = models()
      .pools.get(pool)
      ?.keys.find(({ name }) => name === key);
    if (found === undefined) return err('unknown');
    if (found.secret.in !== 'store') return err('not-stored');
    if (keyIn(Buffer.from(secret, 'utf8')) === null) return err('no-key');
    if (this.#parts.registry.hasHad(pool, key, keyIn(Buffer.from(secret, 'utf8'))!)) return err('known');
    const { name } = found.secret;
    const known = secrets.list().find((each) => each.name === name);
    if ((known?.formerUntilMs ?? Number.NEGATIVE_INFINITY) > clock.wallMs()) return err('under-way');
    const usedBy = `key ${key} of pool ${pool}`;
    const keepFormerMs = overlapMs ?? this.#dueRotations.overlapMs(pool) ?? OVERLAP_MS;
    const set = secrets.set(name, Buffer.from(secret, 'utf8'), { actor, keepFormerMs, usedBy });
    if (!set.ok) return set;
    alerts.resolve({ kind: 'key-rotation-failed', subject: `${pool}/${key}` });
    this.renewSecrets();
    return ok(this.list().find((view) => view.name === pool)!);
  }

  #readings(): readonly PoolReading[] {
    return this.#parts.registry.inspect(this.#parts.models());
  }

  #tell(pool: string, now: KeyReading): void {
    const subject = `${pool}/${now.key.name}`;
    const before = this.#told.get(subject);
    this.#tellDoubts(subject, before?.doubted ?? 0, now);
    this.#told.set(subject, now);
    if (before !== undefined && before.state === now.state) return;
    if (before !== undefined)
      this.#parts.events.write('info', 'provider key', {
        pool,
        key: now.key.name,
        before: before.state,
        state: now.state,
        because: KEY_EVENTS[now.lastEvent],
      });
    const identity = { kind: 'provider-key', subject } as const;
    const remedy = now.creditAtMs === null ? REMEDIES[now.state] : CREDIT_COMES;
    if (remedy === null) this.#parts.alerts.resolve(identity);
    else
      this.#parts.alerts.raise({
        ...identity,
        severity: now.state === 'suspect' ? 'warning' : 'critical',
        message: `Key "${now.key.name}" of pool "${pool}" is ${now.state}: it ${KEY_STATES[now.state].does}.`,
        remedy,
      });
  }

  /** A person who enables the key has seen it. */
  #tellDoubts(subject: string, before: number, { key, doubted }: KeyReading): void {
    const times = doubted - before;
    if (times === 0) return;
    const pool = subject.slice(0, -key.name.length - 1);
    const alert = {
      kind: USE_DOUBTED,
      subject,
      severity: 'warning',
      message: `Answers for key "${key.name}" of pool "${pool}" told more use than its limits can have had: of each as much is counted as comes back in one window.`,
      remedy: `Look up at the provider what was used, then say so with "portunus keys enable ${subject}".`,
    } as const;
    this.#parts.alerts.raise(alert, times);
    this.#parts.events.write('warn', 'a call told more use than is believed', {
      pool,
      key: key.name,
      times,
    });
  }

  // -- what people see and ask for -----------------------------------------------------------------------------------

  list(): readonly PoolView[] {
    const { clock } = this.#parts;
    const moment = { nowMs: clock.monotonicMs(), wallMs: clock.wallMs() };
    const secretSinceMs = this.#secretSinceMs();
    return this.forecasts().map(({ reading, forecast }) =>
      poolView(reading, forecast, moment, (key) => {
        const sinceMs = secretSinceMs(key);
        const rotationDueMs = this.#dueRotations.dueMs({ ...key, pool: reading.pool, sinceMs });
        return { secretSinceMs: sinceMs, rotationDueMs };
      }),
    );
  }

  async change(
    pool: string,
    key: string,
    event: PoolKeyChange,
    actor: AuditActor,
  ): Promise<Result<PoolView, AuditProblem | 'unknown'>> {
    const { registry, models } = this.#parts;
    const known =
      models()
        .pools.get(pool)
        ?.keys.some(({ name }) => name === key) === true;
    const place = known ? registry.keyPlace(pool, key) : null;
    if (place === null) return err('unknown');
    const before = registry.health.state(place);
    const after = afterEvent(before, event);
    // What can't be kept and recorded is not done.
    const kept = before === after ? ok(undefined) : this.#keep({ pool, key }, event, actor, before, after);
    if (!kept.ok) return kept;
    this.#toAdopt = this.#toAdopt.filter((other) => other.pool !== pool || other.key !== key);
    registry.health.happened(place, event);
    if (event === 'enable') {
      this.#openLanes(pool, key);
      this.#parts.alerts.resolve({ kind: USE_DOUBTED, subject: `${pool}/${key}` });
    }
    return ok(this.list().find(({ name }) => name === pool)!);
  }

  #openLanes(pool: string, name: string): void {
    const { registry, models } = this.#parts;
    const found = models().pools.get(pool)!;
    registry.openLanes(found, found.keys.find((key) => key.name === name)!, models());
  }

  #keep(
    name: KeyName,
    event: PoolKeyChange,
    actor: AuditActor,
    before: KeyState,
    after: KeyState,
  ): Result<void, AuditProblem> {
    const { setAsideKeys, models } = this.#parts;
    const entry = entryOf(actor, event, name, before, after);
    if (event === 'enable') return setAsideKeys.free(name, entry);
    const { pools } = models();
    return setAsideKeys.set(
      { ...name, as: event === 'disable' ? 'disabled' : 'draining' },
      entry,
      ({ pool, key }) => pools.get(pool)?.keys.some((one) => one.name === key) === true,
    );
  }
}

function entryOf(
  actor: AuditActor,
  event: PoolKeyChange,
  { pool, key }: KeyName,
  before: KeyState | null,
  after: KeyState,
): AuditEntry {
  return {
    actor,
    action: `provider-keys.${event}`,
    target: `pool ${pool}, key ${key}`,
    before: before === null ? null : { state: before },
    after: { state: after },
  };
}

const START: AuditActor = { kind: 'gateway', cause: 'start' };
const ROTATION: AuditActor = { kind: 'gateway', cause: 'rotation' };
const HOOK: AuditActor = { kind: 'gateway', cause: 'rotation hook' };

/** Where neither a policy nor who asks says otherwise. */
const OVERLAP_MS = 86_400_000;

/** Why what a hook gave was not taken. */
function whyNotRotated(why: AuditProblem | RotationRefusal): string {
  if (typeof why === 'object') return why.message.replace(/\.$/, '');
  if (why === 'known') return 'what it gave is the secret that the key has, or has had';
  return why === 'no-key' ? 'what it gave is no key' : `the rotation is refused (${why})`;
}
const USE_DOUBTED = 'provider-usage-doubted';
const SECRET_REFUSED = 'provider-secret-refused';

const CREDIT_COMES =
  'Its provider says when there is new credit, and it is tried then; or pay the provider, and say so with "portunus keys enable POOL/KEY".';

/** What to do about a key in each state; null: nothing is the matter. */
const REMEDIES: Readonly<Record<KeyState, string | null>> = {
  active: null,
  suspect: 'Nothing yet: its next call shows whether the provider knows it.',
  exhausted: 'Pay the provider, then say so with "portunus keys enable POOL/KEY".',
  invalid: 'Give it a new secret, or remove it from its pool.',
  draining: null,
  retired: null,
  disabled: null,
};
