/** When a limit will be used up, from how fast it is used now and from how fast it was used at these times before. */
import type { MeterKind } from '../model/provider-limits.ts';
import { DAY_SLOT_MS, type UseRate } from './use-profile.ts';

/** A limit, or several of a kind as one. */
export interface MeterState {
  readonly kind: MeterKind;
  readonly windowMs: number;
  readonly amount: number;
  readonly left: number;
  /** Of a fixed window, in how long it ends; of one that has not begun, its length. */
  readonly endsInMs: number;
}

/** In how long; null: not within the time that is looked at, or before it is filled again. */
export interface Exhaustion {
  readonly currentMs: number | null;
  readonly seasonalMs: number | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How far it looks where a limit is filled again all the time. */
const BUCKET_HORIZON_MS = DAY_MS;

export function exhaustion(meter: MeterState, rate: UseRate, wallMs: number): Exhaustion {
  return { currentMs: currentExhaustion(meter, rate), seasonalMs: seasonalExhaustion(meter, rate, wallMs) };
}

/** As fast as it is used now. */
export function currentExhaustion(meter: MeterState, rate: UseRate): number | null {
  // Slots come back with each call that ends: there is nothing to run out of.
  if (meter.kind === 'slots') return null;
  if (meter.left <= 0) return 0;
  const net = rate.current - refillOf(meter);
  const currentMs = net > 0 ? meter.left / net : Number.POSITIVE_INFINITY;
  return currentMs < horizonOf(meter) ? currentMs : null;
}

/** As fast as it was used at these times before. A day is gone through by minutes and slots, however long the window is. */
export function seasonalExhaustion(meter: MeterState, rate: UseRate, wallMs: number): number | null {
  if (meter.kind === 'slots') return null;
  if (meter.left <= 0) return 0;
  const { seasonalMost } = rate;
  const refill = refillOf(meter);
  const horizonMs = horizonOf(meter);
  // Most limits are never near their end: nothing is gone through for them.
  if (seasonalMost === null || Math.max(seasonalMost, rate.current) <= refill) return null;
  const walk = new Walk(meter, rate, wallMs);
  // Near moments matter to the minute.
  const foundMs =
    walk.to(Math.min(2 * HOUR_MS, horizonMs), MINUTE_MS) ?? walk.to(Math.min(DAY_MS, horizonMs), DAY_SLOT_MS);
  if (foundMs !== null || horizonMs <= DAY_MS) return foundMs;
  // All further days are as the next one is: those that leave something over need not be gone through.
  const ofDay = walk.usedInDay();
  if (ofDay <= 0) return null;
  walk.pass(Math.floor(walk.left / ofDay), ofDay);
  return walk.to(Math.min(walk.atMs + DAY_MS + DAY_SLOT_MS, horizonMs), DAY_SLOT_MS);
}

function refillOf({ kind, amount, windowMs }: MeterState): number {
  return kind === 'bucket' ? amount / windowMs : 0;
}

function horizonOf({ kind, endsInMs }: MeterState): number {
  return kind === 'bucket' ? BUCKET_HORIZON_MS : endsInMs;
}

class Walk {
  atMs = 0;
  left: number;
  readonly #amount: number;
  readonly #refill: number;
  readonly #rate: UseRate;
  readonly #wallMs: number;

  constructor(meter: MeterState, rate: UseRate, wallMs: number) {
    this.left = meter.left;
    this.#amount = meter.amount;
    this.#refill = refillOf(meter);
    this.#rate = rate;
    this.#wallMs = wallMs;
  }

  /** When nothing is left on the way there; null: something is when it gets there. */
  to(endMs: number, lengthMs: number): number | null {
    while (this.atMs < endMs) {
      const stepMs = Math.min(lengthMs, endMs - this.atMs);
      const net = this.#rateIn(this.atMs, stepMs) - this.#refill;
      if (net > 0 && this.left <= net * stepMs) return this.atMs + this.left / net;
      this.left = Math.min(this.#amount, this.left - net * stepMs);
      this.atMs += stepMs;
    }
    return null;
  }

  /** Of what is not filled again within a day. */
  usedInDay(): number {
    let used = 0;
    for (let atMs = 0; atMs < DAY_MS; atMs += DAY_SLOT_MS)
      used += this.#rateIn(this.atMs + atMs, DAY_SLOT_MS) * DAY_SLOT_MS;
    return used;
  }

  pass(days: number, usedInDay: number): void {
    this.atMs += days * DAY_MS;
    this.left -= days * usedInDay;
  }

  #rateIn(atMs: number, lengthMs: number): number {
    return this.#rate.seasonalAt(this.#wallMs + atMs + lengthMs / 2) ?? this.#rate.current;
  }
}

/** The sooner one. */
export function sooner(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
