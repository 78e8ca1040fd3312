/**
 * The cells of one dimension of one period as bytes: uint32 format, uint32 cells; for each the name (uint16 bytes, UTF-8), uint8
 * number of sums and the sums as float64, uint8 number of histograms and for each its greatest value (uint32), uint16 filled
 * buckets, and those as uint16 and uint32. All little-endian.
 */
import { ROLLUP_SUMS } from '../../pipeline/usage.ts';
import type { LogLinearHistogram } from '../log-linear-histogram.ts';
import { RollupCell } from './rollup-cell.ts';

const FORMAT = 1;

export function encodeCells(cells: ReadonlyMap<string, RollupCell>): Uint8Array {
  const writer = new Writer();
  writer.uint32(FORMAT);
  writer.uint32(cells.size);
  for (const [name, cell] of cells) {
    writer.text(name);
    writer.uint8(ROLLUP_SUMS.length);
    for (const sum of ROLLUP_SUMS) writer.float64(cell.sums[sum]);
    writer.uint8(cell.histograms.length);
    for (const histogram of cell.histograms) writeHistogram(writer, histogram);
  }
  return writer.bytes();
}

function writeHistogram(writer: Writer, histogram: LogLinearHistogram): void {
  const filled = [...histogram.filled()];
  writer.uint32(histogram.max);
  writer.uint16(filled.length);
  for (const [bucket, count] of filled) {
    writer.uint16(bucket);
    writer.uint32(count);
  }
}

/** Null where they are not of a form that this version knows. */
export function decodeCells(bytes: Uint8Array): Map<string, RollupCell> | null {
  const stored = new StoredCells(bytes);
  const cells = new Map<string, RollupCell>();
  for (const [name, addend] of stored) {
    const cell = new RollupCell();
    addend.addTo(cell);
    cells.set(name, cell);
  }
  return stored.whole ? cells : null;
}

/** Cells as they are in the file, read one by one: what nobody asks for is passed over. To be gone through once. */
export class StoredCells implements Iterable<readonly [name: string, cell: StoredCells]> {
  readonly #reader: Reader;
  #pending = false;
  #isCut = false;
  /** Everything was read, and was of a form that this version knows. */
  whole = false;

  constructor(bytes: Uint8Array) {
    this.#reader = new Reader(bytes);
  }

  *[Symbol.iterator](): Generator<readonly [name: string, cell: this]> {
    try {
      if (this.#reader.uint32() !== FORMAT) return;
      for (let left = this.#reader.uint32(); left > 0; left--) {
        const name = this.#reader.text();
        this.#pending = true;
        yield [name, this];
        if (this.#pending) this.#pass();
        if (this.#isCut) return;
      }
      this.whole = true;
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
    }
  }

  /** The cell that the iteration is at; once. Of one that is cut short, nothing. */
  addTo(cell: RollupCell): void {
    const reader = this.#reader;
    const { at } = reader;
    this.#pending = false;
    try {
      this.#pass();
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      this.#isCut = true;
      return;
    }
    reader.at = at;
    const sums = reader.uint8();
    for (let index = 0; index < sums; index++) {
      const value = reader.float64();
      const sum = ROLLUP_SUMS[index];
      if (sum !== undefined) cell.sums[sum] += value;
    }
    const histograms = reader.uint8();
    for (let index = 0; index < histograms; index++) readHistogram(reader, cell.histograms[index]);
  }

  #pass(): void {
    const reader = this.#reader;
    reader.pass(FLOAT64_BYTES * reader.uint8());
    for (let left = reader.uint8(); left > 0; left--) {
      reader.pass(UINT32_BYTES);
      reader.pass(BUCKET_BYTES * reader.uint16());
    }
  }
}

const UINT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** Number and count. */
const BUCKET_BYTES = 6;

function readHistogram(reader: Reader, histogram: LogLinearHistogram | undefined): void {
  const max = reader.uint32();
  for (let left = reader.uint16(); left > 0; left--) {
    const bucket = reader.uint16();
    const count = reader.uint32();
    histogram?.addBucket(bucket, count);
  }
  histogram?.addMax(max);
}

class Writer {
  #buffer = Buffer.alloc(4_096);
  #at = 0;

  uint8(value: number): void {
    this.#at = this.#room(1).writeUInt8(value, this.#at);
  }
  uint16(value: number): void {
    this.#at = this.#room(2).writeUInt16LE(value, this.#at);
  }
  uint32(value: number): void {
    this.#at = this.#room(4).writeUInt32LE(value, this.#at);
  }
  float64(value: number): void {
    this.#at = this.#room(8).writeDoubleLE(value, this.#at);
  }
  text(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.uint16(bytes);
    this.#at += this.#room(bytes).write(text, this.#at);
  }
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  #room(bytes: number): Buffer {
    if (this.#at + bytes > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer], 2 * (this.#buffer.length + bytes));
    }
    return this.#buffer;
  }
}

/** Reading beyond the end throws a RangeError. */
class Reader {
  readonly #buffer: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.#buffer.readUInt8(this.#skip(1));
  }
  uint16(): number {
    return this.#buffer.readUInt16LE(this.#skip(2));
  }
  uint32(): number {
    return this.#buffer.readUInt32LE(this.#skip(4));
  }
  float64(): number {
    return this.#buffer.readDoubleLE(this.#skip(8));
  }
  text(): string {
    const bytes = this.uint16();
    const { at } = this;
    this.pass(bytes);
    return this.#buffer.toString('utf8', at, this.at);
  }

  pass(bytes: number): void {
    this.at += bytes;
    if (this.at > this.#buffer.length) throw new RangeError('it is cut short');
  }

  #skip(bytes: number): number {
    const { at } = this;
    this.at += bytes;
    return at;
  }
}
