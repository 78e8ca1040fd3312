import type { AnswerFault } from './answer-faults.ts';
import { CR, LF } from './characters.ts';
import { CHUNKS_COMPLETE, CHUNKS_MALFORMED, ChunkedDecoder } from './chunked-decoder.ts';
import { MALFORMED, type ResponseHeadReader } from './response-head.ts';

/** What one read came to: a sum of these. A fault comes alone, and hides what else the read held. */
export const PENDING = 0;
export const HEAD = 1;
export const DATA = 2;
export const LAST = 4;
export const FAULT = 8;

/**
 * Incremental, strict parser of the answers on one connection (RFC 9112, 4–7). Each read yields at most one event: the
 * head with what follows it, or one piece of the body. Chunked bodies are decoded inside the read buffer.
 */
export class ResponseParser {
  // -- of the final head, valid from HEAD on
  status = 0;
  fields: readonly string[] = NO_FIELDS;
  /** Content-Length, or -1. */
  bodyBytes = -1;
  hasBody = true;
  /** Nobody can see whether the body is whole. */
  untilClose = false;
  keepAliveMs = -1;
  /** After LAST: whether the connection may carry another exchange. */
  reusable = false;
  // -- of the last read
  bodyStart = 0;
  bodyEnd = 0;
  fault: AnswerFault = 'status_line';
  /** Whether any byte of an answer to the current request has arrived. */
  started = false;

  readonly #reader: ResponseHeadReader;
  readonly #headBytesMax: number;
  readonly #chunks: ChunkedDecoder;
  #state: number = DONE;
  #isHead = false;
  #remaining = 0;
  /** Bytes of 1xx heads before the final one: they count against the same bound, which makes a flood end. */
  #interimBytes = 0;

  // -- an incomplete head, copied out of the shared buffer
  #held: Buffer | null = null;
  #heldBytes = 0;
  /** How much of CR LF CR LF the held bytes end with. */
  #endMatched = 0;
  /** Held bytes at which an unfinished head is judged again: doubling keeps a trickled head linear. */
  #judgeAt = 0;

  constructor(reader: ResponseHeadReader, headBytesMax: number) {
    this.#reader = reader;
    this.#headBytesMax = headBytesMax;
    this.#chunks = new ChunkedDecoder(headBytesMax);
  }

  /** A request was sent: the next bytes are its answer. */
  begin(method: string): void {
    this.#isHead = method === 'HEAD';
    this.#state = IN_HEAD;
    this.started = false;
    this.reusable = false;
    this.#interimBytes = 0;
    this.#dropHeld();
  }

  read(buffer: Buffer, start: number, end: number): number {
    this.started = true;
    this.bodyStart = start;
    this.bodyEnd = start;
    if (this.#state !== IN_HEAD) return this.#readBody(buffer, start, end, PENDING);
    return this.#held === null ? this.#readHead(buffer, start, end) : this.#continueHead(buffer, start, end);
  }

  /** The peer closed: LAST for a body that ends so, FAULT for a malformed beginning, PENDING for a cut answer. */
  end(): number {
    this.bodyStart = 0;
    this.bodyEnd = 0;
    if (this.#state === UNTIL_CLOSE) {
      this.#state = DONE;
      return LAST;
    }
    if (this.#held !== null && this.#reader.read(this.#held, 0, this.#heldBytes) === MALFORMED) {
      return this.#fail(this.#reader.fault);
    }
    return PENDING;
  }

  #fail(fault: AnswerFault): number {
    this.fault = fault;
    this.#state = DONE;
    this.#dropHeld();
    return FAULT;
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    let from = start;
    while (from < end) {
      const headEnd = this.#reader.read(buffer, from, end);
      if (headEnd === MALFORMED) return this.#fail(this.#reader.fault);
      if (headEnd <= 0) return this.#hold(buffer, from, end);
      if (this.#interimBytes + headEnd - from > this.#headBytesMax) return this.#fail('head_too_large');
      if (this.#reader.status >= 200) return this.#acceptHead(buffer, buffer, headEnd, end);
      const fault = this.#interimFault(headEnd - from);
      if (fault !== null) return this.#fail(fault);
      from = headEnd;
    }
    return PENDING;
  }

  /** 1xx answers are read past (RFC 9110, 15.2). */
  #interimFault(headBytes: number): AnswerFault | null {
    this.#interimBytes += headBytes;
    if (this.#reader.minorVersion === 0) return 'interim_in_http_1_0';
    return this.#reader.status === 101 ? 'switching_protocols' : null;
  }

  /** RFC 9112, 6.3, in its order. `headBuffer` holds the head, `buffer` what follows it from `start` on. */
  #acceptHead(headBuffer: Buffer, buffer: Buffer, start: number, end: number): number {
    const reader = this.#reader;
    if (reader.chunked === 1) {
      if (reader.contentLength >= 0) return this.#fail('length_and_coding');
      if (reader.minorVersion === 0) return this.#fail('coding_in_http_1_0');
    }
    const status = reader.status;
    this.status = status;
    this.fields = reader.takeFields(headBuffer);
    this.keepAliveMs = reader.keepAliveMs;
    this.hasBody = !(this.#isHead || status === 204 || status === 304);
    // RFC 9110, 8.6: a 204 has no Content-Length; one that is there says nothing.
    this.untilClose = this.hasBody && reader.chunked !== 1 && reader.contentLength < 0;
    this.bodyBytes = status === 204 ? -1 : reader.contentLength;
    // RFC 9112, 9.3.
    this.reusable = reader.closeAsked === 0 && (reader.minorVersion === 1 || reader.keepAliveAsked === 1);
    if (!this.hasBody) {
      this.#state = NO_BODY;
    } else if (reader.chunked === 1) {
      this.#state = CHUNKED;
      this.#chunks.begin();
    } else if (reader.contentLength >= 0) {
      this.#state = BY_LENGTH;
      this.#remaining = reader.contentLength;
    } else {
      this.#state = UNTIL_CLOSE;
      this.reusable = false;
    }
    return this.#readBody(buffer, start, end, HEAD);
  }

  #readBody(buffer: Buffer, start: number, end: number, before: number): number {
    switch (this.#state) {
      case NO_BODY:
        return this.#complete(before, start, end);
      case BY_LENGTH: {
        const bytes = Math.min(this.#remaining, end - start);
        this.#remaining -= bytes;
        const progress = this.#piece(before, start, start + bytes);
        return this.#remaining === 0 ? this.#complete(progress, start + bytes, end) : progress;
      }
      case CHUNKED: {
        const outcome = this.#chunks.decode(buffer, start, end);
        if (outcome === CHUNKS_MALFORMED) return this.#fail(this.#chunks.fault);
        const progress = this.#piece(before, this.#chunks.dataStart, this.#chunks.dataEnd);
        return outcome === CHUNKS_COMPLETE
          ? this.#complete(progress, this.#chunks.messageEnd, end)
          : progress;
      }
      case UNTIL_CLOSE:
        return this.#piece(before, start, end);
      default:
        // RFC 9112, 9.2: bytes that answer no request are no answer.
        this.reusable = false;
        return before;
    }
  }

  #piece(before: number, start: number, end: number): number {
    this.bodyStart = start;
    this.bodyEnd = end;
    return end > start ? before | DATA : before;
  }

  #complete(progress: number, messageEnd: number, end: number): number {
    this.#state = DONE;
    if (messageEnd < end) this.reusable = false;
    return progress | LAST;
  }

