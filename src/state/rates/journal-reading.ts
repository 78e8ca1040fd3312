/** Reads the journal of a data thread that is gone. Whatever is not as it was written makes the whole of it doubtful. */
import {
  BLOCK,
  BLOCK_MAGIC,
  END,
  END_MAGIC,
  ENTRIES_MAX,
  MARK,
  MARK_MAGIC,
  MARK_PAGE_BYTES,
  MARK_SIDE_BYTES,
  positionAfter,
  type Side,
  UNIT_BYTES,
  UNIT_WORDS,
  wordSum,
} from './journal-format.ts';

export interface ExpectedJournal {
  readonly run: number;
  /** Position of the first block that is needed. */
  readonly tail: number;
  readonly ringUnits: number;
  /** The snapshot that the entries continue. */
  readonly generation: number;
  readonly side: Side;
}

/** Entries in the order in which they were made: where each begins in `words`, and its number. */
export interface JournalEntries {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly at: readonly number[];
  readonly sequence: readonly number[];
}

/** Null when takes may be missing. `file`: its whole content, or more. */
export function readJournal(file: Uint8Array, expected: ExpectedJournal): JournalEntries | null {
  if (file.byteLength < MARK_PAGE_BYTES + expected.ringUnits * UNIT_BYTES) return null;
  // Copied: a Buffer may lie anywhere in its memory.
  const copy = new Uint8Array(file.subarray(0, MARK_PAGE_BYTES + expected.ringUnits * UNIT_BYTES));
  const mark = new Int32Array(copy.buffer, expected.side * MARK_SIDE_BYTES, MARK.words);
  if (!nothingLost(mark, expected)) return null;
  const words = new Int32Array(copy.buffer, MARK_PAGE_BYTES);
  const doubles = new Float64Array(copy.buffer, MARK_PAGE_BYTES);
  const at: number[] = [];
  const sequence: number[] = [];
  let position = expected.tail;
  let next: number | null = null;
  for (;;) {
    if (!isHead(words, position, expected)) break;
    const head = (position & (expected.ringUnits - 1)) * UNIT_WORDS;
    const entries = words[head + BLOCK.entries]!;
    const first = words[head + BLOCK.sequence]!;
    if (next !== null && first !== next) return null;
    const bodyEnd = head + (entries + 1) * UNIT_WORDS;
    if (wordSum(words, head + UNIT_WORDS, bodyEnd, expected.run) !== words[head + BLOCK.bodySum]) break;
    for (let entry = 0; entry < entries; entry++) {
      at.push(head + (entry + 1) * UNIT_WORDS);
      sequence.push((first + entry) | 0);
    }
    next = (first + entries) | 0;
    position = positionAfter(position, entries + 2, expected.ringUnits);
    // Around the whole ring: no writer does so.
    if (((position - expected.tail) | 0) > expected.ringUnits) return null;
  }
  return somethingFollows(words, position, expected) ? null : { words, doubles, at, sequence };
}

function nothingLost(mark: Int32Array, { run, generation }: ExpectedJournal): boolean {
  return (
    mark[MARK.magic] === MARK_MAGIC &&
    mark[MARK.run] === run &&
    mark[MARK.sum] === wordSum(mark, 0, MARK.sum, 0) &&
    mark[MARK.generation]! < generation
  );
}

function isHead(words: Int32Array, position: number, { run, ringUnits }: ExpectedJournal): boolean {
  const unit = position & (ringUnits - 1);
  const at = unit * UNIT_WORDS;
  if (words[at + BLOCK.magic] !== BLOCK_MAGIC || words[at + BLOCK.run] !== run) return false;
  if (words[at + BLOCK.position] !== position) return false;
  if (words[at + BLOCK.sum] !== wordSum(words, at, at + BLOCK.sum, 0)) return false;
  const entries = words[at + BLOCK.entries]!;
  return entries > 0 && entries <= ENTRIES_MAX && unit + entries + 2 <= ringUnits;
}

/**
 * Whether a block was written at `position` or behind it: then this is no end but damage. A block that was torn has a head here and
 * no end; nothing comes after it.
 */
function somethingFollows(words: Int32Array, position: number, expected: ExpectedJournal): boolean {
  const { run, tail, ringUnits } = expected;
  const left = ringUnits - ((position - tail) | 0);
  for (let ahead = 0; ahead < left; ahead++) {
    const at = (position + ahead) | 0;
    const word = (at & (ringUnits - 1)) * UNIT_WORDS;
    if (ahead > 0 && isHead(words, at, expected)) return true;
    if (words[word + END.magic] !== END_MAGIC || words[word + END.run] !== run) continue;
    // An end names the position of its block, which is not before the one that is missing.
    if (((words[word + END.position]! - position) | 0) >= 0) return true;
  }
  return false;
}
