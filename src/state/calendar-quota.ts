/**
 * `N per day|week|month|quarter|year in ZONE`: what was used in the period of the local calendar. Periods never go back
 * (language-rules #33): a clock set back keeps booking into the period that was reached.
 *
 * Cells: fired bits, start of the period in Unix ms, used, those of the lease (`quota-lease-cells.ts`), and reserved.
 */
import { assert } from '../base/assert.ts';
import type { PeriodClock } from '../model/calendar-periods.ts';
import {
  type CounterKind,
  type KindSettings,
  type Moment,
  NOT_STEADY,
  type SteadyKind,
  TICKS_PER_MS,
} from './counter-kind.ts';
import { FIRED_CELL } from './counter-layout.ts';

export const PERIOD_CELL = 1;
export const USED_CELL = 2;
/** From here on: what is known of the lease in that period. */
export const LEASE_CELLS = 3;
export const LEASE_CELLS_COUNT = 4;
/** Of what was used: reserved by requests that are still in flight. */
export const RESERVED_CELL = LEASE_CELLS + LEASE_CELLS_COUNT;

/** Far above the rounding of a double at today's times, far below a tick. */
const ROUNDING_TICKS = 1 / 64;

export const calendarQuota: CounterKind = {
  used(family, cells, at, now) {
    return cells[at + PERIOD_CELL] === currentPeriod(family, cells, at, now) ? cells[at + USED_CELL]! : 0;
  },

  add(family, cells, at, weight, now) {
    const period = currentPeriod(family, cells, at, now);
    if (cells[at + PERIOD_CELL] !== period) {
      cells[at + PERIOD_CELL] = period;
      cells[at + USED_CELL] = 0;
      cells[at + FIRED_CELL] = 0;
      cells.fill(0, at + LEASE_CELLS, at + RESERVED_CELL + 1);
    }
    cells[at + USED_CELL]! += weight;
  },

  mark(family, cells, at, now) {
    return currentPeriod(family, cells, at, now);
  },

  correct(_family, cells, at, mark, delta) {
    if (cells[at + PERIOD_CELL] !== mark) return;
    cells[at + USED_CELL] = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, cells[at + USED_CELL]! + delta));
  },

  fitsAtMs(family, cells, at, _weight, now) {
    const atMs = now.nowMs + (periodsOf(family).endMs(currentPeriod(family, cells, at, now)) - now.wallMs);
    // The sum of two clocks is rounded: up to a whole tick, so that who asks again then is not a hair too early.
    return Math.ceil(atMs * TICKS_PER_MS - ROUNDING_TICKS) / TICKS_PER_MS;
  },

  resetMs(family, cells, at, now) {
    return periodsOf(family).endMs(currentPeriod(family, cells, at, now)) - now.wallMs;
  },

  asNew(family, cells, at, now) {
    // A period that is still open may get a correction even if nothing is used in it.
    return cells[at + PERIOD_CELL] !== currentPeriod(family, cells, at, now);
  },
};

export const steadyQuota: SteadyKind = {
  used(family, cells, at, now) {
    const isCurrent = cells[at + PERIOD_CELL]! >= periodsOf(family).startMs(now.wallMs);
    return isCurrent ? cells[at + USED_CELL]! : NOT_STEADY;
  },

  add(_family, cells, at, weight) {
    cells[at + USED_CELL]! += weight;
  },
};

/** The period that a take at this moment belongs to, as its start in Unix ms. */
export function currentPeriod(family: KindSettings, cells: Float64Array, at: number, now: Moment): number {
  const stored = cells[at + PERIOD_CELL]!;
  const period = periodsOf(family).startMs(now.wallMs);
  return Math.max(stored, period);
}

function periodsOf(family: KindSettings): PeriodClock {
  assert(family.periods !== null, 'a calendar counter has periods');
  return family.periods;
}
