/**
 * Many access records as one value of the history: their frames as the ring had them, and the names that these refer to, each
 * once. A record costs a copy of some hundred bytes; a block stands for itself, so old ones can go in any order.
 *
 * Layout: uint32 bytes of the head, uint32 0, the head (JSON, padded with spaces to a multiple of 8), the frames.
 */
import type { AccessRecord } from '../../pipeline/record.ts';
import { RecordDecoder } from '../record-decoder.ts';
import { RecordEncoder } from '../record-encoder.ts';
import {
  alignFrame,
  FRAME_BYTES_MAX,
  fixedBytesOf,
  OWN_TEXTS,
  type RecordFrame,
  ROUTE_BITS,
  TELLS_CALLER,
  TELLS_DECISION,
  TELLS_ROUTE,
} from '../record-format.ts';
import {
  CALLER_NAMES,
  type CallerNames,
  DECISION_NAMES,
  type DecisionNames,
  ROUTE_NAMES,
  type RouteNames,
} from '../record-names.ts';

/** A block is closed before it grows beyond this; it can hold one record of any size. */
export const BLOCK_FRAMES_BYTES = 256 * 1024;
/** Numbers of decisions have twelve bits; a record of a block may bring one of each. */
const BLOCK_RECORDS_MAX = 4_000;

interface BlockHead {
  readonly records: number;
  /** Least and greatest arrival. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly routes: readonly RouteNames[];
  readonly callers: readonly CallerNames[];
  readonly decisions: readonly DecisionNames[];
}

export class RecordBlockWriter {
  readonly #memory = new SharedArrayBuffer(BLOCK_FRAMES_BYTES);
  readonly #bytes = new Uint8Array(this.#memory);
  readonly #int32 = new Int32Array(this.#memory);
  readonly #uint16 = new Uint16Array(this.#memory);
  readonly #encoder = new RecordEncoder(this.#memory, 0, BLOCK_FRAMES_BYTES);
  #source: Uint8Array = this.#bytes;
  #sourceWords: Int32Array = this.#int32;
  readonly #routes = new Numbered<RouteNames>();
  readonly #callers = new Numbered<CallerNames>();
  readonly #decisions = new Numbered<DecisionNames>();
  #at = 0;
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;
  records = 0;

  /** Of all frames so far. */
  get frameBytes(): number {
    return this.#at;
  }

  /** False when there is no room: the block is to be closed, and the record to be put into the next one. */
  add(record: AccessRecord, frame: RecordFrame | null): boolean {
    if (this.#at + FRAME_BYTES_MAX > BLOCK_FRAMES_BYTES || this.records >= BLOCK_RECORDS_MAX) return false;
    if (frame === null) this.#encode(record);
    else this.#copy(frame);
    this.#fromMs = Math.min(this.#fromMs, record.timeMs);
    this.#toMs = Math.max(this.#toMs, record.timeMs);
    this.records++;
    return true;
  }

  /** The block as it is now; more may be added. */
  block(): Uint8Array {
    const head = Buffer.from(
      `{"records":${this.records},"fromMs":${finite(this.#fromMs)},"toMs":${finite(this.#toMs)},` +
        `"routes":${this.#routes.json()},"callers":${this.#callers.json()},"decisions":${this.#decisions.json()}}`,
    );
    const headBytes = alignFrame(head.length);
    const block = Buffer.alloc(8 + headBytes + this.#at, ' ');
    block.writeUInt32LE(headBytes, 0);
    block.writeUInt32LE(0, 4);
    head.copy(block, 8);
    block.set(this.#bytes.subarray(0, this.#at), 8 + headBytes);
    return block;
  }

  clear(): void {
    this.#at = this.records = 0;
    this.#fromMs = Number.POSITIVE_INFINITY;
    this.#toMs = Number.NEGATIVE_INFINITY;
    this.#routes.clear();
    this.#callers.clear();
    this.#decisions.clear();
  }

  /** All but the names that the frame tells, which stand behind everything else. */
  #copy(frame: RecordFrame): void {
    const { bytes, start, textStart } = frame;
    const source = this.#wordsOf(bytes);
    const to = this.#at;
    const lists = source[(start >> 2) + 4]!;
    const texts =
      OWN_TEXTS + (lists & 0xff) + ((lists >> 8) & 0xff) + ((lists >> 16) & 0xff) + (lists >>> 24);
    const fixedBytes = fixedBytesOf(source[(start >> 2) + 1]!);
    const lengthsEnd = fixedBytes + 2 * texts;
    let frameBytes: number;
    if (textStart === start + lengthsEnd) {
      // Nearly all tell no names: a loop, for calls of `set` and the views that they want cost twice as much.
      frameBytes = source[start >> 2]!;
      const words = this.#int32;
      for (let word = 0; word < frameBytes >> 2; word++)
        words[(to >> 2) + word] = source[(start >> 2) + word]!;
    } else {
      frameBytes = this.#copyWithoutNames(frame, fixedBytes, texts);
    }
    const word = to >> 2;
    this.#int32[word] = frameBytes;
    this.#int32[word + 1]! &= ~(TELLS_ROUTE | TELLS_CALLER | TELLS_DECISION);
    this.#number(word, frame.routeNames, frame.callerNames, frame.decisionNames);
    this.#at = to + frameBytes;
  }

  /** Answers the length of what it has made of the frame. */
  #copyWithoutNames({ bytes, start, textStart }: RecordFrame, fixedBytes: number, texts: number): number {
    const to = this.#at;
    const lengthsEnd = fixedBytes + 2 * texts;
    this.#bytes.set(bytes.subarray(start, start + lengthsEnd), to);
    let textBytes = 0;
    for (let text = 0; text < texts; text++) textBytes += this.#uint16[((to + fixedBytes) >> 1) + text]!;
    this.#bytes.set(bytes.subarray(textStart, textStart + textBytes), to + lengthsEnd);
    this.#int32[(to >> 2) + 5] = textBytes;
    return alignFrame(lengthsEnd + textBytes);
  }

  /** Frames of one ring lie in one memory. */
  #wordsOf(bytes: Uint8Array): Int32Array {
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceWords = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    }
    return this.#sourceWords;
  }

  /** A record that came through no ring. */
  #encode(record: AccessRecord): void {
    const to = this.#at;
    this.#encoder.forgetNames();
    const limit = Math.min(BLOCK_FRAMES_BYTES, to + FRAME_BYTES_MAX);
    this.#encoder.encode(record, to, limit);
    const decoder = new RecordDecoder(this.#memory, 0, BLOCK_FRAMES_BYTES);
    decoder.decode(to, limit);
    const copied = this.#bytes.slice(to, limit);
    const names = [ROUTE_NAMES.pick(record), CALLER_NAMES.pick(record), DECISION_NAMES.pick(record)] as const;
    this.#copy({
      ...decoder,
      bytes: copied,
      start: 0,
      textStart: decoder.textStart - to,
      routeNames: names[0],
      callerNames: names[1],
      decisionNames: names[2],
    });
  }

  #number(word: number, route: RouteNames, caller: CallerNames, decision: DecisionNames): void {
    this.#int32[word + 6] = this.#routes.of(route) | (this.#decisions.of(decision) << ROUTE_BITS);
    this.#int32[word + 7] = this.#callers.of(caller);
  }
}

