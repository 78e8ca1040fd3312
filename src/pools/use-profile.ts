/**
 * How fast one limit is used: now, and at the same time of former days and hours. Two rings of fixed size, whatever the traffic:
 * 348 numbers of four bytes.
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
export const DAY_SLOT_MS = 5 * MINUTE_MS;
const DAY_SLOTS = DAY_MS / DAY_SLOT_MS;
const HOUR_SLOTS = HOUR_MS / MINUTE_MS;
/** What "now" means: a burst of seconds is no trend, and one of minutes is. */
const CURRENT_MS = 60_000;
/** How much the last day, and the last hour, counts beside those before it. */
const DAY_SHARE = 0.5;
const HOUR_SHARE = 0.3;

/** What a forecast asks about use, in units per millisecond. */
export interface UseRate {
  readonly current: number;
  /** Of a moment by the wall clock; null: nothing is known of that time. */
  seasonalAt(wallMs: number): number | null;
  /** The most that any time has; null: none is known. */
  readonly seasonalMost: number | null;
}

export class UseProfile implements UseRate {
  #current = 0;
  /** Since when it is looked at, of {@link CURRENT_MS}: the mean of less time is all that is known. */
  #seenMs = 0;
  readonly #days = new Float32Array(DAY_SLOTS).fill(Number.NaN);
  readonly #hours = new Float32Array(HOUR_SLOTS).fill(Number.NaN);
  readonly #day = new Slot(DAY_SLOT_MS, DAY_SHARE);
  readonly #hour = new Slot(MINUTE_MS, HOUR_SHARE);

  /** `used` in the `passedMs` until now; below 0 where more was given back than taken. */
  observe(used: number, passedMs: number, wallMs: number): void {
    if (!(passedMs > 0)) return;
    this.#seenMs = Math.min(CURRENT_MS, this.#seenMs + passedMs);
    const share = Math.max(passedMs / Math.max(passedMs, this.#seenMs), 1 - Math.exp(-passedMs / CURRENT_MS));
    this.#current += share * (used / passedMs - this.#current);
    const middleMs = wallMs - passedMs / 2;
    this.#day.add(this.#days, used, passedMs, middleMs);
    this.#hour.add(this.#hours, used, passedMs, middleMs);
  }

  get current(): number {
    return Math.max(0, this.#current);
  }

  seasonalAt(wallMs: number): number | null {
    const ofDay = this.#days[Math.floor(wallMs / DAY_SLOT_MS) % DAY_SLOTS]!;
    if (!Number.isNaN(ofDay)) return Math.max(0, ofDay);
    const ofHour = this.#hours[Math.floor(wallMs / MINUTE_MS) % HOUR_SLOTS]!;
    return Number.isNaN(ofHour) ? null : Math.max(0, ofHour);
  }

  get seasonalMost(): number | null {
    let most: number | null = null;
    for (const ring of [this.#days, this.#hours])
      for (const rate of ring) if (!Number.isNaN(rate)) most = Math.max(most ?? 0, rate);
    return most;
  }
}

/** The slot of a ring that is under way: it counts once its time is over. */
class Slot {
  readonly #lengthMs: number;
  readonly #share: number;
  #nth = -1;
  #used = 0;
  #seenMs = 0;

  constructor(lengthMs: number, share: number) {
    this.#lengthMs = lengthMs;
    this.#share = share;
  }

  add(ring: Float32Array, used: number, passedMs: number, wallMs: number): void {
    const nth = Math.floor(wallMs / this.#lengthMs);
    if (nth !== this.#nth) {
      // What was looked at for less than half of its time says little.
      if (this.#seenMs >= this.#lengthMs / 2) {
        const at = this.#nth % ring.length;
        const rate = this.#used / this.#seenMs;
        ring[at] = Number.isNaN(ring[at]) ? rate : ring[at]! + this.#share * (rate - ring[at]!);
      }
      this.#nth = nth;
      this.#used = this.#seenMs = 0;
    }
    this.#used += used;
    this.#seenMs += passedMs;
  }
}

/** Several limits used as one. */
export function together(rates: readonly UseRate[]): UseRate {
  return {
    current: rates.reduce((sum, { current }) => sum + current, 0),
    seasonalAt(wallMs) {
      let sum = 0;
      for (const rate of rates) {
        const at = rate.seasonalAt(wallMs);
        if (at === null) return null;
        sum += at;
      }
      return sum;
    },
    get seasonalMost() {
      let sum = 0;
      for (const { seasonalMost } of rates) {
        if (seasonalMost === null) return null;
        sum += seasonalMost;
      }
      return sum;
    },
  };
}
