import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextSet, textsOf } from './text-set.ts';

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.tuple(fc.constantFrom('order', 'orders', 'team-', ''), fc.nat(300)).map((parts) => parts.join('')),
);
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `document-${index}`);

describe('a set of texts', () => {
  it('has its texts and no others', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), fc.array(text, { maxLength: 60 }), (texts, others) => {
        const set = new TextSet(texts);
        const expected = new Set(texts);
        const asked = [...texts, ...others, ...texts.map((each) => `${each}x`)];
        expect(asked.map((each) => set.has(each))).toEqual(asked.map((each) => expected.has(each)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has nothing that is missing or no text', () => {
    const set = new TextSet(numbered(20));
    expect([undefined, null, 7, ['document-1']].map((each) => set.has(each))).toEqual(Array(4).fill(false));
  });

  it('is a perfect hash for what people list, and a Set for what is more or too alike', () => {
    const alike = ['a', 'b', 'c', 'd'].map((letter) => `${'x'.repeat(9)}${letter}${'y'.repeat(30)}`);
    const kinds = [numbered(9), numbered(100), numbered(128), numbered(129), ['a', ''], alike];
    expect(kinds.map((texts) => textsOf(texts) instanceof Set)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
