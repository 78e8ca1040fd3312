import type { AnswerFault } from './answer-faults.ts';
import { COLON, CR, EQUALS, FIELD_CONTENT, HTAB, LF, SEMICOLON, SP, TOKEN_LOWER } from './characters.ts';

/** What a call of {@link ChunkedDecoder.decode} came to. */
export const CHUNKS_PENDING = 0;
export const CHUNKS_COMPLETE = 1;
export const CHUNKS_MALFORMED = 2;

/**
 * Takes the chunked transfer coding off (RFC 9112, 7.1), in place: the data of all chunks of one read is moved together
 * inside the read buffer, so that a read of many small chunks is still handed on as one piece. May be fed in any split.
 */
export class ChunkedDecoder {
  /** Decoded data of the last call: `dataStart` to `dataEnd` in the same buffer. */
  dataStart = 0;
  dataEnd = 0;
  /** After completion: index of the first byte that is not part of the message. */
  messageEnd = 0;
  fault: AnswerFault = 'chunk_size';

  readonly #overheadBytesMax: number;
  #state = SIZE_START;
  #size = 0;
  #overheadBytes = 0;

  /** @param overheadBytesMax bound on one chunk extension, and on the trailer section */
  constructor(overheadBytesMax: number) {
    this.#overheadBytesMax = overheadBytesMax;
  }

  begin(): void {
    this.#state = SIZE_START;
    this.#size = 0;
    this.#overheadBytes = 0;
  }

  decode(buffer: Buffer, start: number, end: number): number {
    this.dataStart = start;
    this.dataEnd = start;
    let at = start;
    while (at < end) {
      if (this.#state === DATA) {
        const bytes = Math.min(this.#size, end - at);
        this.#gather(buffer, at, at + bytes);
        this.#size -= bytes;
        at += bytes;
        if (this.#size === 0) this.#state = DATA_CR;
        continue;
      }
      const fault = this.#step(buffer[at]!);
      if (fault !== null) {
        this.fault = fault;
        return CHUNKS_MALFORMED;
      }
      at++;
      if (this.#state === DONE) {
        this.messageEnd = at;
        return CHUNKS_COMPLETE;
      }
    }
    return CHUNKS_PENDING;
  }

  #gather(buffer: Buffer, from: number, to: number): void {
    if (this.dataEnd === this.dataStart) {
      this.dataStart = from;
      this.dataEnd = to;
      return;
    }
    buffer.copyWithin(this.dataEnd, from, to);
    this.dataEnd += to - from;
  }

  /** One byte of framing. */
  #step(byte: number): AnswerFault | null {
    switch (this.#state) {
      case SIZE_START:
      case SIZE:
        return this.#stepSize(byte);
      case SIZE_LF:
        if (byte !== LF) return 'bare_carriage_return';
        this.#overheadBytes = 0;
        this.#state = this.#size === 0 ? TRAILER_START : DATA;
        return null;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR ? null : 'chunk_end';
      case DATA_LF:
        this.#state = SIZE_START;
        return byte === LF ? null : 'chunk_end';
      case TRAILER_START:
      case TRAILER_NAME:
      case TRAILER_VALUE:
      case TRAILER_LF:
      case FINAL_LF:
        return this.#stepTrailer(byte);
      default:
        return this.#stepExtension(byte);
    }
  }

