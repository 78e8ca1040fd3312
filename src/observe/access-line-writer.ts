import type { AccessRecord } from '../pipeline/record.ts';
import {
  ATTEMPTS,
  accessLine,
  CACHED_TOKENS,
  COST,
  callerFields,
  DECIDED,
  DISPATCHED,
  decisionFields,
  endFields,
  FINISHED,
  FIRST_BYTE,
  INPUT_TOKENS,
  json,
  LINE_END,
  LINE_START,
  OUTPUT_TOKENS,
  PATH,
  REASONING_TOKENS,
  REQUEST_BYTES,
  REQUEST_ID,
  RESPONSE_BYTES,
  routeFields,
  ruleFields,
  STATUS,
  TOKENS_FROM,
  TRACE_ID,
} from './access-line.ts';
import { FRAME_BYTES_MAX, type RecordFrame } from './record-format.ts';

/**
 * Writes access lines into bytes, from the bytes of the ring: no text is made for an ordinary record, and the fields of its
 * names are written once per group of names. What a line says is defined by `accessLine`. Four bytes at a time, which
 * takes a quarter less CPU than byte by byte (bench/RESULTS.md).
 */
export class AccessLineWriter {
  readonly #bytes: Buffer;
  readonly #words: DataView;
  #at = 0;
  /** Of the frames before: all those of one ring lie in one memory. */
  #source: Uint8Array = NOTHING;
  #sourceWords: DataView = new DataView(new ArrayBuffer(0));
  readonly #routeFields = new WrittenOnce(routeFields);
  readonly #callerFields = new WrittenOnce(callerFields);
  readonly #decisionFields = new WrittenOnce(decisionFields);
  #timeMs = Number.NaN;
  #timeText = new Piece(NOTHING);

  /** A chunk is to be taken when this many bytes are there, before the next line is written. */
  constructor(chunkBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(chunkBytes + LINE_BYTES_MAX);
    this.#words = new DataView(this.#bytes.buffer);
  }

  /** Bytes written since the last chunk was taken. */
  get length(): number {
    return this.#at;
  }

  /** All lines written since the last call. The bytes are the caller's. */
  takeChunk(): Buffer {
    const chunk = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return chunk;
  }

  write(record: AccessRecord, frame: RecordFrame | null): void {
    if (frame === null || frame.texts !== 'plain') {
      this.#addText(accessLine(record));
      return;
    }
    this.#open(frame.bytes);
    this.#add(START);
    this.#addTime(record.timeMs);
    this.#add(this.#routeFields.of(frame.routeNames));
    this.#add(this.#callerFields.of(frame.callerNames));
    this.#add(this.#decisionFields.of(frame.decisionNames));
    const traceId = frame.textStart + frame.requestIdBytes;
    const traceEnd = traceId + frame.traceIdBytes;
    const path = traceEnd + frame.parentSpanBytes;
    this.#addQuoted(BEFORE_PATH, path, path + frame.pathBytes);
    this.#addNumber(BEFORE_STATUS, record.status);
    this.#addNumber(BEFORE_REQUEST_BYTES, record.requestBytes);
    this.#addNumber(BEFORE_RESPONSE_BYTES, record.responseBytes);
    this.#addQuoted(BEFORE_REQUEST_ID, frame.textStart, traceId);
    this.#addNumber(BEFORE_ATTEMPTS, record.attempts);
    if (frame.traceIdBytes > 0) this.#addQuoted(BEFORE_TRACE_ID, traceId, traceEnd);
    if (record.decidedUs !== -1) this.#addNumber(BEFORE_DECIDED, record.decidedUs);
    if (record.dispatchedUs !== -1) this.#addNumber(BEFORE_DISPATCHED, record.dispatchedUs);
    if (record.firstByteUs !== -1) this.#addNumber(BEFORE_FIRST_BYTE, record.firstByteUs);
    this.#addNumber(BEFORE_FINISHED, record.finishedUs);
    if (hasRuleFields(record)) this.#addText(ruleFields(record));
    if (record.inputTokens !== -1) this.#addNumber(BEFORE_INPUT_TOKENS, record.inputTokens);
    if (record.outputTokens !== -1) this.#addNumber(BEFORE_OUTPUT_TOKENS, record.outputTokens);
    if (record.cachedTokens !== -1) this.#addNumber(BEFORE_CACHED_TOKENS, record.cachedTokens);
    if (record.reasoningTokens !== -1) this.#addNumber(BEFORE_REASONING_TOKENS, record.reasoningTokens);
    if (record.tokensFrom !== '') this.#add(FROM[record.tokensFrom]);
    if (record.costNano !== -1) this.#addNumber(BEFORE_COST, record.costNano);
    if (record.cache !== '' || record.clientAborted) this.#addText(endFields(record));
    this.#add(END);
  }

