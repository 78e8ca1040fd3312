import type { AnswerFault } from './answer-faults.ts';
import { COLON, CR, EQUALS, FIELD_CONTENT, HTAB, LF, SP, TOKEN_LOWER } from './characters.ts';
import {
  CONNECTION,
  CONTENT_LENGTH,
  DROPPED,
  findName,
  hashStep,
  KEEP_ALIVE,
  KEPT,
  KNOWN_NAMES,
  NAME_ROLES,
  TRANSFER_ENCODING,
} from './field-names.ts';

export const INCOMPLETE = 0;
export const MALFORMED = -1;

/**
 * Reads one status line with its field section (RFC 9112, 4 and 5) from bytes that hold it whole. One instance serves
 * all connections of a thread: what it found is to be read before the next call.
 */
export class ResponseHeadReader {
  status = 0;
  /** Minor HTTP version, 0 or 1. */
  minorVersion = 1;
  /** Value of Content-Length, or -1. */
  contentLength = -1;
  /** 1 when the transfer coding is `chunked`. */
  chunked = 0;
  /** Connection options that matter here (RFC 9112, 9.3). */
  closeAsked = 0;
  keepAliveAsked = 0;
  /** From `Keep-Alive: timeout=…`, or -1. */
  keepAliveMs = -1;
  fault: AnswerFault = 'status_line';

  /** Five numbers a field that is passed on: known name or -1, name start and end, value start and end. */
  #spans = new Int32Array(5 * 64);
  #spanCount = 0;
  /** Start and end of Connection values that name more than `close` or `keep-alive`. */
  readonly #connectionSpans: number[] = [];

  /** Index after the empty line; {@link INCOMPLETE} when the bytes end before it; {@link MALFORMED} with `fault`. */
  read(buffer: Buffer, start: number, end: number): number {
    this.contentLength = -1;
    this.chunked = 0;
    this.closeAsked = 0;
    this.keepAliveAsked = 0;
    this.keepAliveMs = -1;
    this.#spanCount = 0;
    if (this.#connectionSpans.length > 0) this.#connectionSpans.length = 0;
    const fieldsAt = this.#readStatusLine(buffer, start, end);
    if (fieldsAt <= 0) return fieldsAt;
    if (fieldsAt < end && isSpace(buffer[fieldsAt]!)) return this.#fail('space_before_fields');
    return this.#readFields(buffer, fieldsAt, end);
  }

  /** The fields to pass on, of the head just read: lower-case name, value, … */
  takeFields(buffer: Buffer): string[] {
    const spans = this.#spans;
    const count = this.#spanCount;
    const fields: string[] = [];
    if (count === 0) return fields;
    // One conversion for the whole section: a crossing into C++ costs more than the bytes in between.
    const base = spans[1]!;
    const text = buffer.toString('latin1', base, spans[count - 1]!);
    for (let at = 0; at < count; at += 5) {
      const known = spans[at]!;
      const name =
        known >= 0
          ? KNOWN_NAMES[known]!
          : text.slice(spans[at + 1]! - base, spans[at + 2]! - base).toLowerCase();
      fields.push(name, text.slice(spans[at + 3]! - base, spans[at + 4]! - base));
    }
    return this.#connectionSpans.length === 0 ? fields : this.#withoutNominated(buffer, fields);
  }

  #fail(fault: AnswerFault): number {
    this.fault = fault;
    return MALFORMED;
  }