/** JSON knows no Infinity. */
function finite(ms: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, ms));
}

/** Groups of names by the order in which a block met them. */
class Numbered<Names extends object> {
  readonly #numbers = new Map<Names, number>();
  #last: Names | null = null;
  #lastNumber = 0;

  of(names: Names): number {
    if (names === this.#last) return this.#lastNumber;
    let number = this.#numbers.get(names);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(names, number);
    }
    this.#last = names;
    this.#lastNumber = number;
    return number;
  }

  json(): string {
    const texts: string[] = [];
    for (const names of this.#numbers.keys()) texts.push(jsonOf(names));
    return `[${texts.join(',')}]`;
  }

  clear(): void {
    this.#numbers.clear();
    this.#last = null;
  }
}

/** Groups are written with each block that refers to them: their text is made once. */
const JSON_OF = new WeakMap<object, string>();
function jsonOf(names: object): string {
  let text = JSON_OF.get(names);
  if (text === undefined) {
    text = JSON.stringify(names);
    JSON_OF.set(names, text);
  }
  return text;
}

/** A block to be read. Null where it is none: it was written by another version. */
export function openBlock(block: Uint8Array): RecordBlock | null {
  if (block.byteLength < 8) return null;
  // Views of numbers want aligned memory, which a value of the file need not have.
  const memory = new ArrayBuffer(block.byteLength);
  const bytes = Buffer.from(memory);
  bytes.set(block);
  const headBytes = bytes.readUInt32LE(0);
  const framesAt = 8 + headBytes;
  if (headBytes % 8 !== 0 || framesAt > bytes.length) return null;
  try {
    return new RecordBlock(JSON.parse(bytes.toString('utf8', 8, framesAt)) as BlockHead, memory, framesAt);
  } catch {
    return null;
  }
}

export class RecordBlock {
  readonly head: BlockHead;
  readonly #memory: ArrayBuffer;
  readonly #framesAt: number;

  constructor(head: BlockHead, memory: ArrayBuffer, framesAt: number) {
    this.head = head;
    this.#memory = memory;
    this.#framesAt = framesAt;
  }

  /** Whether these bytes occur in it at all: much faster than looking at each record. */
  mentions(text: string): boolean {
    return Buffer.from(this.#memory).includes(text);
  }

  /** Its records, oldest first. The record is overwritten by the next one. */
  read(accept: (record: AccessRecord, frame: RecordFrame) => void): void {
    const decoder = new RecordDecoder(this.#memory, this.#framesAt, this.#memory.byteLength - this.#framesAt);
    decoder.presetNames(this.head.routes, this.head.callers, this.head.decisions);
    const end = this.#memory.byteLength - this.#framesAt;
    for (let at = 0; at < end; ) {
      const bytes = decoder.decode(at, end);
      if (bytes === 0) return;
      accept(decoder.record, decoder);
      at += bytes;
    }
  }
}

/** A record to keep: the one that was read is overwritten by the next. */
export function copyRecord(record: AccessRecord): AccessRecord {
  return { ...record };
}
