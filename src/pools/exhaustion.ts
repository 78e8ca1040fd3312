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
/** How far it looks where a limit is filled again all the time. */
const BUCKET_HORIZON_MS = 24 * HOUR_MS;

export function exhaustion(meter: MeterState, rate: UseRate, wallMs: number): Exhaustion {
  // Slots come back with each call that ends: there is nothing to run out of.
  if (meter.kind === 'slots') return { currentMs: null, seasonalMs: null };
  if (meter.left <= 0) return { currentMs: 0, seasonalMs: 0 };
  const refill = meter.kind === 'bucket' ? meter.amount / meter.windowMs : 0;
  const horizonMs = meter.kind === 'bucket' ? BUCKET_HORIZON_MS : meter.endsInMs;
  const net = rate.current - refill;
  const currentMs = net > 0 ? meter.left / net : Number.POSITIVE_INFINITY;
  return {
    currentMs: currentMs < horizonMs ? currentMs : null,
    seasonalMs: seasonal(meter, rate, { refill, horizonMs, wallMs }),
  };
}

function seasonal(
  { amount, left: leftNow }: MeterState,
  rate: UseRate,
  {
    refill,
    horizonMs,
    wallMs,
  }: { readonly refill: number; readonly horizonMs: number; readonly wallMs: number },
): number | null {
  const { seasonalMost } = rate;
  // Most limits are never near their end: nothing is gone through for them.
  if (seasonalMost === null || Math.max(seasonalMost, rate.current) <= refill) return null;
  let left = leftNow;
  for (let atMs = 0; atMs < horizonMs; ) {
    const stepMs = Math.min(stepAt(atMs), horizonMs - atMs);
    const net = meanRate(rate, wallMs + atMs, stepMs) - refill;
    if (net > 0 && left <= net * stepMs) return atMs + left / net;
    left = Math.min(amount, left - net * stepMs);
    atMs += stepMs;
  }
  return null;
}

/** Near moments matter to the minute. */
function stepAt(atMs: number): number {
  if (atMs < 2 * HOUR_MS) return MINUTE_MS;
  return atMs < 24 * HOUR_MS ? DAY_SLOT_MS : HOUR_MS;
}

function meanRate(rate: UseRate, wallMs: number, lengthMs: number): number {
  const looks = Math.max(1, Math.round(lengthMs / DAY_SLOT_MS));
  let sum = 0;
  for (let look = 0; look < looks; look++)
    sum += rate.seasonalAt(wallMs + ((look + 0.5) * lengthMs) / looks) ?? rate.current;
  return sum / looks;
}

/** The sooner one. */
export function sooner(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
