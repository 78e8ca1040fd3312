/**
 * What every kind of counter answers, over the Float64 cells of one record. All are called under the record's lock. Amounts are
 * whole numbers, so a weight fits exactly when `weight <= capacity - used`.
 */
import type { PeriodClock } from '../model/calendar-periods.ts';

export interface CounterKind {
  /** Amount in use, rounded up. Reads only. */
  used(family: KindSettings, cells: Float64Array, at: number, now: Moment): number;
  /** Adds a weight that was found to fit. */
  add(family: KindSettings, cells: Float64Array, at: number, weight: number, now: Moment): void;
  /** Names the window, busy time or period that a weight just added belongs to. */
  mark(family: KindSettings, cells: Float64Array, at: number, now: Moment): number;
  /** Corrects what was booked under `mark` by `delta`; without effect when that window has passed. */
  correct(family: KindSettings, cells: Float64Array, at: number, mark: number, delta: number): void;
  /** First monotonic moment at which `weight` (≤ capacity, exceeding now) fits, nothing else being taken. */
  fitsAtMs(family: KindSettings, cells: Float64Array, at: number, weight: number, now: Moment): number;
  /** Milliseconds until the counter is as if unused (window, pace) or its period ends (calendar). */
  resetMs(family: KindSettings, cells: Float64Array, at: number, now: Moment): number;
  /** True when the record can't be told from one of zeros, now and for every reservation still open on it. */
  asNew(family: KindSettings, cells: Float64Array, at: number, now: Moment): boolean;
}

/** A kind of counter as most takes find it: in the sub-window or period of the take before. Under the record's lock, as all. */
export interface SteadyKind {
  /** Amount in use; {@link NOT_STEADY} when a new sub-window or period has begun, or the clock reading is from before. */
  used(family: KindSettings, cells: Float64Array, at: number, now: Moment): number;
  /** Adds a weight to what {@link used} has told, in the same step. */
  add(family: KindSettings, cells: Float64Array, at: number, weight: number, now: Moment): void;
}

export const NOT_STEADY = -1;

/** The figures that a kind needs; the same shape for all kinds, so that property access stays monomorphic. */
export interface KindSettings {
  /** Amount of a window, quota or `at once`; burst of a pace. */
  readonly capacity: number;
  /** Window: slot length in ticks. Pace: ticks of 1/16 ms in one drain step. */
  readonly slotTicks: number;
  /** Window: its length in ms, rounded up to whole ones. Otherwise 0. */
  readonly windowMs: number;
  /** Pace: drain steps in a period. Otherwise 0. */
  readonly periodSteps: number;
  /** Pace: amount drained in a period. Otherwise 0. */
  readonly drained: number;
  readonly periods: PeriodClock | null;
}

/** The one moment of a take, for all its entries. */
export class Moment {
  nowMs = 0;
  wallMs = 0;
  /** `nowMs` in whole 1/16 ms: an integer, so slot numbers are exact. */
  ticks = 0;

  set(nowMs: number, wallMs: number): void {
    this.nowMs = nowMs;
    this.wallMs = wallMs;
    this.ticks = Math.floor(nowMs * TICKS_PER_MS);
  }
}

/** 16, so that a sixteenth of a window of whole milliseconds is a whole number of ticks. */
export const TICKS_PER_MS = 16;
