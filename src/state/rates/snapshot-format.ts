/**
 * A snapshot: the counters of all rate windows, one chunk of words for each shard. A chunk says how far each thread's journal was
 * when its shard was looked at, under the shard's lock: entries before that are in it, those behind it are not.
 *
 * Chunk: {@link CHUNK}, one word for each thread, then records: high and low word of the key, which cells are not 0 (a bit each), and
 * those cells as doubles.
 */
import type { Side } from './journal-format.ts';

export const CHUNK = {
  magic: 0,
  run: 1,
  generation: 2,
  /** Number of the chunk in its snapshot. */
  ordinal: 3,
  region: 4,
  shard: 5,
  records: 6,
  bodyWords: 7,
  sum: 8,
  words: 9,
} as const;
export const CHUNK_MAGIC = 0x7277_6331;

/** In place of a shard: the counter that keys share when all are in use. */
export const SHARED_COUNTER = -1;

/** Two in turn: the last one holds until the next is whole. */
export function snapshotName(side: Side): string {
  return `snapshot-${side}`;
}
