/**
 * How lanes lie in shared memory, one after the other:
 *
 * | part  | cells of a lane                                                                     |
 * |-------|-------------------------------------------------------------------------------------|
 * | words | 16 Int32, a cache line: {@link WORD}                                                 |
 * | cells | {@link LANE_CELLS} Float64: {@link LANE}, then {@link LANE_METERS_MAX} × {@link METER} |
 *
 * Everything but the lock word is written under the lane's lock. Memory starts as zero: a lane without meters, which is open.
 */
import { LANE_METERS_MAX } from '../pipeline/key-pool.ts';

export const WORD = { lock: 0, meters: 1, cells: 16 } as const;

export const LANE = {
  /** Monotonic moment before which no call is sent, because the provider said so; 0: none. */
  closedUntilMs: 0,
  /** After that moment: 1 until one call has shown that it is open again. */
  isProving: 1,
  /** Until when the one call that proves it may be refused, and is waited for; 0: none is under way. */
  proofDueMs: 2,
  /** Tokens of prompts for each token of their bound: mean, and mean distance from it, over so many tokens of bounds: see `prompt-share.ts`. */
  promptShare: 3,
  promptSpread: 4,
  promptSeen: 5,
  /** Calls that were sent and not refused, of which those of a minute ago count 1/e, as of a moment; and when a refusal was last learned from. */
  recentCalls: 6,
  recentAtMs: 7,
  refusedAtMs: 8,
  cells: 9,
} as const;

export const METER = {
  /** Index into `METER_UNITS`, and into `METER_KINDS`. */
  unit: 0,
  kind: 1,
  amount: 2,
  windowMs: 3,
  /** What is left as of `atMs`: may be negative, when calls took more than was estimated. */
  left: 4,
  /** bucket: when `left` was last brought up to date. fixed: when the window ends, 0 before its first call. */
  atMs: 5,
  /** Sum of all corrections by what the provider reported: see `lane-reports.ts`. */
  corrected: 6,
  /** Least error towards too little of the reports since `surplusSinceMs`; and when that began, 0: none. */
  surplus: 7,
  surplusSinceMs: 8,
  /** What people have declared, or 0. */
  declared: 9,
  /** Sum of all that calls took: what was taken between two moments is its difference. */
  taken: 10,
  /** Estimates of calls under way: as much as that more may be left than the model says. */
  pending: 11,
  /** When the call was sent whose answer said the amount: those of earlier calls say an older one. */
  saidMs: 12,
  /** 1: an answer has told it. */
  told: 13,
  /** 1: it is what refusals made believe: see `refusal-pace.ts`. */
  guessed: 14,
  cells: 15,
} as const;

export const LANE_CELLS = LANE.cells + LANE_METERS_MAX * METER.cells;

export function laneBytes(lanes: number): number {
  return lanes * (WORD.cells * Int32Array.BYTES_PER_ELEMENT + LANE_CELLS * Float64Array.BYTES_PER_ELEMENT);
}

/** The lanes of one memory, as one thread sees them. */
export class LaneMemory {
  readonly words: Int32Array;
  readonly cells: Float64Array;

  constructor(memory: SharedArrayBuffer, lanes: number) {
    this.words = new Int32Array(memory, 0, lanes * WORD.cells);
    this.cells = new Float64Array(memory, this.words.byteLength, lanes * LANE_CELLS);
  }

  lockAt(lane: number): number {
    return lane * WORD.cells + WORD.lock;
  }

  laneAt(lane: number): number {
    return lane * LANE_CELLS;
  }

  meterAt(lane: number, meter: number): number {
    return lane * LANE_CELLS + LANE.cells + meter * METER.cells;
  }

  metersOf(lane: number): number {
    return this.words[lane * WORD.cells + WORD.meters]!;
  }
}
