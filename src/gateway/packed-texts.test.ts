import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packTexts, ReadTexts, readText } from './packed-texts.ts';

test('items are read as they were packed, whatever characters they have', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ stringUnit: 'binary' })), (items) => {
      const packed = packTexts(items);
      const plain = JSON.parse(JSON.stringify(items)) as unknown[];
      expect(items.map((_, index) => readText(packed, index))).toEqual(plain);
      expect(readText(packed, items.length)).toBe(null);
    }),
  );
});

test('an item longer than the room there is gets its room, and so do those behind it', () => {
  const items = ['€'.repeat(100_000), 'b', '€'.repeat(300_000), { c: 'é' }];
  const packed = packTexts(items);
  expect(items.map((_, index) => readText(packed, index))).toEqual(items);
});

test('what was asked for once is made once', () => {
  let made = 0;
  const texts = new ReadTexts<string, { text: string }>(packTexts(['a', 'b']), (text) => {
    made++;
    return { text };
  });
  expect(texts.at(1)).toEqual({ text: 'b' });
  expect(texts.at(1)).toBe(texts.at(1));
  expect([made, texts.at(2), made]).toEqual([1, null, 1]);
});
