import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogLinearHistogram } from './log-linear-histogram.ts';

const duration = fc.oneof(
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: 0, max: 5_000_000 }),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
);
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });

function histogramOf(values: readonly number[]): LogLinearHistogram {
  const histogram = new LogLinearHistogram(4);
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('the log-linear histogram', () => {
  it('gives each percentile at most a sixteenth too high and never too low', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0.001, max: 1, noNaN: true }), (values, share) => {
        const exact = values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;
        const estimate = histogramOf(values).percentile(share);
        expect(estimate).toBeGreaterThanOrEqual(exact);
        expect(estimate).toBeLessThanOrEqual(exact * (1 + 1 / 16));
      }),
      { numRuns: 500 },
    );
  });

  it('adds up: two histograms together are the histogram of all values', () => {
    fc.assert(
      fc.property(durations, durations, (some, others) => {
        const sum = histogramOf(some);
        sum.addAll(histogramOf(others));
        const all = histogramOf([...some, ...others]);
        expect(sum.total).toBe(all.total);
        for (const share of [0.1, 0.5, 0.99, 1]) expect(sum.percentile(share)).toBe(all.percentile(share));
      }),
    );
  });

  it('is exact for its greatest value', () => {
    expect(histogramOf([5, 1_000_003]).percentile(1)).toBe(1_000_003);
  });

  it('takes what is no duration as none, and what is too long as the longest', () => {
    const histogram = histogramOf([-1, Number.NaN, 0.4]);
    expect(histogram.percentile(1)).toBe(0);
    histogram.add(Number.POSITIVE_INFINITY);
    expect(histogram.percentile(1)).toBe(2 ** 31 - 1);
    expect(histogram.total).toBe(4);
  });

  it('is empty at first and after clearing', () => {
    const histogram = histogramOf([7]);
    histogram.clear();
    expect([histogram.total, histogram.percentile(0.5), histogram.percentile(1)]).toEqual([0, 0, 0]);
  });

  it('is itself again when it is restored from what it told', () => {
    fc.assert(
      fc.property(durations, fc.integer({ min: 0, max: 6 }), (values, precision) => {
        const told = new LogLinearHistogram(precision);
        for (const value of values) told.add(value);
        const restored = new LogLinearHistogram(precision);
        for (const [bucket, count] of [...told.filled(), [100_000, 1]] as const)
          restored.addBucket(bucket, count);
        restored.addMax(told.max);
        expect(restored).toEqual(told);
        expect([...restored.filled()]).toEqual([...told.filled()]);
        expect([restored.total, restored.percentile(0.9)]).toEqual([told.total, told.percentile(0.9)]);
      }),
    );
  });
});
