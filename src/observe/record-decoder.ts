import { type AccessRecord, emptyRecord } from '../pipeline/record.ts';
import { NamesByNumber } from './known-names.ts';
import {
  ABORTED,
  alignFrame,
  CACHE_MASK,
  CACHE_OUTCOMES,
  CACHE_SHIFT,
  FIXED_BYTES,
  FORMAT_VERSION,
  FORMER_VERSION,
  FRAME_BYTES_MAX,
  FRAME_BYTES_MIN,
  fixedBytesOf,
  type GroupNumbers,
  HAS_PARTS,
  NUMBERS_AT,
  OWN_TEXTS,
  PLAIN,
  type RecordFrame,
  readGroupNumbers,
  SAMPLED,
  TELLS_CALLER,
  TELLS_DECISION,
  TELLS_ROUTE,
  type TextForm,
  TOKENS_FROM,
  TOKENS_MASK,
  TOKENS_SHIFT,
  VERSION_MASK,
} from './record-format.ts';
import {
  CALLER_FIELDS,
  CALLER_NAMES,
  type CallerNames,
  DECISION_FIELDS,
  DECISION_NAMES,
  type DecisionNames,
  ROUTE_FIELDS,
  ROUTE_NAMES,
  type RouteNames,
} from './record-names.ts';

/** Reads frames. What it reads may be damaged: every length is checked before it is used. */
export class RecordDecoder implements RecordFrame {
  readonly bytes: Buffer;
  texts: TextForm = 'any';
  routeNames: RouteNames = ROUTE_NAMES.pick(emptyRecord());
  callerNames: CallerNames = CALLER_NAMES.pick(emptyRecord());
  decisionNames: DecisionNames = DECISION_NAMES.pick(emptyRecord());
  start = 0;
  textStart = 0;
  requestIdBytes = 0;
  traceIdBytes = 0;
  parentSpanBytes = 0;
  pathBytes = 0;
  /** The record read last; overwritten by the next call. */
  readonly record: AccessRecord;
  readonly #lengths: Uint16Array;
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  readonly #routes = new NamesByNumber(ROUTE_NAMES);
  readonly #callers = new NamesByNumber(CALLER_NAMES);
  readonly #decisions = new NamesByNumber(DECISION_NAMES);
  readonly #shared = new Map<string, string>();
  readonly #numbers: GroupNumbers = { route: 0, caller: 0, decision: 0 };
  #cursor = 0;
  #nextLength = 0;

  constructor(memory: ArrayBufferLike, byteOffset: number, byteLength: number) {
    this.bytes = Buffer.from(memory as ArrayBuffer, byteOffset, byteLength);
    this.#lengths = new Uint16Array(memory, byteOffset, byteLength >> 1);
    this.#int32 = new Int32Array(memory, byteOffset, byteLength >> 2);
    this.#float64 = new Float64Array(memory, byteOffset, byteLength >> 3);
    this.record = this.#recordOfTexts();
  }

