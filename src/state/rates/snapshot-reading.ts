/** Reads a snapshot; one word that is not as it was written makes the whole of it doubtful. */
import { wordSum } from './journal-format.ts';
import { CHUNK, CHUNK_MAGIC } from './snapshot-format.ts';
import type { SnapshotExtent } from './snapshot-writing.ts';
import { doubleAt } from './word-buffer.ts';

export interface SnapshotChunk {
  readonly region: number;
  /** `SHARED_COUNTER` for the counter that keys share. */
  readonly shard: number;
  /** How many entries of each thread's journal are in it. */
  readonly positions: Int32Array;
  readonly records: number;
  /** Where its records begin. */
  readonly at: number;
}

export interface Snapshot {
  readonly words: Int32Array;
  readonly chunks: readonly SnapshotChunk[];
}

/** Null when it is not as it was written. `file` may be longer than the snapshot. */
export function readSnapshot(
  file: Uint8Array,
  expected: SnapshotExtent & {
    readonly run: number;
    readonly generation: number;
    readonly threads: number;
  },
): Snapshot | null {
  if (file.byteLength < expected.bytes || expected.bytes % 4 !== 0) return null;
  const words = new Int32Array(new Uint8Array(file.subarray(0, expected.bytes)).buffer);
  const chunks: SnapshotChunk[] = [];
  for (let at = 0; at < words.length; ) {
    const bodyAt = at + CHUNK.words;
    const end = bodyAt + (words[at + CHUNK.bodyWords] ?? -1);
    const isOurs =
      words[at + CHUNK.magic] === CHUNK_MAGIC &&
      words[at + CHUNK.run] === expected.run &&
      words[at + CHUNK.generation] === expected.generation &&
      words[at + CHUNK.ordinal] === chunks.length;
    if (!isOurs || end < bodyAt + expected.threads || end > words.length) return null;
    const sum = wordSum(words, bodyAt, end, wordSum(words, at, at + CHUNK.sum, 0));
    if (words[at + CHUNK.sum] !== sum) return null;
    chunks.push({
      region: words[at + CHUNK.region]!,
      shard: words[at + CHUNK.shard]!,
      positions: words.subarray(bodyAt, bodyAt + expected.threads),
      records: words[at + CHUNK.records]!,
      at: bodyAt + expected.threads,
    });
    at = end;
  }
  return chunks.length === expected.chunks ? { words, chunks } : null;
}

/** Hands over each record of a chunk; `cells` is overwritten by the next one. */
export function eachRecord(
  { words }: Snapshot,
  chunk: SnapshotChunk,
  cells: Float64Array,
  tell: (keyHigh: number, keyLow: number) => void,
): void {
  let at = chunk.at;
  for (let record = 0; record < chunk.records; record++) {
    const bits = words[at + 2]!;
    let from = at + 3;
    for (let cell = 0; cell < cells.length; cell++) {
      const isKept = (bits & (1 << cell)) !== 0;
      cells[cell] = isKept ? doubleAt(words, from) : 0;
      if (isKept) from += 2;
    }
    tell(words[at]!, words[at + 1]!);
    at = from;
  }
}
