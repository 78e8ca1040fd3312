/**
 * The cells of one dimension of one period as bytes: uint32 format, uint32 cells; for each the name (uint16 bytes, UTF-8), uint8
 * number of sums and the sums as float64, uint8 number of histograms and for each its greatest value (uint32), uint16 filled
 * buckets, and those as uint16 and uint32. All little-endian.
 */
import type { LogLinearHistogram } from '../log-linear-histogram.ts';
import { ROLLUP_SUMS, RollupCell } from './rollup-cell.ts';

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
  try {
    return readCells(new Reader(bytes));
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

function readCells(reader: Reader): Map<string, RollupCell> | null {
  if (reader.uint32() !== FORMAT) return null;
  const cells = new Map<string, RollupCell>();
  for (let left = reader.uint32(); left > 0; left--) {
    const name = reader.text();
    const cell = new RollupCell();
    const sums = reader.uint8();
    for (let index = 0; index < sums; index++) {
      const value = reader.float64();
      const sum = ROLLUP_SUMS[index];
      if (sum !== undefined) cell.sums[sum] = value;
    }
    const histograms = reader.uint8();
    for (let index = 0; index < histograms; index++) readHistogram(reader, cell.histograms[index]);
    cells.set(name, cell);
  }
  return cells;
}

function readHistogram(reader: Reader, histogram: LogLinearHistogram | undefined): void {
  const max = reader.uint32();
  const filled: [number, number][] = [];
  for (let left = reader.uint16(); left > 0; left--) filled.push([reader.uint16(), reader.uint32()]);
  histogram?.restore(filled, max);
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
  #at = 0;

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
    const at = this.#skip(bytes);
    if (this.#at > this.#buffer.length) throw new RangeError('the text is cut short');
    return this.#buffer.toString('utf8', at, this.#at);
  }

  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
