/**
 * A data thread's journal of what it took from rate windows: appended in memory under the counters' locks, written with one call
 * before anything of the same turn leaves for a service. So a process that ends in any way leaves a file that knows of every
 * request that a service may have seen.
 */
import { openSync, writeSync } from 'node:fs';
import {
  BLOCK,
  BLOCK_MAGIC,
  BLOCK_UNITS_MAX,
  END,
  END_MAGIC,
  ENTRIES_MAX,
  ENTRY,
  JOURNAL_CELLS,
  JOURNAL_STATES,
  MARK_PAGE_BYTES,
  MARK_SIDE_BYTES,
  markWords,
  positionAfter,
  type Side,
  UNIT_BYTES,
  UNIT_WORDS,
  wordSum,
} from './journal-format.ts';

/** Where takes from rate windows are told. Both are called by one thread. */
export interface TakeSink {
  /** A weight was booked (or corrected, when it is negative). Under the lock of its counter. */
  append(region: number, keyHigh: number, keyLow: number, flags: number, weight: number, ticks: number): void;
  /** What was appended survives the process from now on. To be called before what it permits is done. */
  flush(): void;
}

/** For counters that end with their process. */
export const NO_JOURNAL: TakeSink = { append() {}, flush() {} };

/** Plain data, for the data thread. */
export interface TakeJournalStart {
  readonly path: string;
  /** {@link JOURNAL_CELLS} of all threads. */
  readonly cells: SharedArrayBuffer;
  readonly thread: number;
  /** Names the process in all its blocks. */
  readonly run: number;
  readonly ringUnits: number;
  /** Where its mark lies. */
  readonly side: Side;
}

export function createTakeJournal(start: TakeJournalStart): TakeSink {
  return new TakeJournal(start);
}

class TakeJournal implements TakeSink {
  readonly #start: TakeJournalStart;
  readonly #cells: Int32Array;
  readonly #words = new Int32Array(BLOCK_UNITS_MAX * UNIT_WORDS);
  readonly #doubles = new Float64Array(this.#words.buffer);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #appendedAt: number;
  #descriptor: number | null = null;
  #entries = 0;
  /** Number of the next entry, of the first one in the block, and the position of the block. */
  #sequence = 0;
  #blockSequence = 0;
  #position = 0;

  constructor(start: TakeJournalStart) {
    this.#start = start;
    const first = start.thread * JOURNAL_CELLS.cells;
    this.#cells = new Int32Array(start.cells, 4 * first, JOURNAL_CELLS.cells);
    this.#appendedAt = JOURNAL_CELLS.appended;
    this.#words[BLOCK.magic] = BLOCK_MAGIC;
    this.#words[BLOCK.run] = start.run;
  }

  append(
    region: number,
    keyHigh: number,
    keyLow: number,
    flags: number,
    weight: number,
    ticks: number,
  ): void {
    // Thousands in one turn of which nothing leaves: rare enough to be written under a lock.
    if (this.#entries === ENTRIES_MAX) this.flush();
    const unit = ++this.#entries;
    const at = unit * UNIT_WORDS;
    const words = this.#words;
    words[at + ENTRY.region] = region;
    words[at + ENTRY.keyHigh] = keyHigh;
    words[at + ENTRY.keyLow] = keyLow;
    words[at + ENTRY.flags] = flags;
    const pair = unit * (UNIT_WORDS / 2);
    this.#doubles[pair + ENTRY.weight] = weight;
    this.#doubles[pair + ENTRY.ticks] = ticks;
    this.#sequence = (this.#sequence + 1) | 0;
    // Plain: who reads it for this counter holds its lock, and the release of the lock comes after.
    this.#cells[this.#appendedAt] = this.#sequence;
  }

  flush(): void {
    if (this.#entries === 0) return;
    if (Atomics.load(this.#cells, JOURNAL_CELLS.state) === JOURNAL_STATES.on) this.#write();
    this.#entries = 0;
    this.#blockSequence = this.#sequence;
  }

  #write(): void {
    const { ringUnits } = this.#start;
    const units = this.#entries + 2;
    const end = positionAfter(this.#position, units, ringUnits);
    const used = (end - Atomics.load(this.#cells, JOURNAL_CELLS.tail)) | 0;
    if (used > ringUnits || !this.#writeBlock(this.#position, units)) {
      this.#lose();
      return;
    }
    this.#position = end;
    Atomics.store(this.#cells, JOURNAL_CELLS.flushed, end);
  }

  #writeBlock(position: number, units: number): boolean {
    const words = this.#words;
    const endAt = (units - 1) * UNIT_WORDS;
    words[BLOCK.position] = position;
    words[BLOCK.sequence] = this.#blockSequence;
    words[BLOCK.entries] = this.#entries;
    words[BLOCK.bodySum] = wordSum(words, UNIT_WORDS, endAt, this.#start.run);
    words[BLOCK.sum] = wordSum(words, 0, BLOCK.sum, 0);
    words[endAt + END.magic] = END_MAGIC;
    words[endAt + END.run] = this.#start.run;
    words[endAt + END.position] = position;
    const at = MARK_PAGE_BYTES + (position & (this.#start.ringUnits - 1)) * UNIT_BYTES;
    return this.#put(this.#bytes, units * UNIT_BYTES, at);
  }

  /** The mark lies in a page that exists: a full disk doesn't keep it away. What else does is told to the control thread. */
  #lose(): void {
    Atomics.store(this.#cells, JOURNAL_CELLS.state, JOURNAL_STATES.lost);
    const mark = markWords(this.#start.run, Atomics.load(this.#cells, JOURNAL_CELLS.generation));
    this.#put(new Uint8Array(mark.buffer), mark.byteLength, this.#start.side * MARK_SIDE_BYTES);
  }

  /** Whether all of it is in the file. The thread serves on, whatever the disk does. */
  #put(bytes: Uint8Array, length: number, at: number): boolean {
    try {
      this.#descriptor ??= openSync(this.#start.path, 'r+');
      return writeSync(this.#descriptor, bytes, 0, length, at) === length;
    } catch {
      return false;
    }
  }
}
