import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/ports.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { CounterRegistry } from '../../state/counter-registry.ts';
import type { ReplacedLimit } from '../../tools/replaced-limits.ts';

export interface ReplacedKeeperOptions {
  /** Puts {@link REPLACED_FILE} into the data folder, durably. */
  readonly write: (text: string) => Promise<void>;
  readonly registry: Pick<CounterRegistry, 'endReplaced'>;
  readonly clock: Clock;
  /** See `machineBoot`. */
  readonly boot: string;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
}

const NOT_KEPT = { kind: 'replaced-limits-not-kept', subject: '' } as const;

/** A replaced limit, and the moment at which it ends. */
export interface KeptLimit {
  readonly limit: ReplacedLimit;
  /** On the monotonic clock; null: not before requests of earlier versions have ended. */
  readonly endsAtMs: number | null;
}

export const REPLACED_FILE = 'replaced-limits.json';

interface FileForm {
  /** A monotonic clock says nothing after the machine has begun anew. */
  readonly boot: string;
  readonly limits: readonly KeptLimit[];
}

/** What was in force when the process before this one ended: nothing of earlier versions is in flight any more. */
export function keptReplaced(dataFolder: string, clock: Clock, boot: string): readonly KeptLimit[] {
  const form = readForm(join(dataFolder, REPLACED_FILE));
  const nowMs = clock.monotonicMs();
  const isSameBoot = boot !== '' && form.boot === boot;
  return form.limits.map(({ limit, endsAtMs }) => {
    const latestMs = nowMs + (limit.lengthMs ?? 0);
    return { limit, endsAtMs: isSameBoot ? Math.min(endsAtMs ?? latestMs, latestMs) : latestMs };
  });
}

export function stillInForce(kept: readonly KeptLimit[], clock: Clock): readonly ReplacedLimit[] {
  const nowMs = clock.monotonicMs();
  return kept.filter(({ endsAtMs }) => endsAtMs === null || nowMs < endsAtMs).map(({ limit }) => limit);
}

/** One that can't be read holds nothing: a limit as it is now is in force all the same. */
function readForm(path: string): FileForm {
  try {
    const form = JSON.parse(readFileSync(path, 'utf8')) as FileForm;
    return { boot: String(form.boot), limits: form.limits.filter(isKeptLimit) };
  } catch {
    return { boot: '', limits: [] };
  }
}

function isKeptLimit(value: unknown): value is KeptLimit {
  const { limit, endsAtMs } = value as { limit?: Record<string, unknown>; endsAtMs?: unknown };
  return (
    ['path', 'text', 'identity'].every((name) => typeof limit?.[name] === 'string') &&
    [limit?.lengthMs, endsAtMs].every((number) => number === null || typeof number === 'number')
  );
}

/** Ends limits that an edit has replaced, each in its time, and keeps them for the next start until then. */
export class ReplacedKeeper {
  readonly #options: ReplacedKeeperOptions;
  readonly #ends = new Map<string, number>();
  #limits: readonly ReplacedLimit[] = [];
  /** Of limits of `at once`: the first version in which each was replaced. */
  readonly #since = new Map<string, number>();
  #isFileEmpty: boolean;

  constructor(options: ReplacedKeeperOptions, kept: readonly KeptLimit[]) {
    this.#options = options;
    for (const { limit, endsAtMs } of kept) if (endsAtMs !== null) this.#ends.set(limit.identity, endsAtMs);
    this.#isFileEmpty = kept.length === 0;
  }

  /** How many limits are in force as they were before an edit. */
  get inForce(): number {
    return this.#limits.filter((limit) => !this.isOver(limit)).length;
  }

  isOver({ identity }: ReplacedLimit): boolean {
    const endsAtMs = this.#ends.get(identity);
    return endsAtMs !== undefined && this.#options.clock.monotonicMs() >= endsAtMs;
  }

  /** A version is to go live: whenever the process ends from now on, the next one knows. */
  async prepare(limits: readonly ReplacedLimit[]): Promise<void> {
    await this.#write(limits);
  }

  /** The version did not go live. */
  async abandon(): Promise<void> {
    await this.#write(this.#limits);
  }

  /** The version holds for all threads: what came before this moment is in the old counters alone. */
  async live(epoch: number, limits: readonly ReplacedLimit[]): Promise<void> {
    const { clock, registry } = this.#options;
    const before = new Set(this.#limits.map(({ identity }) => identity));
    const nowMs = clock.monotonicMs();
    this.#forgetAllBut(limits);
    for (const { identity, lengthMs } of limits) {
      if (lengthMs !== null && !this.#ends.has(identity)) this.#ends.set(identity, nowMs + lengthMs);
      if (lengthMs === null && !before.has(identity)) this.#since.set(identity, epoch);
      const endsAtMs = this.#ends.get(identity);
      if (endsAtMs !== undefined) registry.endReplaced(identity, endsAtMs);
    }
    this.#limits = limits;
    await this.#write(limits);
  }

  /** No request of a version before `epoch` is in flight any more. */
  earliestIs(epoch: number): void {
    for (const [identity, since] of this.#since) {
      if (epoch < since) continue;
      const nowMs = this.#options.clock.monotonicMs();
      this.#since.delete(identity);
      this.#ends.set(identity, nowMs);
      this.#options.registry.endReplaced(identity, nowMs);
    }
  }

  /** One that was edited back and is replaced once more has a time of its own. */
  #forgetAllBut(limits: readonly ReplacedLimit[]): void {
    const known = new Set(limits.map(({ identity }) => identity));
    for (const times of [this.#ends, this.#since])
      for (const identity of [...times.keys()]) if (!known.has(identity)) times.delete(identity);
  }

  async #write(limits: readonly ReplacedLimit[]): Promise<void> {
    if (limits.length === 0 && this.#isFileEmpty) return;
    const { boot, alerts, write } = this.#options;
    const form: FileForm = {
      boot,
      limits: limits.map((limit) => ({ limit, endsAtMs: this.#ends.get(limit.identity) ?? null })),
    };
    try {
      await write(JSON.stringify(form));
      this.#isFileEmpty = limits.length === 0;
      alerts.resolve(NOT_KEPT);
    } catch (thrown) {
      alerts.raise({
        ...NOT_KEPT,
        severity: 'warning',
        message: `Limits that stay in force as they were before an edit can't be kept for the next start: ${(thrown as Error).message}.`,
        remedy: 'Make room on the disk of the data folder; the next load tries again.',
      });
    }
  }
}
