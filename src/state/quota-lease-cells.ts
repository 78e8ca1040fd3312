/**
 * The lease on a calendar quota, in the cells of its record: how much may be used in this period, because a mark at or above it is
 * durable. The control thread raises it (`quota-leases.ts`); takes stay below it and ask for more before it runs out.
 * All functions are called under the record's lock.
 */
import { currentPeriod, LEASE_CELLS, PERIOD_CELL, RESERVED_CELL, USED_CELL } from './calendar-quota.ts';
import type { KindSettings, Moment } from './counter-kind.ts';
import { FIRED_CELL } from './counter-layout.ts';

/** Used at most this much: the durable mark. 0 until the first grant of the period. */
const MARK = LEASE_CELLS;
/** From this much used on a further slice is to be asked for; Infinity while one is, or when there is no more. 0 before the first. */
const ASK_FROM = LEASE_CELLS + 1;
/** Size of the last slice, and the monotonic ms of its grant: how the next is chosen. */
const SLICE = LEASE_CELLS + 2;
const GRANTED_AT = LEASE_CELLS + 3;

/** What a take and a grant see of a lease, in one consistent look. */
export interface LeaseState {
  readonly periodMs: number;
  readonly used: number;
  /** Of it, by requests in flight. */
  readonly reserved: number;
  /** Thresholds that were told in this period (`thresholds.ts`). */
  readonly told: number;
  /** 0: nothing was granted yet in this period of this process. */
  readonly mark: number;
  readonly sliceAmount: number;
  readonly grantedAtMs: number;
}

export interface LeaseGrant {
  readonly periodMs: number;
  /** What an earlier process may have used in this period; counts once, with the first grant. */
  readonly restored: number;
  /** Thresholds that it told in this period; counts with `restored`. */
  readonly told: number;
  readonly mark: number;
  readonly sliceAmount: number;
  readonly askFrom: number;
}

/**
 * What may be used beyond `used`. Negative before the first grant of a period, so that even a request that weighs nothing waits to
 * learn what an earlier process used.
 */
export function leaseLeft(
  family: KindSettings,
  cells: Float64Array,
  at: number,
  used: number,
  now: Moment,
): number {
  const granted = cells[at + ASK_FROM] !== 0;
  if (!granted || cells[at + PERIOD_CELL] !== currentPeriod(family, cells, at, now)) return -1;
  return cells[at + MARK]! - used;
}

/** Whether `weight` may be used, and {@link wantsSlice} says no afterwards. In the period of the record. */
export function leaseLasts(cells: Float64Array, at: number, weight: number): boolean {
  const used = cells[at + USED_CELL]! + weight;
  return used <= cells[at + MARK]! && used < cells[at + ASK_FROM]!;
}

/** True once per slice: when so much of it is used that the next one should be on its way. */
export function wantsSlice(cells: Float64Array, at: number): boolean {
  if (cells[at + USED_CELL]! < cells[at + ASK_FROM]!) return false;
  cells[at + ASK_FROM] = Number.POSITIVE_INFINITY;
  return true;
}

/** A settlement above the estimate is charged in full: the mark has to follow. */
export function isOverdrawn(cells: Float64Array, at: number): boolean {
  return cells[at + USED_CELL]! > cells[at + MARK]!;
}

export function readLease(family: KindSettings, cells: Float64Array, at: number, now: Moment): LeaseState {
  const periodMs = currentPeriod(family, cells, at, now);
  const open = cells[at + PERIOD_CELL] === periodMs;
  return {
    periodMs,
    used: open ? cells[at + USED_CELL]! : 0,
    told: open ? cells[at + FIRED_CELL]! : 0,
    reserved: open ? cells[at + RESERVED_CELL]! : 0,
    mark: open ? cells[at + MARK]! : 0,
    sliceAmount: cells[at + SLICE]!,
    grantedAtMs: cells[at + GRANTED_AT]!,
  };
}

/** Without effect when the period of the grant has passed: whoever waits asks for the new one. */
export function applyGrant(
  family: KindSettings,
  cells: Float64Array,
  at: number,
  grant: LeaseGrant,
  now: Moment,
): void {
  if (currentPeriod(family, cells, at, now) > grant.periodMs) return;
  if (cells[at + PERIOD_CELL] !== grant.periodMs) {
    cells[at + PERIOD_CELL] = grant.periodMs;
    cells[at + USED_CELL] = grant.restored;
    cells[at + FIRED_CELL] = grant.told;
    cells[at + RESERVED_CELL] = 0;
    cells[at + MARK] = grant.mark;
  } else {
    if (cells[at + MARK] === 0) {
      cells[at + USED_CELL]! += grant.restored;
      cells[at + FIRED_CELL] = Math.max(cells[at + FIRED_CELL]!, grant.told);
    }
    cells[at + MARK] = Math.max(cells[at + MARK]!, grant.mark);
  }
  cells[at + ASK_FROM] = grant.askFrom;
  cells[at + SLICE] = grant.sliceAmount;
  cells[at + GRANTED_AT] = now.nowMs;
}
