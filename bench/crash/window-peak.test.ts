import { expect, it } from 'vitest';
import { WindowPeak } from './window-peak.ts';

it('counts what came in any stretch of its length, half open', () => {
  const window = new WindowPeak(10);
  for (const moment of [0, 1, 9, 10, 10.5, 30]) window.came(moment);
  // 1, 9, 10, 10.5: what came at 0 is as old as the stretch is long when the next comes at 10.
  expect(window.peak).toBe(4);
});

it('forgets what is over, and no more', () => {
  const window = new WindowPeak(100);
  for (let moment = 0; moment < 10_000; moment++) window.came(moment);
  expect(window.peak).toBe(100);
});
