import type { AccessRecord } from '../pipeline/record.ts';
import { KnownNames } from './known-names.ts';
import {
  ABORTED,
  alignFrame,
  CACHE_OUTCOMES,
  CACHE_SHIFT,
  FIXED_BYTES,
  FORMAT_VERSION,
  HAS_PARTS,
  LIST_ITEMS_MAX,
  NAME_UNITS_MAX,
  NUMBERS_AT,
  OWN_TEXTS,
  PARTS_BYTES,
  PATH_UNITS_MAX,
  PLAIN,
  ROUTE_BITS,
  SAMPLED,
  TELLS_CALLER,
  TELLS_DECISION,
  TELLS_ROUTE,
  TOKENS_FROM,
  TOKENS_SHIFT,
  UTF8_BYTES_PER_UNIT_MAX,
} from './record-format.ts';
import {
  CALLER_FIELDS,
  CALLER_NAMES,
  DECISION_FIELDS,
  DECISION_NAMES,
  ROUTE_FIELDS,
  ROUTE_NAMES,
} from './record-names.ts';

type NameField = (typeof ROUTE_FIELDS | typeof CALLER_FIELDS | typeof DECISION_FIELDS)[number];

/** Writes frames into a region of 8-byte aligned memory. */
export class RecordEncoder {
  readonly #bytes: Uint8Array;
  readonly #lengths: Uint16Array;
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  readonly #utf8 = new TextEncoder();
  /** `encodeInto` takes no shared memory everywhere, and must not write past the room that is left. */
  readonly #scratch = new Uint8Array(PATH_UNITS_MAX * UTF8_BYTES_PER_UNIT_MAX);
  #cursor = 0;
  #limit = 0;
  #nextLength = 0;
  #plain = true;
  #overrun = false;
  readonly #routes = new KnownNames(ROUTE_NAMES);
  readonly #callers = new KnownNames(CALLER_NAMES);
  readonly #decisions = new KnownNames(DECISION_NAMES);

  constructor(memory: SharedArrayBuffer, byteOffset: number, byteLength: number) {
    this.#bytes = new Uint8Array(memory, byteOffset, byteLength);
    this.#lengths = new Uint16Array(memory, byteOffset, byteLength >> 1);
    this.#int32 = new Int32Array(memory, byteOffset, byteLength >> 2);
    this.#float64 = new Float64Array(memory, byteOffset, byteLength >> 3);
  }

