import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculate, NUMBER_MAX } from './arithmetic.ts';

const whole = fc.integer({ min: -NUMBER_MAX, max: NUMBER_MAX });

describe('arithmetic', () => {
  it('compares as exact arithmetic does, however large the result', () => {
    const operator = fc.constantFrom('+', '-', '*');
    fc.assert(
      fc.property(
        operator,
        whole,
        whole,
        fc.integer({ min: 1 - NUMBER_MAX, max: NUMBER_MAX - 1 }),
        (sign, a, b, bound) => {
          const [x, y] = [BigInt(a), BigInt(b)];
          const exact = sign === '+' ? x + y : sign === '-' ? x - y : x * y;
          expect(calculate(sign, a, b) > bound).toBe(exact > BigInt(bound));
          expect(calculate(sign, a, b) < bound).toBe(exact < BigInt(bound));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('always gives a number within the bounds', () => {
    const number = fc.double({ min: -NUMBER_MAX, max: NUMBER_MAX, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom('+', '-', '*', '/'), number, number, (sign, a, b) => {
        fc.pre(sign !== '/' || b !== 0);
        expect(Math.abs(calculate(sign, a, b))).toBeLessThanOrEqual(NUMBER_MAX);
      }),
    );
  });

  it('keeps a missing operand missing', () => {
    expect(calculate('+', Number.NaN, 1)).toBeNaN();
  });
});
