/**
 * `N per T, burst B`: a token bucket in the form of GCRA, as the debt that has not drained yet. Debt is kept exactly, as whole
 * units and a fraction of `periodSteps` parts, so it doesn't depend on N: a reload that changes N keeps what is owed.
 * In each of the `periodSteps` steps of a period N parts drain. Exactly B fit from empty; credit never exceeds B.
 *
 * A *busy time* runs from a take on an empty bucket until the debt is gone; corrections reach only their own busy time.
 *
 * Cells: fired bits, whole, parts, step of the last change, number of the busy time.
 */
import { type CounterKind, type KindSettings, Moment, TICKS_PER_MS } from './counter-kind.ts';
import { FIRED_CELL } from './counter-layout.ts';
import type { RateKind } from './rates/rate-kinds.ts';

const WHOLE = 1;
const PARTS = 2;
const STEP = 3;
const BUSY_TIME = 4;

/** Products of two figures below this are exact in a double. */
export const PERIOD_STEPS_MAX = 2 ** 26;

export const paceBucket: CounterKind & RateKind = {
  used(family, cells, at, now) {
    drain(family, cells, at, now);
    return DEBT.parts > 0 ? DEBT.whole + 1 : DEBT.whole;
  },

  add(family, cells, at, weight, now) {
    drain(family, cells, at, now);
    if (DEBT.whole === 0 && DEBT.parts === 0) {
      cells[at + BUSY_TIME]! += 1;
      cells[at + FIRED_CELL] = 0;
    }
    cells[at + WHOLE] = DEBT.whole + weight;
    cells[at + PARTS] = DEBT.parts;
    cells[at + STEP] = DEBT.step;
  },

  mark(_family, cells, at) {
    return cells[at + BUSY_TIME]!;
  },

  correct(_family, cells, at, mark, delta) {
    if (cells[at + BUSY_TIME] !== mark) return;
    const whole = cells[at + WHOLE]! + delta;
    cells[at + WHOLE] = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, whole));
    if (whole < 0) cells[at + PARTS] = 0;
  },

  fitsAtMs(family, cells, at, weight, now) {
    drain(family, cells, at, now);
    return stepMs(
      family,
      DEBT.step + stepsToDrain(family, DEBT.whole - (family.capacity - weight), DEBT.parts),
    );
  },

  resetMs(family, cells, at, now) {
    drain(family, cells, at, now);
    if (DEBT.whole === 0 && DEBT.parts === 0) return 0;
    return Math.max(0, stepMs(family, DEBT.step + stepsToDrain(family, DEBT.whole, DEBT.parts)) - now.nowMs);
  },

  asNew(family, cells, at, now) {
    drain(family, cells, at, now);
    return DEBT.whole === 0 && DEBT.parts === 0;
  },

  /** Corrections are left out: the busy time that they belong to can't be told. */
  book(family, cells, at, weight, ticks) {
    if (weight <= 0) return;
    BOOKED.ticks = ticks;
    this.add(family, cells, at, weight, BOOKED);
  },

  ticksOf: (family, cells, at) => cells[at + STEP]! * family.slotTicks,

  restore(family, cells, at, stored, shiftTicks) {
    const step = Math.max(0, stored[STEP]! + Math.ceil(shiftTicks / family.slotTicks));
    if (cells[at + STEP] === 0 && cells[at + WHOLE] === 0) {
      for (let cell = 0; cell < stored.length; cell++) cells[at + cell] = stored[cell]!;
      cells[at + STEP] = step;
      return;
    }
    // Two counters become one: a part counts as a whole.
    const debt = stored[WHOLE]! + (stored[PARTS]! > 0 ? 1 : 0);
    this.book(family, cells, at, debt, step * family.slotTicks);
  },
};

const BOOKED = new Moment();

/** Result of {@link drain}: read at once by its caller, so one object per thread is enough. */
const DEBT = { whole: 0, parts: 0, step: 0 };

/** Debt at `now`, without writing it. */
function drain(family: KindSettings, cells: Float64Array, at: number, now: Moment): void {
  const { periodSteps, drained } = family;
  const last = cells[at + STEP]!;
  DEBT.step = Math.max(last, Math.floor(now.ticks / family.slotTicks));
  const steps = DEBT.step - last;
  const periods = Math.floor(steps / periodSteps);
  const rest = steps - periods * periodSteps;
  // rest · drained / periodSteps, split so that each product stays below 2^53.
  const high = Math.floor(drained / periodSteps);
  const restParts = rest * (drained - high * periodSteps);
  const carried = Math.floor(restParts / periodSteps);
  let whole = cells[at + WHOLE]! - periods * drained - rest * high - carried;
  let parts = cells[at + PARTS]! - (restParts - carried * periodSteps);
  if (parts < 0) {
    parts += periodSteps;
    whole -= 1;
  }
  const gone = whole < 0;
  DEBT.whole = gone ? 0 : whole;
  DEBT.parts = gone ? 0 : parts;
}

/** Least number of steps after which `whole` units and `parts` have drained. */
function stepsToDrain(family: KindSettings, whole: number, parts: number): number {
  const { periodSteps, drained } = family;
  const periods = Math.floor(whole / drained);
  const restWhole = whole - periods * drained;
  const estimate = Math.ceil((restWhole * periodSteps + parts) / drained);
  // The product may be rounded above 2^53: the neighbours decide.
  for (let steps = Math.max(0, estimate - 1); ; steps++) {
    if (hasDrained(family, steps, restWhole, parts)) return periods * periodSteps + steps;
  }
}

function hasDrained(family: KindSettings, steps: number, whole: number, parts: number): boolean {
  const { periodSteps, drained } = family;
  const high = Math.floor(drained / periodSteps);
  const low = steps * (drained - high * periodSteps);
  const carried = Math.floor(low / periodSteps);
  const drainedWhole = steps * high + carried;
  if (drainedWhole !== whole) return drainedWhole > whole;
  return low - carried * periodSteps >= parts;
}

function stepMs(family: KindSettings, step: number): number {
  return (step * family.slotTicks) / TICKS_PER_MS;
}
