import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Random } from '../../base/ports.ts';
import type { AlertBus } from '../../observe/alert-bus.ts';
import type { CounterRegistry } from '../../state/counter-registry.ts';
import { machineBoot } from '../../state/rates/machine-boot.ts';
import { RateCheckpoints, type RateKeeping } from '../../state/rates/rate-checkpoints.ts';
import type { TakeJournalStart } from '../../state/rates/take-journal.ts';

export interface RateKeeperOptions {
  readonly dataFolder: string;
  readonly registry: CounterRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly alerts: Pick<AlertBus, 'raise' | 'resolve'>;
  readonly keyHashSecret: Uint8Array;
  readonly threads: number;
  readonly journalBytes: number;
}

const NOT_KEPT = { kind: 'rate-windows-not-kept', subject: '' } as const;
const FULL = { kind: 'rate-windows-full', subject: '' } as const;

/** Pause between two steps of a snapshot: a step is about a millisecond of work. */
const STEP_EVERY_MS = 20;
/** How long the alert of a start with full windows stays open. */
const FULL_FOR_MS = 3_600_000;

/** Why nobody knows what was taken: as a part of a sentence. */
const UNKNOWN: Readonly<Record<string, string>> = {
  'machine-ended': 'the machine ended before the gateway was stopped',
  damaged: 'what was kept of them is damaged',
  'not-journaled': 'the last gateway could not write down what was taken',
  'other-keys': 'the store of the last gateway is not this one',
};

/** Keeps rate windows over the ends of the process, and says so where it can't. */
export class RateKeeper {
  readonly #options: RateKeeperOptions;
  readonly #checkpoints: RateCheckpoints;
  #step: NodeJS.Timeout | null = null;
  /** When the alert of full windows is over; null when it is not open. */
  #fullUntilMs: number | null = null;

  constructor(options: RateKeeperOptions) {
    const { dataFolder, registry, clock, random, keyHashSecret, threads, journalBytes } = options;
    this.#options = options;
    this.#checkpoints = new RateCheckpoints({
      folder: join(dataFolder, RATES_FOLDER),
      registry,
      clock,
      boot: machineBoot(),
      run: random.uint32() | 0,
      keys: createHash('sha256').update(keyHashSecret).digest('base64url').slice(0, 16),
      threads,
      journalBytes,
    });
  }

  journals(): readonly TakeJournalStart[] {
    return this.#checkpoints.journals();
  }

  inspect(): RateKeeping {
    return this.#checkpoints.inspect();
  }

  /** The counters of the rules are others: before any thread takes from them. */
  regionsChanged(): void {
    const before = this.inspect().state;
    this.#checkpoints.regionsChanged();
    if (before === 'unused' && this.inspect().state !== 'unused') this.#tellFull();
    this.#tellProblem();
  }

  /** To be called once a second. */
  tend(): void {
    if (this.#checkpoints.tend() && this.#step === null) this.#stepLater(STEP_EVERY_MS);
    this.#tellProblem();
    if (this.#fullUntilMs === null || this.#options.clock.monotonicMs() < this.#fullUntilMs) return;
    this.#fullUntilMs = null;
    this.#options.alerts.resolve(FULL);
  }

  /** See `RateCheckpoints.close`. */
  close(memory: 'whole' | 'in-doubt'): void {
    if (this.#step !== null) clearTimeout(this.#step);
    this.#checkpoints.close(memory);
  }

  #stepLater(afterMs: number): void {
    this.#step = setTimeout(() => {
      this.#step = null;
      const step = this.#checkpoints.step();
      if (step !== 'done') this.#stepLater(step === 'hurry' ? 0 : STEP_EVERY_MS);
    }, afterMs);
  }

  #tellFull(): void {
    const { kind, why } = this.#checkpoints.leftBehind;
    if (kind !== 'unknown') return;
    this.#fullUntilMs = this.#options.clock.monotonicMs() + FULL_FOR_MS;
    this.#options.alerts.raise({
      ...FULL,
      severity: 'warning',
      message: `Every rate window began full, and every token bucket empty: ${UNKNOWN[why ?? 'damaged']}.`,
      remedy: 'Each is as usual once its own time has passed; nothing has to be done.',
    });
  }

  #tellProblem(): void {
    const { state, problem } = this.inspect();
    const { alerts } = this.#options;
    if (problem === null) {
      alerts.resolve(NOT_KEPT);
      return;
    }
    const [severity, meaning] =
      state === 'in-doubt'
        ? (['critical', 'They go on in memory; after a start every window would begin full.'] as const)
        : (['warning', 'What was taken is still written down.'] as const);
    alerts.raise({
      ...NOT_KEPT,
      severity,
      message: `Rate windows can't be kept for the next start: ${problem}. ${meaning}`,
      remedy: `Make room on the disk of ${this.#options.dataFolder}, or raise limits.rateJournalBytes; it is tried again by itself.`,
    });
  }
}

const RATES_FOLDER = 'windows';
