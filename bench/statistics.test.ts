import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  median,
  pairedDifferences,
  pairedRatios,
  quantile,
  robustSlopeInterval,
  spread,
} from './statistics.ts';

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
    expect(robustSlopeInterval(xs, ys)!.slope).toBeCloseTo(3, 10);
    const level = xs.map(() => 5);
    expect(robustSlopeInterval(xs, level)).toEqual({ low: 0, slope: 0, high: 0 });
    expect(robustSlopeInterval([1, 1, 1], [0, 9, 4])).toBeNull();
    expect(robustSlopeInterval([1, 2], [0, 9])).toBeNull();
  });

  it('says between what the true slope lies, 19 times of 20', () => {
    const random = seeded(7);
    let missed = 0;
    for (let round = 0; round < 400; round++) {
      const xs = Array.from({ length: 14 }, (_, at) => at);
      const { low, high } = robustSlopeInterval(
        xs,
        xs.map((x) => 2 * x + 20 * (random() + random() + random())),
      )!;
      if (low > 2 || high < 2) missed++;
    }
    expect(missed).toBeGreaterThan(0);
    expect(missed / 400).toBeLessThan(0.08);
  });
});

/** Lehmer's numbers: the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
