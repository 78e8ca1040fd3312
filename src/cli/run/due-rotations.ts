/** `rotate keys of pool "main" every 60 days`: which secrets are too old, and who is told of it. */
import type { Clock } from '../../base/ports.ts';
import type { Pool, PoolKey } from '../../model/pools.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { RotationSpec, RotationTest } from '../../pipeline/pool-rules.ts';
import { type KeyState, SET_ASIDE } from '../../pools/key-states.ts';

/** A key, and since when it has its secret, by the wall clock. */
export interface KeyWithAge {
  readonly pool: Pool;
  readonly key: PoolKey;
  readonly state: KeyState;
  readonly sinceMs: number;
}

/** A key whose secret is older than a rule allows. */
export interface DueKey extends KeyWithAge {
  readonly spec: RotationSpec;
}

export interface DueRotationsOptions {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
}

export class DueRotations {
  readonly #options: DueRotationsOptions;
  #tests: readonly RotationTest[] = [];
  /** What was told, by `pool/key`. */
  readonly #told = new Map<string, string>();

  constructor(options: DueRotationsOptions) {
    this.#options = options;
  }

  /** The rules in force from now on. */
  use(tests: readonly RotationTest[]): void {
    this.#tests = tests;
  }

  /** How long a former secret of a pool's keys is kept, where whoever rotates says nothing; null: no rule says it. */
  overlapMs(pool: string): number | null {
    return foremost(this.#rulesOf(pool))?.overlapMs ?? null;
  }

  /** When the secret of a key is to be replaced; null: no rule says so, or it is of no use any more. */
  dueMs({ pool, state, sinceMs }: KeyWithAge): number | null {
    const [first] = SET_ASIDE.has(state) ? [] : this.#rulesOf(pool.name);
    return first === undefined ? null : sinceMs + first.everyMs;
  }

  /** Those in force for a pool, the shortest time first; policies in shadow say nothing. */
  #rulesOf(pool: string): RotationSpec[] {
    const wallMs = this.#options.clock.wallMs();
    return this.#tests
      .filter(({ spec }) => spec.pool === pool && spec.mode !== 'shadow')
      .filter((test) => test.isInForce(wallMs))
      .map(({ spec }) => spec)
      .sort((a, b) => a.everyMs - b.everyMs);
  }

  /** Tells of those that have fallen due since, and of those that no longer are. All that are due. To be called about once a second. */
  look(keys: readonly KeyWithAge[]): readonly DueKey[] {
    const wallMs = this.#options.clock.wallMs();
    const due = keys.flatMap((key): DueKey[] => {
      if (SET_ASIDE.has(key.state)) return [];
      const spec = foremost(
        this.#rulesOf(key.pool.name).filter(({ everyMs }) => wallMs >= key.sinceMs + everyMs),
      );
      return spec === null ? [] : [{ ...key, spec }];
    });
    const subjects = new Set(due.map(subjectOf));
    for (const key of due) this.#tell(key);
    for (const subject of this.#told.keys()) {
      if (subjects.has(subject)) continue;
      this.#options.alerts.resolve({ kind: KIND, subject });
      this.#told.delete(subject);
    }
    return due;
  }

  #tell({ spec, ...of }: DueKey): void {
    const { alerts } = this.#options;
    const subject = subjectOf(of);
    const says = JSON.stringify([spec, of.key.secret.in, of.pool.rotationHook]);
    if (this.#told.get(subject) === says) return;
    if (this.#told.has(subject)) alerts.resolve({ kind: KIND, subject });
    const isOpen = alerts.raise({
      kind: KIND,
      subject,
      askedBy: 'policy',
      reach: spec.mode === 'warn' ? 'log' : 'everybody',
      notify: spec.notify,
      severity: 'warning',
      message: `The secret of key "${of.key.name}" of pool "${of.pool.name}" is due: policy "${spec.policy}" has it replaced every ${inWords(spec.everyMs)}.`,
      remedy: remedyFor(of, spec),
    });
    if (isOpen) this.#told.set(subject, says);
    else this.#told.delete(subject);
  }
}

/** One that is enforced says what is done, however soon another one warns. */
function foremost(rules: readonly RotationSpec[]): RotationSpec | null {
  return rules.find(({ mode }) => mode === 'enforce') ?? rules[0] ?? null;
}

const KIND = 'key-rotation-due';

function subjectOf({ pool, key }: Pick<KeyWithAge, 'pool' | 'key'>): string {
  return `${pool.name}/${key.name}`;
}

function remedyFor({ pool, key }: Pick<KeyWithAge, 'pool' | 'key'>, { mode }: RotationSpec): string {
  const command = `"portunus keys rotate ${pool.name}/${key.name}"`;
  if (key.secret.in === 'store')
    return pool.rotationHook === null || mode !== 'enforce'
      ? `Replace it: ${command} reads the new one.`
      : `The hook of the pool is asked for a new one; ${command} does it by hand.`;
  return 'Put another secret where it lies; one of the store (store:NAME) is replaced with an overlap.';
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

function inWords(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, of]) => ms % of === 0) ?? (['second', 1_000] as const);
  const count = Math.round(ms / unitMs);
  return count === 1 ? unit : `${count} ${unit}s`;
}
