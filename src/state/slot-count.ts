/** `at most N at once`: how many are in flight. Cells: fired bits, in use. */
import type { CounterKind } from './counter-kind.ts';
import { FIRED_CELL } from './counter-layout.ts';

const IN_USE = 1;
/** Nobody knows when a slot is freed: the soonest moment that is worth another try. */
const RETRY_MS = 1;

export const slotCount: CounterKind = {
  used: (_family, cells, at) => cells[at + IN_USE]!,
  add(_family, cells, at, weight) {
    if (cells[at + IN_USE] === 0) cells[at + FIRED_CELL] = 0;
    cells[at + IN_USE]! += weight;
  },
  mark: () => 0,
  correct(_family, cells, at, _mark, delta) {
    cells[at + IN_USE] = Math.max(0, cells[at + IN_USE]! + delta);
  },
  fitsAtMs: (_family, _cells, _at, _weight, now) => now.nowMs + RETRY_MS,
  resetMs: () => 0,
  asNew: (_family, cells, at) => cells[at + IN_USE] === 0,
};
