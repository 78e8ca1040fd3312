import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentCount } from './recent-count.ts';

const step = fc.record({ passedMs: fc.nat(40_000), count: fc.integer({ min: 1, max: 9 }) });

it('counts what came within the window: never what is older, always what is younger than 59 of its sixtieths', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(1_000, 60_000), (steps, windowMs) => {
      const recent = new RecentCount(windowMs);
      const all: { atMs: number; count: number }[] = [];
      let nowMs = 5_000_000;
      for (const { passedMs, count } of steps) {
        nowMs += passedMs;
        all.push({ atMs: nowMs, count });
        const within = (ms: number) =>
          all.filter(({ atMs }) => nowMs - atMs < ms).reduce((sum, each) => sum + each.count, 0);
        const counted = recent.add(count, nowMs);
        expect(counted).toBeLessThanOrEqual(within(windowMs));
        expect(counted).toBeGreaterThanOrEqual(within((windowMs * 59) / 60));
        expect(recent.within(nowMs)).toBe(counted);
      }
      expect(recent.within(nowMs + windowMs)).toBe(0);
    }),
  );
});

it('counts what comes late where it belongs, and what is too old not at all', () => {
  const moment = fc.record({
    atMs: fc.integer({ min: 0, max: 5_000 }),
    count: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
      const recent = new RecentCount(1_000);
      const all: typeof moments = [];
      let latestMs = 0;
      for (const each of moments) {
        all.push(each);
        latestMs = Math.max(latestMs, each.atMs);
        const within = (ms: number) =>
          all.filter(({ atMs }) => latestMs - atMs < ms).reduce((sum, { count }) => sum + count, 0);
        const counted = recent.add(each.count, each.atMs);
        expect(counted).toBeLessThanOrEqual(within(1_000));
        expect(counted).toBeGreaterThanOrEqual(within((1_000 * 59) / 60));
      }
    }),
  );
});
