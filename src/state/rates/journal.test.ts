import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BLOCK_UNITS_MAX,
  ENTRIES_MAX,
  ENTRY,
  JOURNAL_CELLS,
  JOURNAL_STATES,
  MARK_PAGE_BYTES,
  MARK_SIDE_BYTES,
  markWords,
  ringUnits,
  UNIT_BYTES,
} from './journal-format.ts';
import { type JournalEntries, readJournal } from './journal-reading.ts';
import { createTakeJournal, type TakeSink } from './take-journal.ts';

const RUN = -77;
const RING = ringUnits(4 * BLOCK_UNITS_MAX * UNIT_BYTES);

let folder: string;
let path: string;
let cells: Int32Array;
let journal: TakeSink;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-journal-'));
  path = join(folder, 'journal-0');
  const file = new Uint8Array(MARK_PAGE_BYTES + RING * UNIT_BYTES);
  file.set(new Uint8Array(markWords(RUN, -1).buffer), MARK_SIDE_BYTES);
  writeFileSync(path, file);
  const shared = new SharedArrayBuffer(4 * JOURNAL_CELLS.cells);
  cells = new Int32Array(shared);
  cells[JOURNAL_CELLS.state] = JOURNAL_STATES.on;
  cells[JOURNAL_CELLS.generation] = 1;
  journal = createTakeJournal({ path, cells: shared, thread: 0, run: RUN, ringUnits: RING, side: 1 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Entries are numbered by their keys. */
let key = 0;
function turn(entries: number): void {
  for (let entry = 0; entry < entries; entry++) journal.append(3, ++key, ~key, 0, key / 2, key * 16);
  journal.flush();
}

function read(tail = cells[JOURNAL_CELLS.tail]!, generation = 1): JournalEntries | null {
  return readJournal(readFileSync(path), { run: RUN, tail, ringUnits: RING, generation, side: 1 });
}

const keysOf = ({ words, at }: JournalEntries) => at.map((from) => words[from + ENTRY.keyHigh]!);

describe('a journal', () => {
  beforeEach(() => {
    key = 0;
  });

  it('is read as it was written, with numbers that go on', () => {
    for (const entries of [1, 3, 1, 40]) turn(entries);
    const found = read()!;
    expect(keysOf(found)).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
    expect(found.sequence).toEqual(Array.from({ length: 45 }, (_, i) => i));
    expect(found.doubles[found.at[44]! / 2 + ENTRY.weight]).toBe(22.5);
    expect(cells[JOURNAL_CELLS.appended]).toBe(45);
  });

  it('goes around its ring as its tail follows, and keeps what lies between', () => {
    for (let lap = 0; lap < 40; lap++) {
      const tail = cells[JOURNAL_CELLS.flushed]!;
      Atomics.store(cells, JOURNAL_CELLS.tail, tail);
      const first = key + 1;
      turn(700);
      turn(1 + (lap % 7));
      expect(keysOf(read(tail)!)).toEqual(Array.from({ length: key - first + 1 }, (_, i) => first + i));
    }
    expect(cells[JOURNAL_CELLS.flushed]).toBeGreaterThan(2 * RING);
  });

  it('takes more in one turn than a block holds', () => {
    turn(ENTRIES_MAX + 5);
    expect(read()!.at).toHaveLength(ENTRIES_MAX + 5);
  });

  it('says what it lost when its ring is full, until a newer snapshot is whole', () => {
    while (cells[JOURNAL_CELLS.state] === JOURNAL_STATES.on) turn(ENTRIES_MAX);
    expect(read()).toBeNull();
    expect(read(0, 2)).not.toBeNull();
  });

  it('serves on and is lost when its file can not be opened', () => {
    rmSync(path);
    turn(1);
    expect(cells[JOURNAL_CELLS.state]).toBe(JOURNAL_STATES.lost);
    turn(1);
  });

  it('is not taken for that of another process, or of another size', () => {
    turn(2);
    const file = readFileSync(path);
    const expected = { run: RUN, tail: 0, ringUnits: RING, generation: 1, side: 1 } as const;
    expect(readJournal(file, { ...expected, run: RUN + 1 })).toBeNull();
    expect(readJournal(file, { ...expected, side: 0 })).toBeNull();
    expect(readJournal(file.subarray(0, file.length - 1), expected)).toBeNull();
  });

  it('drops a block that was torn, wherever that was, and nothing before it', () => {
    turn(2);
    const before = readFileSync(path);
    turn(3);
    const after = readFileSync(path);
    const from = MARK_PAGE_BYTES + 4 * UNIT_BYTES;
    for (let bytes = 0; bytes < 4 * UNIT_BYTES; bytes++) {
      const torn = Buffer.from(before);
      after.copy(torn, from, from, from + bytes);
      writeFileSync(path, torn);
      expect(keysOf(read()!)).toEqual([1, 2]);
    }
  });

  it('recognises each changed bit, or is as it was', () => {
    turn(2);
    turn(1);
    const file = readFileSync(path);
    const whole = keysOf(read()!);
    const written: readonly (readonly [number, number])[] = [
      [MARK_SIDE_BYTES, 16],
      [MARK_PAGE_BYTES, 7 * UNIT_BYTES],
    ];
    let recognised = 0;
    for (const [from, bytes] of written) {
      for (let at = from; at < from + bytes; at++) {
        const found = readChanged(file, at, file[at]! ^ (1 << (at % 8)));
        if (found === null) recognised++;
        else expect(keysOf(found)).toEqual(whole);
      }
    }
    // Ends of blocks whose heads are sound say nothing more.
    expect(recognised).toBeGreaterThan(150);
  });
});

/** In memory: thousands of files would take a minute. */
function readChanged(file: Buffer, at: number, byte: number): JournalEntries | null {
  const before = file[at]!;
  file[at] = byte;
  const found = readJournal(file, { run: RUN, tail: 0, ringUnits: RING, generation: 1, side: 1 });
  file[at] = before;
  return found;
}