  /** RFC 9112, 4. The space before an absent reason phrase is often forgotten, and harmless: it may be absent. */
  #readStatusLine(buffer: Buffer, start: number, end: number): number {
    const available = Math.min(end - start, VERSION_PREFIX.length);
    for (let at = 0; at < available; at++) {
      if (buffer[start + at] !== VERSION_PREFIX[at]) {
        return this.#fail(at < PROTOCOL_NAME_BYTES ? 'status_line' : 'http_version');
      }
    }
    if (end - start < STATUS_LINE_BEGINNING.length) return this.#readBeginning(buffer, start, end);
    const minor = buffer[start + 7]! - 0x30;
    if ((minor !== 0 && minor !== 1) || buffer[start + 8] !== SP) return this.#fail('http_version');
    const status = threeDigits(buffer, start + 9);
    if (status < 100 || status > 599) return this.#fail('status_code');
    let at = start + 12;
    if (buffer[at] !== SP && buffer[at] !== CR) {
      return this.#fail(buffer[at] === LF ? 'bare_line_feed' : 'status_code');
    }
    while (at < end && FIELD_CONTENT[buffer[at]!] === 1) at++;
    if (at < end && buffer[at] !== CR) {
      return this.#fail(buffer[at] === LF ? 'bare_line_feed' : 'reason_phrase');
    }
    if (at + 1 >= end) return INCOMPLETE;
    if (buffer[at + 1] !== LF) return this.#fail('bare_carriage_return');
    this.status = status;
    this.minorVersion = minor;
    return at + 2;
  }

  /** Too few bytes for a status code: judged as if the rest were right. */
  #readBeginning(buffer: Buffer, start: number, end: number): number {
    const completed = Buffer.from(STATUS_LINE_BEGINNING);
    buffer.copy(completed, 0, start, end);
    return this.#readStatusLine(completed, 0, completed.length) === MALFORMED ? MALFORMED : INCOMPLETE;
  }

  #readFields(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (buffer[at] === CR) {
        if (at + 1 >= end) return INCOMPLETE;
        return buffer[at + 1] === LF ? at + 2 : this.#fail('bare_carriage_return');
      }
      const nameStart = at;
      let hash = 0;
      let lower = 0;
      while (at < end) {
        lower = TOKEN_LOWER[buffer[at]!]!;
        if (lower === 0) break;
        hash = hashStep(hash, lower);
        at++;
      }
      if (at >= end) return INCOMPLETE;
      if (buffer[at] !== COLON || at === nameStart) return this.#fail(nameFault(buffer, nameStart, at));
      const nameEnd = at++;
      while (at < end && isSpace(buffer[at]!)) at++;
      const valueStart = at;
      while (at < end && FIELD_CONTENT[buffer[at]!] === 1) at++;
      if (at >= end) return INCOMPLETE;
      if (buffer[at] !== CR) return this.#fail(buffer[at] === LF ? 'bare_line_feed' : 'field_value');
      if (at + 1 >= end) return INCOMPLETE;
      if (buffer[at + 1] !== LF) return this.#fail('bare_carriage_return');
      let valueEnd = at;
      while (valueEnd > valueStart && isSpace(buffer[valueEnd - 1]!)) valueEnd--;
      const known = findName(buffer, nameStart, nameEnd, hash);
      const role = known < 0 ? KEPT : NAME_ROLES[known]!;
      if (role === KEPT) this.#keep(known, nameStart, nameEnd, valueStart, valueEnd);
      else if (role !== DROPPED && !this.#understand(role, buffer, valueStart, valueEnd)) return MALFORMED;
      at += 2;
    }
    return INCOMPLETE;
  }

  #keep(known: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    let spans = this.#spans;
    const at = this.#spanCount;
    if (at === spans.length) {
      this.#spans = new Int32Array(spans.length * 2);
      this.#spans.set(spans);
      spans = this.#spans;
    }
    spans[at] = known;
    spans[at + 1] = nameStart;
    spans[at + 2] = nameEnd;
    spans[at + 3] = valueStart;
    spans[at + 4] = valueEnd;
    this.#spanCount = at + 5;
  }

  /** Fields about framing and the connection. False after a fault. */
  #understand(role: number, buffer: Buffer, start: number, end: number): boolean {
    switch (role) {
      case CONTENT_LENGTH:
        return this.#readContentLength(buffer, start, end);
      case TRANSFER_ENCODING:
        if (this.chunked === 0 && equalsIgnoringCase(buffer, start, end, 'chunked')) {
          this.chunked = 1;
          return true;
        }
        this.fault = 'transfer_coding';
        return false;
      case KEEP_ALIVE:
        this.keepAliveMs = keepAliveTimeoutMs(buffer, start, end);
        return true;
      case CONNECTION:
        if (equalsIgnoringCase(buffer, start, end, 'keep-alive')) this.keepAliveAsked = 1;
        else if (equalsIgnoringCase(buffer, start, end, 'close')) this.closeAsked = 1;
        else this.#readConnectionList(buffer, start, end);
        return true;
      default:
        return true;
    }
  }

  /**
   * RFC 9110, 8.6: digits only. A second field is refused even when it says the same, as RFC 9112, 6.3 allows:
   * whoever sends two has been tampered with more often than not.
   */
  #readContentLength(buffer: Buffer, start: number, end: number): boolean {
    if (this.contentLength >= 0) {
      this.fault = 'content_length_repeated';
      return false;
    }
    this.fault = 'content_length';
    if (start === end) return false;
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = buffer[at]! - 0x30;
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
      if (value > Number.MAX_SAFE_INTEGER) return false;
    }
    this.contentLength = value;
    return true;
  }

  #readConnectionList(buffer: Buffer, start: number, end: number): void {
    for (const option of connectionOptions(buffer, start, end)) {
      if (option === 'close') this.closeAsked = 1;
      else if (option === 'keep-alive') this.keepAliveAsked = 1;
    }
    this.#connectionSpans.push(start, end);
  }

  /** RFC 9110, 7.6.1: a field named in Connection is for this hop only. */
  #withoutNominated(buffer: Buffer, fields: readonly string[]): string[] {
    const nominated = new Set<string>();
    const spans = this.#connectionSpans;
    for (let at = 0; at < spans.length; at += 2) {
      for (const option of connectionOptions(buffer, spans[at]!, spans[at + 1]!)) nominated.add(option);
    }
    const kept: string[] = [];
    for (let at = 0; at < fields.length; at += 2) {
      if (!nominated.has(fields[at]!)) kept.push(fields[at]!, fields[at + 1]!);
    }
    return kept;
  }
}

