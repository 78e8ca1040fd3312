/** What requests in flight have reserved of a calendar counter: a part of what is used that is not settled yet. */
import { PERIOD_CELL, RESERVED_CELL, USED_CELL } from './calendar-quota.ts';
import type { CounterFamily } from './counter-family.ts';

/** Windows keep no account of it: what is reserved of them counts as used until it is settled. */
function isKept(family: CounterFamily): boolean {
  return family.estimated && family.periods !== null;
}

export function reserve(family: CounterFamily, at: number, amount: number): void {
  if (isKept(family)) family.cells[at + RESERVED_CELL]! += amount;
}

/** Of a copy: what is reserved stands in the record that it was made of. */
export function forgetReserved(family: CounterFamily, at: number): void {
  if (isKept(family)) family.cells[at + RESERVED_CELL] = 0;
}

/** `period`: the one that it was reserved in. */
export function unreserve(family: CounterFamily, at: number, period: number, amount: number): void {
  const { cells } = family;
  if (!isKept(family) || cells[at + PERIOD_CELL] !== period) return;
  cells[at + RESERVED_CELL] = Math.max(0, cells[at + RESERVED_CELL]! - amount);
}

/** Used and settled; 0 once the period is over. */
export function settledAmount(family: CounterFamily, at: number, period: number): number {
  const { cells } = family;
  if (!isKept(family) || cells[at + PERIOD_CELL] !== period) return 0;
  return cells[at + USED_CELL]! - cells[at + RESERVED_CELL]!;
}
