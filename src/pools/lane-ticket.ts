/** What a call has taken of each limit of its lanes, and how those stood then. Opaque to whoever holds it. */
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';
import { METER } from './lane-layout.ts';

export interface LaneTicket {
  readonly lanes: readonly number[];
  readonly atMs: number;
  /** Tokens of the prompt, at most. */
  readonly promptBound: number;
  /**
   * {@link STOOD} of each meter that the lanes had, one lane after the other. One array of numbers, and not a typed one: where those have
   * more than 64 bytes they lie outside of V8's heap, and cost 1.4 µs each instead of 0.17.
   */
  readonly stood: readonly number[];
  /** Where the meters of each lane begin in it, and where those of the last one end. */
  readonly begins: readonly number[];
  /** Meters that were learned from this call, which is counted in them, by {@link learnedPlace}; null: none. */
  learned: number[] | null;
  /** It is the one call that shows whether lanes that were closed are open again. */
  readonly proves: boolean;
  state: 'open' | 'settled';
}

/** Of one meter: what was taken, what was left then, the sums of corrections and of all takes, the estimates under way, the end of a fixed window. */
export const STOOD = {
  taken: 0,
  left: 1,
  corrected: 2,
  allTaken: 3,
  pending: 4,
  endMs: 5,
  cells: 6,
} as const;

/** To be called for the meters of a lane in their order, right after `taken` was taken. */
export function noteTaken(stood: number[], cells: Float64Array, at: number, taken: number): void {
  stood.push(
    taken,
    cells[at + METER.left]!,
    cells[at + METER.corrected]!,
    cells[at + METER.taken]!,
    cells[at + METER.pending]!,
    cells[at + METER.atMs]!,
  );
}

/** Index into `stood`; -1: the lane did not have the meter yet. */
export function placeThen({ begins }: LaneTicket, nthLane: number, meter: number): number {
  const place = begins[nthLane]! + meter * STOOD.cells;
  return place < begins[nthLane + 1]! ? place : -1;
}

export function learnedPlace(nthLane: number, meter: number): number {
  return nthLane * LANE_METERS_MAX + meter;
}
