import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineKey, createHashKey, type HashPair } from './half-sip-hash.ts';

const MASK = 0xffff_ffffn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (32n - bits))) & MASK;
}

function word(bytes: readonly number[], at: number): bigint {
  return [0, 1, 2, 3].reduce((sum, i) => sum | (BigInt(bytes[at + i] ?? 0) << BigInt(8 * i)), 0n);
}

/** HalfSipHash-2-4-64 over bytes, written plainly after `halfsiphash.c` of the SipHash reference repository. */
function naiveHash(key: readonly number[], message: readonly number[]): number[] {
  const k0 = word(key, 0);
  const k1 = word(key, 4);
  const v = [k0, k1 ^ 0xeen, 0x6c796765n ^ k0, 0x74656462n ^ k1] as [bigint, bigint, bigint, bigint];
  const round = () => {
    v[0] = (v[0] + v[1]) & MASK;
    v[1] = rotate(v[1], 5n) ^ v[0];
    v[0] = rotate(v[0], 16n);
    v[2] = (v[2] + v[3]) & MASK;
    v[3] = rotate(v[3], 8n) ^ v[2];
    v[0] = (v[0] + v[3]) & MASK;
    v[3] = rotate(v[3], 7n) ^ v[0];
    v[2] = (v[2] + v[1]) & MASK;
    v[1] = rotate(v[1], 13n) ^ v[2];
    v[2] = rotate(v[2], 16n);
  };
  const whole = message.length - (message.length % 4);
  const blocks = [];
  for (let at = 0; at < whole; at += 4) blocks.push(word(message, at));
  blocks.push((BigInt(message.length & 0xff) << 24n) | word(message.slice(whole), 0));
  for (const block of blocks) {
    v[3] ^= block;
    round();
    round();
    v[0] ^= block;
  }
  v[2] ^= 0xeen;
  for (let i = 0; i < 4; i++) round();
  const first = v[1] ^ v[3];
  v[1] ^= 0xddn;
  for (let i = 0; i < 4; i++) round();
  const second = v[1] ^ v[3];
  return [first, second].flatMap((part) => [0n, 8n, 16n, 24n].map((bits) => Number((part >> bits) & 0xffn)));
}

function units(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).flatMap((unit) => [
    unit & 0xff,
    unit >> 8,
  ]);
}

function naivePair(key: readonly number[], tag: string, text: string): HashPair {
  const length = [0, 8, 16, 24].map((bits) => (tag.length >>> bits) & 0xff);
  const out = naiveHash(key, [...length, ...units(tag), ...units(text)]);
  return { low: Number(word(out, 0)) | 0, high: Number(word(out, 4)) | 0 };
}

function hash(key: readonly number[], tag: string, text: string): HashPair {
  const into = { high: 0, low: 0 };
  createHashKey(Uint8Array.from(key))(tag, text, into);
  return into;
}

const KEY = [0, 1, 2, 3, 4, 5, 6, 7];
const anyKey = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 8, maxLength: 8 });
const anyText = fc.string({ unit: 'binary', maxLength: 40 });

describe('HalfSipHash-2-4-64', () => {
  // First rows of `vectors_hsip64` in the reference repository: message 00 01 02 …, key 00 … 07.
  it.each([
    [0, [0x21, 0x8d, 0x1f, 0x59, 0xb9, 0xb8, 0x3c, 0xc8]],
    [1, [0xbe, 0x55, 0x24, 0x12, 0xf8, 0x38, 0x73, 0x15]],
    [2, [0x06, 0x4f, 0x39, 0xef, 0x7c, 0x50, 0xeb, 0x57]],
  ])('has an oracle that gives the published answer for %i bytes', (length, expected) => {
    expect(
      naiveHash(
        KEY,
        Array.from({ length }, (_, i) => i),
      ),
    ).toEqual(expected);
  });

  it('agrees with the oracle for every key, tag and text', () => {
    fc.assert(
      fc.property(anyKey, anyText, anyText, (key, tag, text) => {
        expect(hash(key, tag, text)).toEqual(naivePair(key, tag, text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('agrees with the oracle where the length byte wraps', () => {
    const text = 'x'.repeat(300);
    expect(hash(KEY, 't', text)).toEqual(naivePair(KEY, 't', text));
  });

  it('keeps tag and text apart', () => {
    expect(hash(KEY, 'ab', 'c')).not.toEqual(hash(KEY, 'a', 'bc'));
    expect(hash(KEY, '', 'abc')).not.toEqual(hash(KEY, 'abc', ''));
  });

  it('refuses a secret of another size', () => {
    expect(() => createHashKey(new Uint8Array(16))).toThrow(RangeError);
  });
});

describe('combineKey', () => {
  it('depends on both parts and on their order', () => {
    const a = hash(KEY, 'tenant', 'acme');
    const b = hash(KEY, 'route', 'orders');
    const ab = { ...a };
    combineKey(ab, b);
    const ba = { ...b };
    combineKey(ba, a);
    expect(ab).not.toEqual(ba);
    expect(ab).not.toEqual(a);
  });

  it('gives the same for the same parts, and folds a pair into itself', () => {
    const a = hash(KEY, 'tenant', 'acme');
    const twice = { ...a };
    combineKey(twice, { ...a });
    const same = { ...a };
    combineKey(same, same);
    expect(same).toEqual(twice);
  });

  it('has no collision among 20,000 pairs of neighbouring keys', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const into = { high: i >> 7, low: i & 127 };
      combineKey(into, { high: 0, low: i % 3 });
      seen.add(`${into.high}/${into.low}`);
    }
    expect(seen.size).toBe(20_000);
  });
});
