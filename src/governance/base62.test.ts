import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE62_DIGITS, isBase62, randomBase62, uint32ToBase62 } from './base62.ts';
import { seededRandom } from './seeded-random.cases.ts';

describe('base 62', () => {
  it('writes integers as six digits that read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        const text = uint32ToBase62(value);
        expect(text).toHaveLength(6);
        expect([...text].reduce((sum, digit) => sum * 62 + BASE62_DIGITS.indexOf(digit), 0)).toBe(value);
      }),
    );
  });

  it('draws digits fairly: bytes from 248 on are thrown away', () => {
    const feed = [248, 255, 0, 61, 62, 247];
    let at = 0;
    const random = {
      fill(target: Uint8Array) {
        for (let index = 0; index < target.length; index++) target[index] = feed[at++ % feed.length]!;
      },
      uint32: () => 0,
    };
    expect(randomBase62(random, 4)).toBe('0z0z');
  });

  it('draws every digit', () => {
    const drawn = new Set(randomBase62(seededRandom(7), 4_000));
    expect(drawn).toEqual(new Set(BASE62_DIGITS));
  });

  it('knows its digits from everything else', () => {
    expect(isBase62(BASE62_DIGITS, 0, 62)).toBe(true);
    for (const other of ['_', '-', '+', '/', '=', ' ', '\0', 'é', '€', '\u0130']) {
      expect(isBase62(`a${other}b`, 0, 3), other).toBe(false);
    }
  });
});
