/**
 * `at most N in any T`: a ring of 16 sub-windows and one more. A weight occupies its slot until the slot's end + T
 * (language-rules #13), so two admissions less than T apart are always counted together: their slots differ by 16 at most.
 * It may refuse up to one sub-window early; it never admits one too many, and admits exactly N from an empty ring.
 *
 * Cells: fired bits, last slot, ring[17]. Slots beyond the last one are stale and read as 0.
 */
import type { CounterKind, KindSettings, Moment, SteadyKind } from './counter-kind.ts';
import { NOT_STEADY, TICKS_PER_MS } from './counter-kind.ts';
import { FIRED_CELL, RING_SLOTS, SUB_WINDOWS } from './counter-layout.ts';
import type { RateKind } from './rates/rate-kinds.ts';

const LAST_SLOT = 1;
const RING = 2;

export const windowRing: CounterKind & RateKind = {
  used(family, cells, at, now) {
    const slot = currentSlot(family, cells, at, now);
    const last = cells[at + LAST_SLOT]!;
    let sum = 0;
    // Conditional wrap instead of a modulo per slot: 17 slots in about 10 ns.
    let first = slot - SUB_WINDOWS;
    if (first < 0) first = 0;
    let position = positionOf(first);
    for (let live = first; live <= last; live++) {
      sum += cells[at + RING + position]!;
      position = position === RING_SLOTS - 1 ? 0 : position + 1;
    }
    return sum;
  },

  add(family, cells, at, weight, now) {
    const slot = currentSlot(family, cells, at, now);
    const last = cells[at + LAST_SLOT]!;
    if (slot > last) rotate(cells, at, last, slot);
    cells[at + RING + positionOf(slot)]! += weight;
  },

  mark(family, cells, at, now) {
    return currentSlot(family, cells, at, now);
  },

  correct(_family, cells, at, mark, delta) {
    if (cells[at + LAST_SLOT]! - mark > SUB_WINDOWS) return;
    const cell = at + RING + positionOf(mark);
    cells[cell] = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, cells[cell]! + delta));
  },

  fitsAtMs(family, cells, at, weight, now) {
    const last = cells[at + LAST_SLOT]!;
    let excess = this.used(family, cells, at, now) - (family.capacity - weight);
    let slot = Math.max(0, currentSlot(family, cells, at, now) - SUB_WINDOWS);
    for (; slot < last; slot++) {
      excess -= cells[at + RING + positionOf(slot)]!;
      if (excess <= 0) break;
    }
    return slotLeavesMs(family, slot);
  },

  resetMs(family, cells, at, now) {
    for (let slot = cells[at + LAST_SLOT]!; slot >= 0; slot--) {
      const leavesMs = slotLeavesMs(family, slot);
      if (leavesMs <= now.nowMs || cells[at + LAST_SLOT]! - slot > SUB_WINDOWS) return 0;
      if (cells[at + RING + positionOf(slot)]! > 0) return leavesMs - now.nowMs;
    }
    return 0;
  },

  asNew(family, cells, at, now) {
    // By time and not by content: a slot of weight 0 may still be settled upwards.
    return currentSlot(family, cells, at, now) - cells[at + LAST_SLOT]! > SUB_WINDOWS;
  },

  book(family, cells, at, weight, ticks) {
    // What was taken before this boot of the machine counts as taken at its start.
    const slot = Math.max(0, Math.floor(ticks / family.slotTicks));
    const last = cells[at + LAST_SLOT]!;
    if (slot > last) rotate(cells, at, last, slot);
    this.correct(family, cells, at, slot, weight);
  },

  ticksOf: (family, _cells, _at, mark) => mark * family.slotTicks,

  restore(family, cells, at, stored, shiftTicks) {
    const last = stored[LAST_SLOT]!;
    for (let slot = Math.max(0, last - SUB_WINDOWS); slot <= last; slot++) {
      const weight = stored[RING + positionOf(slot)]!;
      const shifted = slot + Math.ceil(shiftTicks / family.slotTicks);
      if (weight > 0) this.book(family, cells, at, weight, shifted * family.slotTicks);
    }
    cells[at + FIRED_CELL] = stored[FIRED_CELL]!;
  },
};

export const steadyRing: SteadyKind = {
  used(family, cells, at, now) {
    if (cells[at + LAST_SLOT] !== Math.floor(now.ticks / family.slotTicks)) return NOT_STEADY;
    // All of the ring counts: none of its slots is older than 16.
    let sum = 0;
    for (let cell = at + RING; cell < at + RING + RING_SLOTS; cell++) sum += cells[cell]!;
    return sum;
  },

  add(_family, cells, at, weight) {
    cells[at + RING + positionOf(cells[at + LAST_SLOT]!)]! += weight;
  },
};

/** `slot % 17`, without the call to C that V8 makes for doubles beyond 32 bits; exact below 2^52. */
function positionOf(slot: number): number {
  return slot - Math.floor(slot / RING_SLOTS) * RING_SLOTS;
}

/** Threads may read the clock in another order than they get the lock: the ring never turns back. */
function currentSlot(family: KindSettings, cells: Float64Array, at: number, now: Moment): number {
  const slot = Math.floor(now.ticks / family.slotTicks);
  const last = cells[at + LAST_SLOT]!;
  return Math.max(slot, last);
}

function rotate(cells: Float64Array, at: number, last: number, slot: number): void {
  const passed = Math.min(slot - last, RING_SLOTS);
  for (let step = 0; step < passed; step++) cells[at + RING + positionOf(slot - step)] = 0;
  if (passed === RING_SLOTS) cells[at + FIRED_CELL] = 0;
  cells[at + LAST_SLOT] = slot;
}

/** The first moment at which the weights of a slot no longer count. */
function slotLeavesMs(family: KindSettings, slot: number): number {
  return ((slot + RING_SLOTS) * family.slotTicks) / TICKS_PER_MS;
}
