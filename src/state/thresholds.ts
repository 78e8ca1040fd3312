/**
 * Thresholds of a limit (`alert at 50%, 100%`), each told once until its counter is as new. The first cell of a record keeps what
 * was told: the highest share below 100, and {@link EXHAUSTED} on top of it. Shares, not their numbers, so that editing the list
 * tells nothing twice.
 */
import type { CounterFamily } from './counter-family.ts';
import { FIRED_CELL } from './counter-layout.ts';

const EXHAUSTED = 128;

/** The shares below 100 that `settled` has reached and nobody was told of. Marks them as told; under the record's lock. */
export function newlyReached(family: CounterFamily, at: number, settled: number): readonly number[] {
  const told = family.cells[at + FIRED_CELL]!;
  const highest = told % EXHAUSTED;
  // Most takes reach nothing: they make no list.
  if (settled < (family.capacity * nextAbove(family.thresholdsPercent, highest)) / 100) return NONE;
  const reached = family.thresholdsPercent.filter(
    (percent) => percent < 100 && percent > highest && settled >= (family.capacity * percent) / 100,
  );
  family.cells[at + FIRED_CELL] = told - highest + reached.at(-1)!;
  return reached;
}

/** The first share below 100 that was not told; infinite where all were. Shares ascend. */
function nextAbove(percents: readonly number[], told: number): number {
  for (let i = 0; i < percents.length; i++) {
    const percent = percents[i]!;
    if (percent > told) return percent < 100 ? percent : Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether a refusal is the first of its counter, and is to be told. Marks it as told; under the record's lock. */
export function isNewlyExhausted(family: CounterFamily, at: number): boolean {
  const told = family.cells[at + FIRED_CELL]!;
  if (told >= EXHAUSTED || family.thresholdsPercent.at(-1) !== 100) return false;
  family.cells[at + FIRED_CELL] = told + EXHAUSTED;
  return true;
}

const NONE: readonly number[] = Object.freeze([]);