  #hold(buffer: Buffer, start: number, end: number): number {
    this.#held = Buffer.allocUnsafe(Math.max(HELD_BYTES_MIN, end - start));
    this.#judgeAt = Math.max(HELD_BYTES_MIN, 2 * (end - start));
    this.#append(buffer, start, end);
    return this.#interimBytes + this.#heldBytes > this.#headBytesMax ? this.#fail('head_too_large') : PENDING;
  }

  /** Bytes for a head begun in an earlier read: they are added up to its end, where the body begins. */
  #continueHead(buffer: Buffer, start: number, end: number): number {
    const headEnd = this.#append(buffer, start, end);
    if (this.#interimBytes + this.#heldBytes > this.#headBytesMax) return this.#fail('head_too_large');
    const held = this.#held!;
    if (headEnd < 0) {
      if (this.#heldBytes < this.#judgeAt) return PENDING;
      this.#judgeAt = 2 * this.#heldBytes;
      return this.#reader.read(held, 0, this.#heldBytes) === MALFORMED
        ? this.#fail(this.#reader.fault)
        : PENDING;
    }
    if (this.#reader.read(held, 0, this.#heldBytes) === MALFORMED) return this.#fail(this.#reader.fault);
    const heldBytes = this.#heldBytes;
    this.#dropHeld();
    if (this.#reader.status >= 200) return this.#acceptHead(held, buffer, headEnd, end);
    const fault = this.#interimFault(heldBytes);
    return fault !== null ? this.#fail(fault) : this.#readHead(buffer, headEnd, end);
  }

  /** Copies bytes up to the end of the head. Index after it in `buffer`, or -1 when it is not there. */
  #append(buffer: Buffer, start: number, end: number): number {
    let at = start;
    let matched = this.#endMatched;
    while (at < end && matched < 4) {
      const byte = buffer[at++]!;
      if (byte === CR) matched = matched === 2 ? 3 : 1;
      else if (byte === LF && (matched === 1 || matched === 3)) matched++;
      else matched = 0;
    }
    this.#endMatched = matched;
    const bytes = at - start;
    let held = this.#held!;
    if (this.#heldBytes + bytes > held.length) {
      const larger = Buffer.allocUnsafe(2 * (this.#heldBytes + bytes));
      held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
      held = larger;
    }
    buffer.copy(held, this.#heldBytes, start, at);
    this.#heldBytes += bytes;
    return matched === 4 ? at : -1;
  }

  #dropHeld(): void {
    this.#held = null;
    this.#heldBytes = 0;
    this.#endMatched = 0;
  }
}

const NO_FIELDS: readonly string[] = Object.freeze([]);
const HELD_BYTES_MIN = 512;

const DONE = 0;
const IN_HEAD = 1;
const NO_BODY = 2;
const BY_LENGTH = 3;
const CHUNKED = 4;
const UNTIL_CLOSE = 5;