  /** RFC 9112, 7.1: 1*HEXDIG; an overflow must be noticed. */
  #stepSize(byte: number): AnswerFault | null {
    const digit = HEX_DIGIT[byte]!;
    if (digit >= 0) {
      const size = this.#state === SIZE_START ? digit : this.#size * 16 + digit;
      if (size > Number.MAX_SAFE_INTEGER || ++this.#overheadBytes > this.#overheadBytesMax)
        return 'chunk_size';
      this.#size = size;
      this.#state = SIZE;
      return null;
    }
    if (this.#state === SIZE_START) return 'chunk_size';
    if (byte === CR) {
      this.#state = SIZE_LF;
      return null;
    }
    if (byte !== SEMICOLON && byte !== SP && byte !== HTAB) {
      return byte === LF ? 'bare_line_feed' : 'chunk_size';
    }
    return this.#stepExtension(byte);
  }

  /** RFC 9112, 7.1.1: read to keep the place, otherwise ignored. */
  #stepExtension(byte: number): AnswerFault | null {
    if (++this.#overheadBytes > this.#overheadBytesMax) return 'chunk_extension_too_large';
    const next = EXTENSION_STEPS[this.#state * CLASSES + EXTENSION_CLASS[byte]!]!;
    if (next === REFUSED) return byte === LF ? 'bare_line_feed' : 'chunk_extension';
    this.#state = next;
    return null;
  }

  /** RFC 9112, 7.1.2: trailers are checked, then dropped, which a recipient may do. */
  #stepTrailer(byte: number): AnswerFault | null {
    if (++this.#overheadBytes > this.#overheadBytesMax) return 'trailers_too_large';
    switch (this.#state) {
      case TRAILER_START:
        if (byte === CR) this.#state = FINAL_LF;
        else if (TOKEN_LOWER[byte] !== 0) this.#state = TRAILER_NAME;
        else return byte === LF ? 'bare_line_feed' : 'trailer';
        return null;
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER_VALUE;
        else if (TOKEN_LOWER[byte] === 0) return byte === LF ? 'bare_line_feed' : 'trailer';
        return null;
      case TRAILER_VALUE:
        if (byte === CR) this.#state = TRAILER_LF;
        else if (FIELD_CONTENT[byte] !== 1) return byte === LF ? 'bare_line_feed' : 'trailer';
        return null;
      default:
        if (byte !== LF) return 'bare_carriage_return';
        this.#state = this.#state === FINAL_LF ? DONE : TRAILER_START;
        return null;
    }
  }
}

const REFUSED = 0;
const SIZE_START = 1;
const SIZE = 2;
const SIZE_LF = 3;
/** White space after the size: only an extension may follow (RFC 9110, 5.6.3: BWS is read and removed). */
const EXTENSION_SPACE = 4;
const EXTENSION_NAME_START = 5;
const EXTENSION_NAME = 6;
const EXTENSION_NAME_END = 7;
const EXTENSION_VALUE_START = 8;
const EXTENSION_VALUE = 9;
const EXTENSION_QUOTED = 10;
const EXTENSION_ESCAPED = 11;
const EXTENSION_QUOTED_END = 12;
const DATA = 13;
const DATA_CR = 14;
const DATA_LF = 15;
const TRAILER_START = 16;
const TRAILER_NAME = 17;
const TRAILER_VALUE = 18;
const TRAILER_LF = 19;
const FINAL_LF = 20;
const DONE = 21;

/** Classes of bytes inside an extension; a byte of none of them is class 0. */
const CLASSES = 9;
const [OTHER, C_TEXT, C_TOKEN, C_SPACE, C_SEMICOLON, C_EQUALS, C_QUOTE, C_BACKSLASH, C_CR] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
const EXTENSION_CLASS = extensionClasses();
const EXTENSION_STEPS = extensionSteps();

const HEX_DIGIT = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

function extensionClasses(): Uint8Array {
  const classes = Uint8Array.from({ length: 256 }, (_, byte) =>
    TOKEN_LOWER[byte] !== 0 ? C_TOKEN : FIELD_CONTENT[byte] === 1 ? C_TEXT : OTHER,
  );
  classes[SP] = C_SPACE;
  classes[HTAB] = C_SPACE;
  classes[SEMICOLON] = C_SEMICOLON;
  classes[EQUALS] = C_EQUALS;
  classes['"'.charCodeAt(0)] = C_QUOTE;
  classes['\\'.charCodeAt(0)] = C_BACKSLASH;
  classes[CR] = C_CR;
  return classes;
}

/** chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ) */
function extensionSteps(): Uint8Array {
  const steps = new Uint8Array((EXTENSION_QUOTED_END + 1) * CLASSES);
  const rows: readonly (readonly [from: number, on: number, to: number])[] = [
    [SIZE, C_SPACE, EXTENSION_SPACE],
    [SIZE, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_SPACE, C_SPACE, EXTENSION_SPACE],
    [EXTENSION_SPACE, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_NAME_START, C_SPACE, EXTENSION_NAME_START],
    [EXTENSION_NAME_START, C_TOKEN, EXTENSION_NAME],
    [EXTENSION_NAME, C_TOKEN, EXTENSION_NAME],
    [EXTENSION_NAME, C_SPACE, EXTENSION_NAME_END],
    [EXTENSION_NAME, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_NAME, C_EQUALS, EXTENSION_VALUE_START],
    [EXTENSION_NAME, C_CR, SIZE_LF],
    [EXTENSION_NAME_END, C_SPACE, EXTENSION_NAME_END],
    [EXTENSION_NAME_END, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_NAME_END, C_EQUALS, EXTENSION_VALUE_START],
    [EXTENSION_VALUE_START, C_SPACE, EXTENSION_VALUE_START],
    [EXTENSION_VALUE_START, C_TOKEN, EXTENSION_VALUE],
    [EXTENSION_VALUE_START, C_QUOTE, EXTENSION_QUOTED],
    [EXTENSION_VALUE, C_TOKEN, EXTENSION_VALUE],
    [EXTENSION_VALUE, C_SPACE, EXTENSION_SPACE],
    [EXTENSION_VALUE, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_VALUE, C_CR, SIZE_LF],
    ...[C_TEXT, C_TOKEN, C_SPACE, C_SEMICOLON, C_EQUALS].map(
      (on) => [EXTENSION_QUOTED, on, EXTENSION_QUOTED] as const,
    ),
    [EXTENSION_QUOTED, C_QUOTE, EXTENSION_QUOTED_END],
    [EXTENSION_QUOTED, C_BACKSLASH, EXTENSION_ESCAPED],
    ...[C_TEXT, C_TOKEN, C_SPACE, C_SEMICOLON, C_EQUALS, C_QUOTE, C_BACKSLASH].map(
      (on) => [EXTENSION_ESCAPED, on, EXTENSION_QUOTED] as const,
    ),
    [EXTENSION_QUOTED_END, C_SPACE, EXTENSION_SPACE],
    [EXTENSION_QUOTED_END, C_SEMICOLON, EXTENSION_NAME_START],
    [EXTENSION_QUOTED_END, C_CR, SIZE_LF],
  ];
  for (const [from, on, to] of rows) steps[from * CLASSES + on] = to;
  return steps;
}
