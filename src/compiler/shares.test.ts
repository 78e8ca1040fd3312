import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineKey, createHashKey } from '../base/half-sip-hash.ts';
import { SHARE_TAG, standing } from './shares.ts';

const hashKey = createHashKey(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));

function hashOf(tag: string, text: string) {
  const hash = { high: 0, low: 0 };
  hashKey(tag, text, hash);
  return hash;
}

function standingOf(rule: string, consumer: string): number {
  return standing(hashOf(SHARE_TAG, rule), hashOf('consumer', consumer), { high: 0, low: 0 }, combineKey);
}

const CONSUMERS = Array.from({ length: 20_000 }, (_, number) => `consumer-${number}`);

describe('where somebody stands in a draw', () => {
  it('lies between 0 and 100, and is the same each time', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (rule, consumer) => {
        const drawn = standingOf(rule, consumer);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(100);
        expect(standingOf(rule, consumer)).toBe(drawn);
      }),
    );
  });

  it.each([0.5, 10, 25, 50, 99])('is below %d for so many of a hundred', (percent) => {
    const members = CONSUMERS.filter((name) => standingOf('brown-out', name) < percent).length;
    const expected = (CONSUMERS.length * percent) / 100;
    // four standard deviations of a binomial distribution
    const tolerance = 4 * Math.sqrt(expected * (1 - percent / 100));
    expect(Math.abs(members - expected)).toBeLessThan(tolerance);
  });

  it('in the draw of one rule says nothing of another', () => {
    const both = CONSUMERS.filter((name) => standingOf('a', name) < 50 && standingOf('b', name) < 50).length;
    expect(both / CONSUMERS.length).toBeCloseTo(0.25, 1);
    expect(standingOf('a', 'x')).not.toBe(standingOf('b', 'x'));
  });
});
