/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, reference C code `halfsiphash.c`): the keyed hash of
 * counter keys. It reads the UTF-16 code units of a string in place, so that hashing on the request path allocates
 * nothing; the key is secret to the data folder, so that nobody can aim for collisions.
 */

export interface HashPair {
  high: number;
  low: number;
}

export type HashKey = (tag: string, text: string, into: HashPair) => void;

export const HASH_SECRET_BYTES = 8;

/**
 * The hash of (tag, text) under `secret` (8 bytes). The message is the number of code units of the tag as 32 bits, then
 * the code units of the tag, then those of the text, all little-endian: no two pairs share a message.
 * `low` holds the first 32 bits of the output, `high` the second, both as signed integers.
 */
export function createHashKey(secret: Uint8Array): HashKey {
  if (secret.length !== HASH_SECRET_BYTES) throw new RangeError('the hash secret must have 8 bytes');
  const view = new DataView(secret.buffer, secret.byteOffset, HASH_SECRET_BYTES);
  const key0 = view.getInt32(0, true);
  const key1 = view.getInt32(4, true);
  const state = new SipState();
  return (tag, text, into) => {
    state.begin(key0, key1);
    state.compress(tag.length);
    const pending = state.absorb(tag, NO_UNIT);
    const tail = state.absorb(text, pending);
    const messageBytes = 4 + 2 * (tag.length + text.length);
    state.finish((messageBytes << 24) | (tail === NO_UNIT ? 0 : tail), into);
  };
}

/**
 * Folds a further part into a composite key. Both are already pseudo-random, so an unkeyed mix is enough; the order of the
 * parts matters. `into` and `part` may be the same object.
 */
export function combineKey(into: HashPair, part: Readonly<HashPair>): void {
  const high = into.high;
  const low = into.low;
  MIXER.v0 = high;
  MIXER.v1 = low;
  MIXER.v2 = part.high ^ 0x6c79_6765;
  MIXER.v3 = part.low ^ 0x7465_6462;
  MIXER.rounds(4);
  // Fed forward, so that the step cannot be run backwards.
  into.high = MIXER.v0 ^ MIXER.v2 ^ high;
  into.low = MIXER.v1 ^ MIXER.v3 ^ low;
}

const NO_UNIT = -1;

class SipState {
  v0 = 0;
  v1 = 0;
  v2 = 0;
  v3 = 0;

  begin(key0: number, key1: number): void {
    this.v0 = key0;
    this.v1 = key1 ^ 0xee;
    this.v2 = 0x6c79_6765 ^ key0;
    this.v3 = 0x7465_6462 ^ key1;
  }

  /** Takes in code units two at a time; answers the one left over, or {@link NO_UNIT}. */
  absorb(text: string, pending: number): number {
    let at = 0;
    let left = pending;
    if (left !== NO_UNIT && text.length > 0) {
      this.compress(left | (text.charCodeAt(0) << 16));
      left = NO_UNIT;
      at = 1;
    }
    for (; at + 1 < text.length; at += 2) {
      this.compress(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
    }
    return at < text.length ? text.charCodeAt(at) : left;
  }

  compress(block: number): void {
    this.v3 ^= block;
    this.rounds(2);
    this.v0 ^= block;
  }

  finish(lastBlock: number, into: HashPair): void {
    this.compress(lastBlock);
    this.v2 ^= 0xee;
    this.rounds(4);
    into.low = this.v1 ^ this.v3;
    this.v1 ^= 0xdd;
    this.rounds(4);
    into.high = this.v1 ^ this.v3;
  }

  rounds(count: number): void {
    let { v0, v1, v2, v3 } = this;
    for (let round = 0; round < count; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}

const MIXER = new SipState();
