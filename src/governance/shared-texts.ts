/**
 * Texts in memory that every thread reads: written once by the control thread, never changed, found by their place. A place is
 * counted in words of 32 bits; a text begins with its length in bytes.
 */
import { assert } from '../base/assert.ts';

const WORD_BYTES = 4;
/** In word 0; what a place of 0 would lead to. */
const FIRST_WORD = 1;

export function createSharedTexts(bytesMax: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.ceil(bytesMax / WORD_BYTES) * WORD_BYTES);
}

export class SharedTexts {
  protected readonly bytes: Buffer;
  protected readonly words: Uint32Array;

  constructor(memory: SharedArrayBuffer) {
    this.bytes = Buffer.from(memory);
    this.words = new Uint32Array(memory);
  }

  /** What was written there. */
  read(place: number): string {
    const start = (place + 1) * WORD_BYTES;
    return this.bytes.toString('utf8', start, start + this.words[place]!);
  }

  /** Whether an ASCII text lies there, without making a text of it. */
  isAscii(place: number, text: string): boolean {
    if (this.words[place] !== text.length) return false;
    const start = (place + 1) * WORD_BYTES;
    for (let at = 0; at < text.length; at++) if (this.bytes[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }
}

/** The control thread's: the only one that writes. */
export class WritableTexts extends SharedTexts {
  #used = FIRST_WORD;

  /** The place, or null when there is no room. To be told to other threads through an atomic store. */
  write(text: string): number | null {
    const place = this.#used;
    const start = (place + 1) * WORD_BYTES;
    // No text is measured first where the most that it can need is there.
    const fits = start + text.length * UTF8_BYTES_MAX <= this.bytes.length;
    const length = fits ? 0 : Buffer.byteLength(text);
    if (start + length > this.bytes.length) return null;
    const written = this.bytes.write(text, start);
    assert(fits || written === length, 'a text is written whole');
    this.words[place] = written;
    this.#used = place + 1 + Math.ceil(written / WORD_BYTES);
    return place;
  }

  /** For short texts that are bytes already, such as names of keys: a call of `Buffer` costs more than their characters. */
  writeBytes(prefix: string, bytes: Uint8Array, from: number, end: number): number | null {
    const place = this.#used;
    const start = (place + 1) * WORD_BYTES;
    const length = prefix.length + end - from;
    if (start + length > this.bytes.length) return null;
    for (let at = 0; at < prefix.length; at++) this.bytes[start + at] = prefix.charCodeAt(at);
    for (let at = from; at < end; at++) this.bytes[start + prefix.length + at - from] = bytes[at]!;
    this.words[place] = length;
    this.#used = place + 1 + Math.ceil(length / WORD_BYTES);
    return place;
  }

  get usedBytes(): number {
    return this.#used * WORD_BYTES;
  }
}

/** Of one unit of a string. */
const UTF8_BYTES_MAX = 3;
