import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareCodePoints } from './order.ts';

it('orders by code points, like arrays of them', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '\uFF5E', '\uE000', '\u{1F600}', '\u{10FFFF}'),
    maxLength: 5,
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [left, right] = [a, b].map((one) => Array.from(one, (letter) => letter.codePointAt(0)!));
      const at = left!.findIndex((point, index) => point !== right![index]);
      const expected =
        at === -1 ? Math.sign(left!.length - right!.length) : Math.sign(left![at]! - (right![at] ?? -1));
      expect(Math.sign(compareCodePoints(a, b))).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});
