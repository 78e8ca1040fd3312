import { assert } from '../base/assert.ts';
import type { AccessRecord, RecordSink } from '../pipeline/record.ts';
import { RecordDecoder } from './record-decoder.ts';
import { RecordEncoder } from './record-encoder.ts';
import { FRAME_BYTES_MAX, type RecordFrame } from './record-format.ts';

/**
 * A ring of access records between one data thread (the only writer) and the control thread (the only reader).
 *
 * A frame begins below `capacity` and may run into the slack behind it, so that no frame is ever split or preceded
 * by a filler. `head` is where the next frame goes, `tail` where the oldest one is; equal means empty, and a frame
 * that would make them equal does not fit. Each side stores only its own cell, after the bytes it speaks of.
 */
const CELLS = { format: 0, capacity: 1, head: 2, tail: 3, dropped: 4, damages: 5 } as const;
const HEADER_BYTES = 64;
const RING_BYTES_MIN = HEADER_BYTES + 2 * FRAME_BYTES_MAX + 8;
/** 'PTR' and the version of this header. */
const RING_FORMAT = 0x50545201;

/** Memory for one ring of `ringBytes` in all; see the limit `recordRingBytes`. */
export function createRecordRing(ringBytes: number): SharedArrayBuffer {
  const capacity = (ringBytes - HEADER_BYTES - FRAME_BYTES_MAX) & ~7;
  // So that an empty ring takes any record: a frame at 0 must end below `capacity`, or `head` would meet `tail`.
  assert(capacity > FRAME_BYTES_MAX, `a record ring needs more than ${RING_BYTES_MIN} bytes`);
  const memory = new SharedArrayBuffer(HEADER_BYTES + capacity + FRAME_BYTES_MAX);
  const cells = new Int32Array(memory, 0, HEADER_BYTES >> 2);
  cells[CELLS.capacity] = capacity;
  Atomics.store(cells, CELLS.format, RING_FORMAT);
  return memory;
}

/** The writer's side, for the one data thread that owns the ring. Costs well below a microsecond per record. */
export function createRecordWriter(memory: SharedArrayBuffer): RecordSink {
  return new RecordWriter(memory);
}

class RecordWriter implements RecordSink {
  readonly #cells: Int32Array;
  readonly #encoder: RecordEncoder;
  readonly #capacity: number;
  #head: number;
  #damages: number;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = ringCells(memory);
    this.#capacity = this.#cells[CELLS.capacity]!;
    this.#head = this.#cells[CELLS.head]!;
    this.#damages = this.#cells[CELLS.damages]!;
    this.#encoder = new RecordEncoder(memory, HEADER_BYTES, this.#capacity + FRAME_BYTES_MAX);
  }

  write(record: AccessRecord): void {
    const head = this.#head;
    const tail = Atomics.load(this.#cells, CELLS.tail);
    const limit = head < tail ? tail : this.#capacity + FRAME_BYTES_MAX;
    const damages = Atomics.load(this.#cells, CELLS.damages);
    // The reader may have lost names that it was told.
    if (damages !== this.#damages) this.#encoder.forgetNames();
    this.#damages = damages;
    const bytes = this.#encoder.encode(record, head, limit);
    const end = head + bytes;
    const next = end >= this.#capacity ? 0 : end;
    if (bytes === 0 || next === tail) {
      this.#encoder.forgetNames();
      Atomics.add(this.#cells, CELLS.dropped, 1);
      return;
    }
    this.#head = next;
    Atomics.store(this.#cells, CELLS.head, next);
  }
}

export interface RecordReader {
  /**
   * Hands over up to `recordsMax` records, oldest first, and frees their room. The record is overwritten by the next
   * one: take what must outlive the call. Returns how many there were.
   */
  drain(recordsMax: number, accept: AcceptRecord): number;
  readonly counts: RecordRingCounts;
}

/** `frame` is the same record in bytes. */
export type AcceptRecord = (record: AccessRecord, frame: RecordFrame) => void;

export interface RecordRingCounts {
  /** Records that found the ring full, since the ring was made. */
  readonly dropped: number;
  /** Times that the ring held something that is no record; what was in it is lost then. */
  readonly damaged: number;
  /** Records that wait, and the room for them. */
  readonly usedBytes: number;
  readonly sizeBytes: number;
}

/** The reader's side, for the control thread. Whatever the memory holds, `drain` ends and never throws by itself. */
export function createRecordReader(memory: SharedArrayBuffer): RecordReader {
  return new RingReader(memory);
}

class RingReader implements RecordReader {
  readonly #cells: Int32Array;
  readonly #decoder: RecordDecoder;
  readonly #capacity: number;
  #tail: number;
  #damaged = 0;
  /** A head that points nowhere is reported once, not at every drain. */
  #damagedHead = -1;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = ringCells(memory);
    this.#capacity = this.#cells[CELLS.capacity]!;
    this.#tail = this.#cells[CELLS.tail]!;
    this.#decoder = new RecordDecoder(memory, HEADER_BYTES, this.#capacity + FRAME_BYTES_MAX);
  }

  drain(recordsMax: number, accept: AcceptRecord): number {
    const head = Atomics.load(this.#cells, CELLS.head);
    if (!this.#isPosition(head)) {
      if (head !== this.#damagedHead) this.#damaged++;
      this.#damagedHead = head;
      return 0;
    }
    let records = 0;
    try {
      while (this.#tail !== head && records < recordsMax) {
        if (!this.#advance(head)) break;
        records++;
        accept(this.#decoder.record, this.#decoder);
      }
    } finally {
      Atomics.store(this.#cells, CELLS.tail, this.#tail);
    }
    return records;
  }

  get counts(): RecordRingCounts {
    const head = Atomics.load(this.#cells, CELLS.head);
    const used = this.#isPosition(head) ? head - this.#tail : 0;
    return {
      dropped: Atomics.load(this.#cells, CELLS.dropped) >>> 0,
      damaged: this.#damaged,
      usedBytes: used < 0 ? used + this.#capacity : used,
      sizeBytes: this.#capacity,
    };
  }

  /** Decodes the oldest frame and steps over it; a damaged one makes everything up to `head` unreadable. */
  #advance(head: number): boolean {
    const tail = this.#tail;
    const limit = tail < head ? head : this.#capacity + FRAME_BYTES_MAX;
    const bytes = this.#decoder.decode(tail, limit);
    if (bytes === 0) {
      this.#damaged++;
      this.#decoder.forgetNames();
      Atomics.add(this.#cells, CELLS.damages, 1);
      this.#tail = head;
      return false;
    }
    const end = tail + bytes;
    this.#tail = end >= this.#capacity ? 0 : end;
    return true;
  }

  #isPosition(cell: number): boolean {
    return cell >= 0 && cell < this.#capacity && (cell & 7) === 0;
  }
}

function ringCells(memory: SharedArrayBuffer): Int32Array {
  assert(memory.byteLength >= RING_BYTES_MIN, 'this memory is too small for a record ring');
  const cells = new Int32Array(memory, 0, HEADER_BYTES >> 2);
  assert(Atomics.load(cells, CELLS.format) === RING_FORMAT, 'this memory is not a record ring');
  assert(
    cells[CELLS.capacity] === memory.byteLength - HEADER_BYTES - FRAME_BYTES_MAX,
    'the capacity in the ring does not fit its memory',
  );
  return cells;
}
