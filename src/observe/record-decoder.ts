import { type AccessRecord, emptyRecord } from '../pipeline/record.ts';
import {
  ABORTED,
  ASCII,
  alignFrame,
  FIXED_BYTES,
  FORMAT_VERSION,
  FRAME_BYTES_MAX,
  FRAME_BYTES_MIN,
  PLAIN,
  SCALAR_TEXTS,
  type TextForm,
  VERSION_MASK,
} from './record-format.ts';

/** Reads frames. What it reads may be damaged: every length is checked before it is used. */
export class RecordDecoder {
  readonly #bytes: Buffer;
  readonly #lengths: Uint16Array;
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  /** The record read last; overwritten by the next call, so that a batch allocates only its texts. */
  readonly record: AccessRecord = emptyRecord();
  /** Of all texts of {@link record}. */
  texts: TextForm = 'any';
  #text = '';
  #ascii = true;
  #cursor = 0;
  #nextLength = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number, byteLength: number) {
    this.#bytes = Buffer.from(memory, byteOffset, byteLength);
    this.#lengths = new Uint16Array(memory, byteOffset, byteLength >> 1);
    this.#int32 = new Int32Array(memory, byteOffset, byteLength >> 2);
    this.#float64 = new Float64Array(memory, byteOffset, byteLength >> 3);
  }

  /** Fills {@link record} from the frame at `at`, which ends before `limit`. Its length in bytes, or 0 when it is damaged. */
  decode(at: number, limit: number): number {
    const int32 = this.#int32;
    const word = at >> 2;
    if (at + FRAME_BYTES_MIN > limit) return 0;
    const frameBytes = int32[word]!;
    const flags = int32[word + 1]!;
    const lists = int32[word + 4]!;
    const textBytes = int32[word + 5]!;
    const denied = lists & 0xff;
    const shadowed = (lists >> 8) & 0xff;
    const waived = (lists >> 16) & 0xff;
    const warned = lists >>> 24;
    const texts = SCALAR_TEXTS + denied + shadowed + waived + warned;
    const textStart = at + FIXED_BYTES + 2 * texts;
    const sound =
      (flags & VERSION_MASK) === FORMAT_VERSION &&
      frameBytes <= FRAME_BYTES_MAX &&
      at + frameBytes <= limit &&
      textBytes >= 0 &&
      alignFrame(textStart + textBytes - at) === frameBytes &&
      this.#textLengthsAddUp((at + FIXED_BYTES) >> 1, texts, textBytes);
    if (!sound) return 0;
    this.#openTexts(at, textStart, textBytes, (flags & ASCII) !== 0);
    this.texts = (flags & PLAIN) === 0 ? 'any' : 'plain';
    const record = this.record;
    record.status = int32[word + 2]!;
    record.attempts = int32[word + 3]!;
    record.clientAborted = (flags & ABORTED) !== 0;
    this.#takeNumbers(record, (at + 24) >> 3);
    this.#takeTexts(record);
    record.alsoDenied = this.#takeList(denied);
    record.shadowDenied = this.#takeList(shadowed);
    record.waivedRules = this.#takeList(waived);
    record.warnedRules = this.#takeList(warned);
    return frameBytes;
  }

  #textLengthsAddUp(first: number, count: number, textBytes: number): boolean {
    if (first + count > this.#lengths.length) return false;
    let sum = 0;
    for (let index = 0; index < count; index++) sum += this.#lengths[first + index]!;
    return sum === textBytes;
  }

  #openTexts(at: number, textStart: number, textBytes: number, ascii: boolean): void {
    this.#nextLength = (at + FIXED_BYTES) >> 1;
    this.#ascii = ascii;
    this.#text = ascii ? this.#bytes.toString('latin1', textStart, textStart + textBytes) : '';
    this.#cursor = ascii ? 0 : textStart;
  }

  #takeNumbers(record: AccessRecord, first: number): void {
    const float64 = this.#float64;
    record.timeMs = float64[first]!;
    record.inputTokens = float64[first + 1]!;
    record.outputTokens = float64[first + 2]!;
    record.costNanoUsd = float64[first + 3]!;
    record.requestBytes = float64[first + 4]!;
    record.responseBytes = float64[first + 5]!;
    record.decidedUs = float64[first + 6]!;
    record.dispatchedUs = float64[first + 7]!;
    record.firstByteUs = float64[first + 8]!;
    record.finishedUs = float64[first + 9]!;
  }

  #takeTexts(record: AccessRecord): void {
    record.requestId = this.#take();
    record.traceId = this.#take();
    record.tenant = this.#take();
    record.team = this.#take();
    record.consumer = this.#take();
    record.credential = this.#take();
    record.person = this.#take();
    record.method = this.#take();
    record.path = this.#take();
    record.route = this.#take();
    record.routeVersion = this.#take();
    record.configurationHash = this.#take();
    record.code = this.#take();
    record.decidingRule = this.#take();
    record.model = this.#take();
    record.target = this.#take();
    record.providerKey = this.#take();
  }

  #takeList(count: number): readonly string[] {
    if (count === 0) return NO_TEXTS;
    const texts: string[] = [];
    for (let index = 0; index < count; index++) texts.push(this.#take());
    return texts;
  }

  #take(): string {
    const length = this.#lengths[this.#nextLength++]!;
    if (length === 0) return '';
    const start = this.#cursor;
    this.#cursor = start + length;
    return this.#ascii
      ? this.#text.slice(start, start + length)
      : this.#bytes.toString('utf8', start, start + length);
  }
}

const NO_TEXTS: readonly string[] = Object.freeze([]);
