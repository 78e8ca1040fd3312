import { fourHexDigits } from './strings.ts';

/**
 * Reads the code points of a string that was taken before, with its escapes resolved, and makes no string of it. Names
 * are compared so: `"a"` and `"\u0061"` are the same name (RFC 8259 section 8.3).
 */
export class CodePoints {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;

  /** `start` and `end` are those of the node: both quotes lie within. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start + 1;
    this.#end = end - 1;
  }

  /** The next code point, or {@link NO_CODE_POINT} at the end. */
  next(): number {
    if (this.#at >= this.#end) return NO_CODE_POINT;
    const byte = this.#bytes[this.#at++]!;
    if (byte === 0x5c) return this.#escape();
    if (byte < 0x80) return byte;
    if (byte < 0xe0) return this.#continue(byte & 0x1f, 1);
    if (byte < 0xf0) return this.#continue(byte & 0x0f, 2);
    return this.#continue(byte & 0x07, 3);
  }

  #continue(leadBits: number, more: number): number {
    let point = leadBits;
    for (let i = 0; i < more; i++) point = (point << 6) | (this.#bytes[this.#at++]! & 0x3f);
    return point;
  }

  #escape(): number {
    const letter = this.#bytes[this.#at++]!;
    if (letter !== 0x75) return MEANING[letter]!;
    const unit = this.#unit();
    if (unit < 0xd800 || unit > 0xdbff) return unit;
    this.#at += 2;
    return 0x1_0000 + ((unit - 0xd800) << 10) + (this.#unit() - 0xdc00);
  }

  #unit(): number {
    const unit = fourHexDigits(this.#bytes, this.#at);
    this.#at += 4;
    return unit;
  }
}

export const NO_CODE_POINT = -1;

const NOTHING = new Uint8Array(0);

/** What the letter behind a backslash stands for (RFC 8259 section 7); quote, backslash and slash for themselves. */
const MEANING = Uint8Array.from({ length: 128 }, (_, letter) => letter);
MEANING[0x62] = 0x08;
MEANING[0x66] = 0x0c;
MEANING[0x6e] = 0x0a;
MEANING[0x72] = 0x0d;
MEANING[0x74] = 0x09;