  /** Fills {@link record} from the frame at `at`, which ends before `limit`. Its length in bytes, or 0 when it is damaged. */
  decode(at: number, limit: number): number {
    const int32 = this.#int32;
    const word = at >> 2;
    if (at + FRAME_BYTES_MIN > limit) return 0;
    const frameBytes = int32[word]!;
    const flags = int32[word + 1]!;
    const version = flags & VERSION_MASK;
    const lists = int32[word + 4]!;
    const textBytes = int32[word + 5]!;
    const denied = lists & 0xff;
    const shadowed = (lists >> 8) & 0xff;
    const waived = (lists >> 16) & 0xff;
    const warned = lists >>> 24;
    const texts = OWN_TEXTS + denied + shadowed + waived + warned + textsOfNames(flags);
    const hasParts = (flags & HAS_PARTS) !== 0;
    const fixedBytes = fixedBytesOf(flags);
    const textStart = at + fixedBytes + 2 * texts;
    const sound =
      (version === FORMAT_VERSION || version === FORMER_VERSION) &&
      frameBytes <= FRAME_BYTES_MAX &&
      at + frameBytes <= limit &&
      textBytes >= 0 &&
      alignFrame(textStart + textBytes - at) === frameBytes &&
      this.#textLengthsAddUp((at + fixedBytes) >> 1, texts, textBytes);
    if (!sound) return 0;
    this.start = at;
    this.texts = (flags & PLAIN) === 0 ? 'any' : 'plain';
    this.#openTexts((at + fixedBytes) >> 1, textStart);
    const record = this.record;
    record.status = int32[word + 2]!;
    record.attempts = int32[word + 3]!;
    record.clientAborted = (flags & ABORTED) !== 0;
    record.traceSampled = (flags & SAMPLED) !== 0;
    record.tokensFrom = TOKENS_FROM[(flags >> TOKENS_SHIFT) & TOKENS_MASK]!;
    record.cache = CACHE_OUTCOMES[(flags >> CACHE_SHIFT) & CACHE_MASK]!;
    record.cachedTokens = hasParts ? this.#float64[(at + FIXED_BYTES) >> 3]! : -1;
    record.reasoningTokens = hasParts ? this.#float64[((at + FIXED_BYTES) >> 3) + 1]! : -1;
    record.alsoDenied = this.#takeList(denied);
    record.shadowDenied = this.#takeList(shadowed);
    record.waivedRules = this.#takeList(waived);
    record.warnedRules = this.#takeList(warned);
    this.#takeNumbers(record, (at + NUMBERS_AT) >> 3);
    readGroupNumbers(int32[word + 6]!, int32[word + 7]!, version, this.#numbers);
    return this.#takeNames(flags) ? frameBytes : 0;
  }

  /** A frame was lost, and with it perhaps names: no number means anything until it is told again. */
  forgetNames(): void {
    this.#routes.forget();
    this.#callers.forget();
    this.#decisions.forget();
  }

  /** The names that numbers stand for, where frames don't tell them. */
  presetNames(
    routes: readonly RouteNames[],
    callers: readonly CallerNames[],
    decisions: readonly DecisionNames[],
  ): void {
    for (const [number, names] of routes.entries()) this.#routes.set(number, names);
    for (const [number, names] of callers.entries()) this.#callers.set(number, names);
    for (const [number, names] of decisions.entries()) this.#decisions.set(number, names);
  }

  /** Its own texts are made when, and each time, they are asked for: the log copies their bytes instead. */
  #recordOfTexts(): AccessRecord {
    const property = (get: () => string) => ({ get, enumerable: true });
    return Object.defineProperties(emptyRecord(), {
      requestId: property(() => this.#text(0, this.requestIdBytes)),
      traceId: property(() => this.#text(this.requestIdBytes, this.traceIdBytes)),
      parentSpanId: property(() => this.#text(this.requestIdBytes + this.traceIdBytes, this.parentSpanBytes)),
      path: property(() => this.#text(this.#beforePath(), this.pathBytes)),
    });
  }

  #beforePath(): number {
    return this.requestIdBytes + this.traceIdBytes + this.parentSpanBytes;
  }

  #text(from: number, bytes: number): string {
    const start = this.textStart + from;
    return this.bytes.toString('utf8', start, start + bytes);
  }

  #textLengthsAddUp(first: number, count: number, textBytes: number): boolean {
    if (first + count > this.#lengths.length) return false;
    let sum = 0;
    for (let index = 0; index < count; index++) sum += this.#lengths[first + index]!;
    return sum === textBytes;
  }

  /** The record's own texts stay bytes until somebody asks for them. */
  #openTexts(firstLength: number, textStart: number): void {
    const lengths = this.#lengths;
    this.textStart = textStart;
    this.requestIdBytes = lengths[firstLength]!;
    this.traceIdBytes = lengths[firstLength + 1]!;
    this.parentSpanBytes = lengths[firstLength + 2]!;
    this.pathBytes = lengths[firstLength + 3]!;
    this.#nextLength = firstLength + OWN_TEXTS;
    this.#cursor = textStart + this.#beforePath() + this.pathBytes;
  }

  #takeNumbers(record: AccessRecord, first: number): void {
    const float64 = this.#float64;
    record.timeMs = float64[first]!;
    record.inputTokens = float64[first + 1]!;
    record.outputTokens = float64[first + 2]!;
    record.costNano = float64[first + 3]!;
    record.requestBytes = float64[first + 4]!;
    record.responseBytes = float64[first + 5]!;
    record.decidedUs = float64[first + 6]!;
    record.dispatchedUs = float64[first + 7]!;
    record.firstByteUs = float64[first + 8]!;
    record.finishedUs = float64[first + 9]!;
  }