  /**
   * Writes one frame at `at`, using nothing from `limit` on (both multiples of 8). Its length in bytes, or 0 when it does
   * not fit.
   */
  encode(record: AccessRecord, at: number, limit: number): number {
    const denied = Math.min(record.alsoDenied.length, LIST_ITEMS_MAX);
    const shadowed = Math.min(record.shadowDenied.length, LIST_ITEMS_MAX);
    const waived = Math.min(record.waivedRules.length, LIST_ITEMS_MAX);
    const warned = Math.min(record.warnedRules.length, LIST_ITEMS_MAX);
    const knownRoute = this.#routes.find(record);
    const knownCaller = this.#callers.find(record);
    const knownDecision = this.#decisions.find(record);
    const texts =
      OWN_TEXTS +
      denied +
      shadowed +
      waived +
      warned +
      (knownRoute < 0 ? ROUTE_FIELDS.length : 0) +
      (knownCaller < 0 ? CALLER_FIELDS.length : 0) +
      (knownDecision < 0 ? DECISION_FIELDS.length : 0);
    const hasParts = record.cachedTokens !== -1 || record.reasoningTokens !== -1;
    const fixedBytes = hasParts ? FIXED_BYTES + PARTS_BYTES : FIXED_BYTES;
    const textStart = at + fixedBytes + 2 * texts;
    if (textStart > limit) return 0;
    this.#cursor = textStart;
    this.#limit = limit;
    this.#nextLength = (at + fixedBytes) >> 1;
    this.#plain = true;
    this.#overrun = false;
    this.#put(record.requestId, NAME_UNITS_MAX);
    this.#put(record.traceId, NAME_UNITS_MAX);
    this.#put(record.parentSpanId, NAME_UNITS_MAX);
    this.#put(record.path, PATH_UNITS_MAX);
    const plain = this.#plain;
    this.#putList(record.alsoDenied, denied);
    this.#putList(record.shadowDenied, shadowed);
    this.#putList(record.waivedRules, waived);
    this.#putList(record.warnedRules, warned);
    if (knownRoute < 0) this.#putNames(record, ROUTE_FIELDS);
    if (knownCaller < 0) this.#putNames(record, CALLER_FIELDS);
    if (knownDecision < 0) this.#putNames(record, DECISION_FIELDS);
    if (this.#overrun) return 0;
    const frameBytes = alignFrame(this.#cursor - at);
    const int32 = this.#int32;
    const word = at >> 2;
    int32[word] = frameBytes;
    int32[word + 1] =
      FORMAT_VERSION |
      (record.clientAborted ? ABORTED : 0) |
      (plain ? PLAIN : 0) |
      (record.traceSampled ? SAMPLED : 0) |
      (record.tokensFrom === '' ? 0 : TOKENS_FROM.indexOf(record.tokensFrom) << TOKENS_SHIFT) |
      (hasParts ? HAS_PARTS : 0) |
      (record.cache === '' ? 0 : CACHE_OUTCOMES.indexOf(record.cache) << CACHE_SHIFT) |
      (knownRoute < 0 ? TELLS_ROUTE : 0) |
      (knownCaller < 0 ? TELLS_CALLER : 0) |
      (knownDecision < 0 ? TELLS_DECISION : 0);
    int32[word + 2] = record.status;
    int32[word + 3] = record.attempts;
    int32[word + 4] = denied | (shadowed << 8) | (waived << 16) | (warned << 24);
    int32[word + 5] = this.#cursor - textStart;
    const route = knownRoute < 0 ? this.#routes.add(record) : knownRoute;
    const caller = knownCaller < 0 ? this.#callers.add(record) : knownCaller;
    const decision = knownDecision < 0 ? this.#decisions.add(record) : knownDecision;
    int32[word + 6] = route | (decision << ROUTE_BITS);
    int32[word + 7] = caller;
    this.#putNumbers(record, (at + NUMBERS_AT) >> 3);
    if (hasParts) {
      this.#float64[(at + FIXED_BYTES) >> 3] = record.cachedTokens;
      this.#float64[((at + FIXED_BYTES) >> 3) + 1] = record.reasoningTokens;
    }
    return frameBytes;
  }

  /** The next frames carry their names again. */
  forgetNames(): void {
    this.#routes.forget();
    this.#callers.forget();
    this.#decisions.forget();
  }

  #putNumbers(record: AccessRecord, first: number): void {
    const float64 = this.#float64;
    float64[first] = record.timeMs;
    float64[first + 1] = record.inputTokens;
    float64[first + 2] = record.outputTokens;
    float64[first + 3] = record.costNano;
    float64[first + 4] = record.requestBytes;
    float64[first + 5] = record.responseBytes;
    float64[first + 6] = record.decidedUs;
    float64[first + 7] = record.dispatchedUs;
    float64[first + 8] = record.firstByteUs;
    float64[first + 9] = record.finishedUs;
  }

  #putNames(record: AccessRecord, fields: readonly NameField[]): void {
    for (const field of fields) this.#put(record[field], NAME_UNITS_MAX);
  }

  #putList(texts: readonly string[], count: number): void {
    for (let index = 0; index < count; index++) this.#put(texts[index]!, NAME_UNITS_MAX);
  }

  #put(text: string, unitsMax: number): void {
    const units = text.length <= unitsMax ? text.length : cutAt(text, unitsMax);
    const start = this.#cursor;
    if (start + units > this.#limit) {
      this.#overrun = true;
      return;
    }
    const bytes = this.#bytes;
    let index = 0;
    for (; index < units; index++) {
      const unit = text.charCodeAt(index);
      if (unit < SPACE || unit > TILDE || unit === QUOTE || unit === BACKSLASH) break;
      bytes[start + index] = unit;
    }
    const length = index === units ? units : this.#putAny(text, units, start, index);
    this.#lengths[this.#nextLength++] = length;
    this.#cursor = start + length;
  }

  /** The rest of a text that is not plain. */
  #putAny(text: string, units: number, start: number, from: number): number {
    this.#plain = false;
    for (let index = from; index < units; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return this.#putUnicode(text, units, start);
      this.#bytes[start + index] = unit;
    }
    return units;
  }

  #putUnicode(text: string, units: number, start: number): number {
    const { written } = this.#utf8.encodeInto(text.slice(0, units), this.#scratch);
    if (start + written > this.#limit) {
      this.#overrun = true;
      return 0;
    }
    for (let index = 0; index < written; index++) this.#bytes[start + index] = this.#scratch[index]!;
    return written;
  }
}

/** Where to cut a text so that no surrogate pair is split. */
function cutAt(text: string, unitsMax: number): number {
  const last = text.charCodeAt(unitsMax - 1);
  return last >= 0xd800 && last <= 0xdbff ? unitsMax - 1 : unitsMax;
}

const SPACE = 0x20;
const TILDE = 0x7e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
