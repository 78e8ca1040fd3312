import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, pairedDifferences, pairedRatios, quantile, robustSlope, spread } from './statistics.ts';

const VALUES = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('statistics', () => {
  it('takes the middle value, or the mean of the middle two', () => {
    expect(median([])).toBeNull();
    expect(median([7])).toBe(7);
    expect(median([10, 9, 2])).toBe(9);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('has as many values above the median as below it', () => {
    fc.assert(
      fc.property(VALUES, (values) => {
        const middle = median(values)!;
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(below).toBeLessThanOrEqual(values.length / 2);
        expect(above).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('names the least and the greatest value', () => {
    expect(spread([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
    expect(spread([])).toBeNull();
  });

  it('leaves the values it is given in their order', () => {
    const values = [3, 1, 2];
    median(values);
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  it('pairs values of the same round', () => {
    expect(pairedRatios([10, 30], [5, 10])).toEqual([2, 3]);
    expect(pairedDifferences([10, 30], [5, 10])).toEqual([5, 20]);
    expect(() => pairedRatios([1], [])).toThrow('equal lengths');
  });

  it('finds a quantile that a share q of the values does not exceed, and no smaller one', () => {
    fc.assert(
      fc.property(VALUES, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, q) => {
        const found = quantile(values, q)!;
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(q * values.length);
        expect(values.filter((value) => value < found).length).toBeLessThan(q * values.length);
      }),
    );
  });

  it('finds a slope that wild values hardly move', () => {
    const xs = Array.from({ length: 50 }, (_, at) => at);
    const ys = xs.map((x) => 3 * x + 7 + (x % 10 === 0 ? 10_000 : 0));
    expect(robustSlope(xs, ys)).toBeCloseTo(3, 10);
    expect(
      robustSlope(
        xs,
        xs.map(() => 5),
      ),
    ).toBe(0);
    expect(robustSlope([1, 1], [0, 9])).toBeNull();
  });
});