  /** False for a number that was never told: the frame that told it has been lost. */
  #takeNames(flags: number): boolean {
    const { route: routeAt, caller: callerAt, decision: decisionAt } = this.#numbers;
    if ((flags & TELLS_ROUTE) !== 0 && !this.#routes.set(routeAt, this.#takeRoute())) return false;
    if ((flags & TELLS_CALLER) !== 0 && !this.#callers.set(callerAt, this.#takeCaller())) return false;
    if ((flags & TELLS_DECISION) !== 0 && !this.#decisions.set(decisionAt, this.#takeDecision()))
      return false;
    const route = this.#routes.get(routeAt);
    const caller = this.#callers.get(callerAt);
    const decided = this.#decisions.get(decisionAt);
    if (route === undefined || caller === undefined || decided === undefined) return false;
    this.#useNames(route, caller, decided);
    return true;
  }

  /** Texts in the order of the fields: written out, because these are made anew where more are in use than are known at a time. */
  #takeRoute(): RouteNames {
    return {
      route: this.#take(),
      routeVersion: this.#takeShared(),
      configurationHash: this.#takeShared(),
    };
  }

  #takeCaller(): CallerNames {
    return {
      tenant: this.#takeShared(),
      team: this.#takeShared(),
      consumer: this.#takeShared(),
      credential: this.#takeShared(),
      person: this.#take(),
    };
  }

  #takeDecision(): DecisionNames {
    return {
      method: this.#takeShared(),
      decidingRule: this.#takeShared(),
      code: this.#takeShared(),
      fault: this.#take(),
      target: this.#takeShared(),
      model: this.#takeShared(),
      providerKey: this.#takeShared(),
    };
  }

  /** A text that many groups have: held once. */
  #takeShared(): string {
    const text = this.#take();
    if (text === '') return text;
    const known = this.#shared.get(text);
    if (known !== undefined) return known;
    if (this.#shared.size === SHARED_TEXTS_MAX) this.#shared.clear();
    this.#shared.set(text, text);
    return text;
  }

  #useNames(route: RouteNames, caller: CallerNames, decided: DecisionNames): void {
    const { record } = this;
    if (route !== this.routeNames) for (const field of ROUTE_FIELDS) record[field] = route[field];
    if (caller !== this.callerNames) for (const field of CALLER_FIELDS) record[field] = caller[field];
    if (decided !== this.decisionNames) for (const field of DECISION_FIELDS) record[field] = decided[field];
    this.routeNames = route;
    this.callerNames = caller;
    this.decisionNames = decided;
  }

  #takeList(count: number): readonly string[] {
    if (count === 0) return NO_TEXTS;
    const texts: string[] = [];
    for (let index = 0; index < count; index++) texts.push(this.#take());
    return texts;
  }

  #take(): string {
    const start = this.#cursor;
    this.#cursor = start + this.#lengths[this.#nextLength++]!;
    return this.bytes.toString('utf8', start, this.#cursor);
  }
}

function textsOfNames(flags: number): number {
  return (
    ((flags & TELLS_ROUTE) === 0 ? 0 : ROUTE_FIELDS.length) +
    ((flags & TELLS_CALLER) === 0 ? 0 : CALLER_FIELDS.length) +
    ((flags & TELLS_DECISION) === 0 ? 0 : DECISION_FIELDS.length)
  );
}

const NO_TEXTS: readonly string[] = Object.freeze([]);
const SHARED_TEXTS_MAX = 2_048;