const VERSION_PREFIX = Buffer.from('HTTP/1.');
const PROTOCOL_NAME_BYTES = 5;
/** What has to be there before a status code can be judged. */
const STATUS_LINE_BEGINNING = Buffer.from('HTTP/1.1 200 ');

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function threeDigits(buffer: Buffer, at: number): number {
  const hundreds = buffer[at]! - 0x30;
  const tens = buffer[at + 1]! - 0x30;
  const ones = buffer[at + 2]! - 0x30;
  if (hundreds < 0 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1;
  return hundreds * 100 + tens * 10 + ones;
}

/** Why the byte at `at`, which is not a tchar, cannot end the name that began at `nameStart`. */
function nameFault(buffer: Buffer, nameStart: number, at: number): AnswerFault {
  const byte = buffer[at]!;
  if (byte === LF) return 'bare_line_feed';
  if (isSpace(byte)) return at === nameStart ? 'obsolete_folding' : 'space_before_colon';
  return 'field_name';
}

function equalsIgnoringCase(buffer: Buffer, start: number, end: number, lowerCase: string): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let at = 0; at < lowerCase.length; at++) {
    if (TOKEN_LOWER[buffer[start + at]!] !== lowerCase.charCodeAt(at)) return false;
  }
  return true;
}

function connectionOptions(buffer: Buffer, start: number, end: number): string[] {
  return buffer
    .toString('latin1', start, end)
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
}

/** `timeout=5, max=100`, as servers send it since RFC 2068, 19.7.1.1. Read from bytes: many answers carry it. */
function keepAliveTimeoutMs(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const nameStart = at;
    while (at < end && TOKEN_LOWER[buffer[at]!] !== 0) at++;
    if (at + 1 < end && buffer[at] === EQUALS && equalsIgnoringCase(buffer, nameStart, at, 'timeout')) {
      return wholeSeconds(buffer, at + 1, end) * 1000;
    }
  }
  return -1;
}

/** Decimal digits from `start` on; capped, because nobody keeps a connection for a year. */
function wholeSeconds(buffer: Buffer, start: number, end: number): number {
  let seconds = 0;
  for (let at = start; at < end && buffer[at]! >= 0x30 && buffer[at]! <= 0x39; at++) {
    seconds = Math.min(seconds * 10 + buffer[at]! - 0x30, 31_536_000);
  }
  return seconds;
}
