/**
 * How takes from rate windows lie in the journal of one data thread: a file of fixed size, made when it is first needed, so that a
 * full disk can't cut it short. It survives the process (the page cache does), not the machine.
 *
 * | part  | what                                                                                                       |
 * |-------|------------------------------------------------------------------------------------------------------------|
 * | page  | 4 KiB: {@link MARK}, which tells whether takes were lost; of this process and of the one before            |
 * | ring  | units of 32 bytes, their number a power of two; a *position* counts units written and wraps at 2^32         |
 * | block | the takes of one turn of the event loop: a head ({@link BLOCK}), one unit for each entry ({@link ENTRY}), an |
 * |       | end ({@link END}). None crosses the end of the ring: see {@link positionAfter}                              |
 *
 * Head and end both name run and position: a block of which only the end can be read was damaged, one without an end was torn by the
 * death of its process and says of no request that left.
 */

export const UNIT_WORDS = 8;
export const UNIT_BYTES = 4 * UNIT_WORDS;
export const MARK_PAGE_BYTES = 4_096;
/** Processes write their marks in two places in turn: what the one before left holds until the next has a snapshot. */
export type Side = 0 | 1;
export const MARK_SIDE_BYTES = 2_048;

export const MARK = { magic: 0, run: 1, generation: 2, sum: 3, words: 4 } as const;
export const BLOCK = { magic: 0, run: 1, position: 2, sequence: 3, entries: 4, bodySum: 5, sum: 7 } as const;
export const END = { magic: 0, run: 1, position: 2 } as const;
/** Weight and moment (in ticks of `counter-kind.ts`) are Float64 in words 4 … 7. */
export const ENTRY = { region: 0, keyHigh: 1, keyLow: 2, flags: 3, weight: 2, ticks: 3 } as const;
export const ENTRY_FLAGS = {
  /** Booked in the counter that keys share. */
  shared: 1,
  /** The key's own counter began as a copy of the shared one. */
  copied: 2,
} as const;

export const MARK_MAGIC = 0x7277_6d31;
export const BLOCK_MAGIC = 0x7277_6231;
export const END_MAGIC = 0x7277_6531;

/** A block of them is 64 KiB. */
export const ENTRIES_MAX = 2_046;
export const BLOCK_UNITS_MAX = ENTRIES_MAX + 2;

/** Int32 cells that a data thread and the control thread share; a cache line each. */
export const JOURNAL_CELLS = {
  /** {@link JOURNAL_STATES}. */
  state: 0,
  /** Entries made so far; written under the lock of the counter that each is about. */
  appended: 1,
  /** Position up to which blocks are in the file. */
  flushed: 2,
  /** Position from which on blocks are needed; written by the control thread. */
  tail: 3,
  /** The snapshot that is being made, or was made last; written by the control thread. */
  generation: 4,
  cells: 16,
} as const;

/** `lost`: takes are not in the file; only the control thread ends it, with a snapshot. */
export const JOURNAL_STATES = { off: 0, on: 1, lost: 2 } as const;

/** Any change of a single word changes the sum: each step is a bijection of the sum before it. */
export function wordSum(words: Int32Array, from: number, to: number, before: number): number {
  let sum = before;
  for (let at = from; at < to; at++) {
    sum = Math.imul(sum ^ words[at]!, 0x9e37_79b1);
    sum = (sum << 15) | (sum >>> 17);
  }
  return sum;
}

/** The generation of the mark: the newest snapshot that takes were lost from. -1: none. */
export function markWords(run: number, generation: number): Int32Array {
  const words = new Int32Array(MARK.words);
  words[MARK.magic] = MARK_MAGIC;
  words[MARK.run] = run;
  words[MARK.generation] = generation;
  words[MARK.sum] = wordSum(words, 0, MARK.sum, 0);
  return words;
}

/** Where the next block begins: at the start of the ring as soon as the longest one has no room before its end. */
export function positionAfter(position: number, units: number, ring: number): number {
  const end = (position + units) | 0;
  const left = ring - (end & (ring - 1));
  return left < BLOCK_UNITS_MAX ? (end + left) | 0 : end;
}

/** The largest power of two of units that `bytes` hold. */
export function ringUnits(bytes: number): number {
  return 2 ** Math.floor(Math.log2(bytes / UNIT_BYTES));
}
