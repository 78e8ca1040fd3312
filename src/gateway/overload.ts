/** Which requests a data thread turns away while it has too much to do: those of low priority first. */
import type { LimitValues } from '../base/limits.ts';
import type { Priority } from '../model/world.ts';

export type ShedLimits = Pick<
  LimitValues,
  'exchangesPerThread' | 'normalExchangesPerThread' | 'lowExchangesPerThread' | 'eventLoopDelayMs'
>;

export class Overload {
  /**
   * Requests in flight up to which nobody is turned away; below nought while the thread is late. One comparison is all that it costs
   * a request as long as all is well.
   */
  calmUpTo: number;
  /** Requests that were turned away since the start, by the bound that was reached. */
  readonly refused = {
    exchangesPerThread: 0,
    normalExchangesPerThread: 0,
    lowExchangesPerThread: 0,
    eventLoopDelayMs: 0,
  };
  #inFlightMax: Readonly<Record<Priority, number>>;
  readonly #leastMax: number;
  readonly #delayMs: number;
  /** How many priorities, from the lowest, are turned away because the thread is late. */
  #lateFor = 0;
  #seenBefore = 0;
  #calmSweeps = 0;
  /** Everybody is turned away, however few there are. */
  isClosed = false;

  constructor(limits: ShedLimits) {
    const { exchangesPerThread: high, normalExchangesPerThread, lowExchangesPerThread } = limits;
    // Whoever lowers the last bound alone means it for all.
    const normal = Math.min(normalExchangesPerThread, high);
    this.#inFlightMax = { high, normal, low: Math.min(lowExchangesPerThread, normal) };
    this.#leastMax = this.#inFlightMax.low;
    this.#delayMs = limits.eventLoopDelayMs;
    this.calmUpTo = this.#leastMax;
  }

  /** How many priorities, from the lowest, are turned away because the thread is late. */
  get level(): number {
    return this.#lateFor;
  }

  /** Whether a request is turned away, whatever its priority; `inFlight` counts it. */
  shedsAll(inFlight: number): boolean {
    if (inFlight <= this.#inFlightMax.high) return false;
    if (!this.isClosed) this.refused.exchangesPerThread++;
    return true;
  }

  close(): void {
    this.isClosed = true;
    this.#inFlightMax = { high: 0, normal: 0, low: 0 };
  }

  /** Whether a request of this priority is. */
  sheds(priority: Priority, inFlight: number): boolean {
    if (inFlight > this.#inFlightMax[priority]) this.refused[BOUNDS[priority]]++;
    else if (RANKS[priority] < this.#lateFor) this.refused.eventLoopDelayMs++;
    else return false;
    return true;
  }

  /** By how much the thread's events have been late of late; from each sweep. */
  observe(delayMs: number): void {
    const seen = Math.min(PRIORITIES, lateness(delayMs / this.#delayMs));
    // One pause, of the collector or of a machine that slept, is not too much to do.
    const lateFor = Math.min(seen, this.#seenBefore);
    this.#seenBefore = seen;
    if (lateFor >= this.#lateFor) {
      this.#lateFor = lateFor;
      this.#calmSweeps = 0;
    } else if (++this.#calmSweeps >= CALM_SWEEPS) {
      // One at a time: those who come back may be what made it late.
      this.#lateFor--;
      this.#calmSweeps = 0;
    }
    this.calmUpTo = this.#lateFor > 0 ? -1 : this.#leastMax;
  }
}

/** 1 from the bound on, 2 from twice the bound on, 3 from four times on. */
function lateness(times: number): number {
  return times < 1 ? 0 : Math.floor(Math.log2(times)) + 1;
}

const BOUNDS = {
  high: 'exchangesPerThread',
  normal: 'normalExchangesPerThread',
  low: 'lowExchangesPerThread',
} as const satisfies Record<Priority, keyof ShedLimits>;
const RANKS: Readonly<Record<Priority, number>> = { low: 0, normal: 1, high: 2 };
const PRIORITIES = 3;
/** Sweeps run four times a second. */
const CALM_SWEEPS = 2;
