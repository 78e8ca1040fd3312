import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile } from '../statistics.ts';
import { LatencyHistogram } from './histogram.ts';

describe('latency histogram', () => {
  it('is at most 1/64 and one microsecond above the true quantile, never below it', () => {
    const latencies = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60_000_000 })),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.99, 1), (values, q) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        const truth = quantile(values, q)!;
        const found = histogram.quantileUs(q);
        expect(found).toBeGreaterThanOrEqual(truth);
        expect(found).toBeLessThanOrEqual(truth + truth / 64 + 1);
      }),
    );
  });

  it('counts what lies outside its range in the first and the last bucket', () => {
    const histogram = new LatencyHistogram();
    histogram.record(-5);
    histogram.record(2 ** 50);
    expect(histogram.count).toBe(2);
    expect(histogram.maxUs).toBe(2 ** 50);
    expect(histogram.quantileUs(0.5)).toBeLessThanOrEqual(1);
  });

  it('says 0 when nothing was recorded', () => {
    expect(new LatencyHistogram().quantileUs(0.99)).toBe(0);
  });
});
