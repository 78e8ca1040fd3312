/** The counters of one limit as one thread sees them: views of the shared memory, and the figures of the limit. */
import { assert } from '../base/assert.ts';
import { type PeriodClock, periodClock } from '../model/calendar-periods.ts';
import type { EstimatedMeasure } from '../model/model-call.ts';
import type { CounterSpec, CounterWindow, TakeBatch } from '../pipeline/counters.ts';
import { calendarQuota, steadyQuota } from './calendar-quota.ts';
import { type CounterKind, type KindSettings, type SteadyKind, TICKS_PER_MS } from './counter-kind.ts';
import type { CounterRegion } from './counter-layout.ts';
import { HEADER, SUB_WINDOWS } from './counter-layout.ts';
import { PERIOD_STEPS_MAX, paceBucket } from './pace-bucket.ts';
import { type RateKind, rateKind } from './rates/rate-kinds.ts';
import { slotCount } from './slot-count.ts';
import { steadyRing, windowRing } from './window-ring.ts';

const KINDS: Readonly<Record<CounterWindow['kind'], CounterKind>> = {
  window: windowRing,
  pace: paceBucket,
  concurrency: slotCount,
  calendar: calendarQuota,
};

const STEADY: Readonly<Record<CounterWindow['kind'], SteadyKind | null>> = {
  window: steadyRing,
  pace: null,
  concurrency: null,
  calendar: steadyQuota,
};

/** `in-memory`: quotas end with the process, as in tests of policies. */
export type QuotaKeeping = 'leased' | 'in-memory';

export class CounterFamily implements KindSettings {
  readonly region: number;
  readonly identity: string;
  readonly kind: CounterKind;
  /** For `takeSteady`; null where a take may have more to do than to count. */
  readonly steady: SteadyKind | null;
  readonly words: Int32Array;
  readonly cells: Float64Array;
  readonly keysMax: number;
  /** Concurrency is freed at the end of the request; estimates are settled: both need a reservation. */
  readonly frees: boolean;
  readonly estimated: boolean;
  /** What is estimated; null where weights are exact. */
  readonly estimates: EstimatedMeasure | null;
  readonly allowOnFailure: boolean;
  /** Nothing may be used before it is durable: see `quota-lease-cells.ts`. */
  readonly leased: boolean;
  /** Null for what is no rate. Rates are journaled: they go on after their process. */
  readonly rate: RateKind | null;
  /** Of a policy that only watches. */
  readonly watching: boolean;
  readonly thresholdsPercent: readonly number[];
  /** See `CounterSpec.replaced`. */
  readonly replaced: boolean;

  readonly shardMask: number;
  readonly bucketMask: number;
  readonly buckets: number;
  readonly recordsPerShard: number;
  readonly recordCells: number;
  readonly headsAt: number;
  readonly metaAt: number;
  readonly cellsAt: number;
  readonly overflowRecord: number;
  readonly blankRecord: number;

  readonly capacity: number;
  readonly slotTicks: number;
  readonly windowMs: number;
  readonly periodSteps: number;
  readonly drained: number;
  readonly periods: PeriodClock | null;

  constructor(spec: CounterSpec, region: CounterRegion, quotas: QuotaKeeping) {
    assert(spec.identity === region.identity, 'counter memory is in the order of its specs');
    const { layout } = region;
    const figures = figuresOf(spec.window);
    this.region = region.region;
    this.identity = spec.identity;
    this.kind = KINDS[spec.window.kind];
    this.words = new Int32Array(region.memory);
    this.cells = new Float64Array(region.memory);
    this.keysMax = region.keysMax;
    this.frees = spec.window.kind === 'concurrency';
    this.estimates = spec.estimates ?? null;
    this.estimated = this.estimates !== null;
    this.allowOnFailure = spec.onFailure === 'allow';
    this.leased = quotas === 'leased' && spec.window.kind === 'calendar';
    this.rate = rateKind(spec.window.kind);
    this.watching = spec.watching === true;
    this.thresholdsPercent = spec.thresholdsPercent;
    this.replaced = spec.replaced === true;
    const isPlain = !this.estimated && !this.replaced && spec.thresholdsPercent.length === 0;
    this.steady = isPlain ? STEADY[spec.window.kind] : null;
    this.shardMask = layout.shards - 1;
    this.bucketMask = layout.buckets - 1;
    this.buckets = layout.buckets;
    this.recordsPerShard = layout.recordsPerShard;
    this.recordCells = layout.recordCells;
    this.headsAt = layout.headsAt;
    this.metaAt = layout.metaAt;
    this.cellsAt = layout.cellsAt;
    this.overflowRecord = layout.overflowRecord;
    this.blankRecord = layout.blankRecord;
    this.capacity = figures.capacity;
    this.slotTicks = figures.slotTicks;
    this.windowMs = figures.windowMs;
    this.periodSteps = figures.periodSteps;
    this.drained = figures.drained;
    this.periods = figures.periods;
  }

  /** Nothing is asked of it or taken from it. */
  isLeftOut({ leavesOut }: Pick<TakeBatch, 'leavesOut'>, nowMs: number): boolean {
    return (leavesOut === 'estimates' && this.estimated) || this.#hasEnded(nowMs);
  }

  /** A take could not have a lock in time: the control thread tells of it. */
  noteLockTimeout(): void {
    Atomics.add(this.words, HEADER.lockTimeouts, 1);
  }

  /** A replaced limit whose time is over. */
  #hasEnded(nowMs: number): boolean {
    if (!this.replaced) return false;
    const endsAtS = Atomics.load(this.words, HEADER.endsAtS);
    return endsAtS !== 0 && nowMs >= endsAtS * 1_000;
  }
}

/** A fractional length is rounded up, which refuses rather than admits too much. */
function figuresOf(window: CounterWindow): KindSettings {
  const none = { slotTicks: 1, windowMs: 0, periodSteps: 0, drained: 0, periods: null };
  switch (window.kind) {
    case 'window': {
      const windowMs = Math.ceil(window.windowMs);
      const slotTicks = (windowMs * TICKS_PER_MS) / SUB_WINDOWS;
      return { ...none, capacity: window.amount, slotTicks, windowMs };
    }
    case 'pace': {
      const periodTicks = Math.ceil(window.periodMs) * TICKS_PER_MS;
      const slotTicks = Math.ceil(periodTicks / PERIOD_STEPS_MAX);
      const periodSteps = Math.ceil(periodTicks / slotTicks);
      return { ...none, capacity: window.burst, slotTicks, periodSteps, drained: window.amount };
    }
    case 'concurrency':
      return { ...none, capacity: window.amount };
    case 'calendar':
      return {
        ...none,
        capacity: window.amount,
        periods: periodClock(window.period, window.zone),
      };
  }
}