  #open(source: Uint8Array): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#sourceWords = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  #addTime(timeMs: number): void {
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      this.#timeText = new Piece(Buffer.from(json(timeMs)));
    }
    this.#add(this.#timeText);
  }

  /** A loop: for pieces as short as these it costs less than a call of `set`. The last word may run over into what comes next. */
  #add({ words, length }: Piece): void {
    const target = this.#words;
    const at = this.#at;
    for (let index = 0; index < words.length; index++) target.setInt32(at + 4 * index, words[index]!, true);
    this.#at = at + length;
  }

  #addQuoted(before: Piece, start: number, end: number): void {
    this.#add(before);
    const bytes = this.#bytes;
    const source = this.#source;
    let at = this.#at;
    bytes[at++] = QUOTE;
    let index = start;
    for (; index + 4 <= end; index += 4) {
      this.#words.setInt32(at, this.#sourceWords.getInt32(index, true), true);
      at += 4;
    }
    for (; index < end; index++) bytes[at++] = source[index]!;
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  #addNumber(before: Piece, value: number): void {
    this.#add(before);
    if (value >= 0 && value <= 0x3fffffff && value === (value | 0)) this.#addDigits(value);
    else this.#addText(json(value));
  }

  #addDigits(value: number): void {
    const bytes = this.#bytes;
    let digits = 1;
    for (let bound = 10; bound <= value; bound *= 10) digits++;
    let rest = value | 0;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#at += digits;
  }

  #addText(text: string): void {
    this.#at += this.#bytes.write(text, this.#at);
  }
}

/** Bytes that are written again and again, as words of four; the last one is filled up with zeros. */
class Piece {
  readonly length: number;
  readonly words: Int32Array;

  constructor(bytes: Uint8Array) {
    const { length } = bytes;
    this.length = length;
    const words = new Int32Array((length + 3) >> 2);
    for (let index = 0; index < length; index++) words[index >> 2]! |= bytes[index]! << ((index & 3) << 3);
    this.words = words;
  }
}

/** Fields of a group of names, in bytes: kept for as long as the group is known. */
class WrittenOnce<Names extends object> {
  readonly #fieldsOf: (names: Names) => string;
  readonly #written = new WeakMap<Names, Piece>();
  #lastNames: Names | null = null;
  #lastFields = new Piece(NOTHING);

  constructor(fieldsOf: (names: Names) => string) {
    this.#fieldsOf = fieldsOf;
  }

  of(names: Names): Piece {
    if (names === this.#lastNames) return this.#lastFields;
    let fields = this.#written.get(names);
    if (fields === undefined) {
      fields = new Piece(Buffer.from(this.#fieldsOf(names)));
      this.#written.set(names, fields);
    }
    this.#lastNames = names;
    this.#lastFields = fields;
    return fields;
  }
}

function hasRuleFields(record: AccessRecord): boolean {
  return (
    record.alsoDenied.length > 0 ||
    record.shadowDenied.length > 0 ||
    record.waivedRules.length > 0 ||
    record.warnedRules.length > 0
  );
}

/** JSON writes one byte as six at most (`\u001f`); numbers and what stands before them fit in the rest. */
const LINE_BYTES_MAX = 6 * FRAME_BYTES_MAX + 2_048;
const NOTHING: Buffer = Buffer.alloc(0);
const QUOTE = 0x22;
const ZERO = 0x30;

function pieceOf(text: string): Piece {
  return new Piece(Buffer.from(text));
}

const START = pieceOf(LINE_START);
const BEFORE_PATH = pieceOf(PATH);
const BEFORE_STATUS = pieceOf(STATUS);
const BEFORE_REQUEST_BYTES = pieceOf(REQUEST_BYTES);
const BEFORE_RESPONSE_BYTES = pieceOf(RESPONSE_BYTES);
const BEFORE_REQUEST_ID = pieceOf(REQUEST_ID);
const BEFORE_ATTEMPTS = pieceOf(ATTEMPTS);
const BEFORE_TRACE_ID = pieceOf(TRACE_ID);
const BEFORE_DECIDED = pieceOf(DECIDED);
const BEFORE_DISPATCHED = pieceOf(DISPATCHED);
const BEFORE_FIRST_BYTE = pieceOf(FIRST_BYTE);
const BEFORE_FINISHED = pieceOf(FINISHED);
const BEFORE_INPUT_TOKENS = pieceOf(INPUT_TOKENS);
const BEFORE_OUTPUT_TOKENS = pieceOf(OUTPUT_TOKENS);
const BEFORE_CACHED_TOKENS = pieceOf(CACHED_TOKENS);
const BEFORE_REASONING_TOKENS = pieceOf(REASONING_TOKENS);
const FROM = {
  provider: pieceOf(TOKENS_FROM.provider),
  bound: pieceOf(TOKENS_FROM.bound),
  counted: pieceOf(TOKENS_FROM.counted),
} as const;
const BEFORE_COST = pieceOf(COST);
const END = pieceOf(LINE_END);
