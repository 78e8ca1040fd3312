import { expect, it } from 'vitest';
import { WindowPeak } from './window-peak.ts';

it('counts what came in any stretch of its length, half open', () => {
  const window = new WindowPeak(10);
  for (const moment of [0, 1, 9, 10, 10.5, 30]) window.came(moment, moment);
  // 1, 9, 10, 10.5: what came at 0 is as old as the stretch is long when the next comes at 10.
  expect(window.peak).toBe(4);
});

it('forgets what is over, and no more', () => {
  const window = new WindowPeak(100);
  for (let moment = 0; moment < 10_000; moment++) window.came(moment, moment);
  expect(window.peak).toBe(100);
});

it('counts nothing that may have been let through before the stretch', () => {
  const window = new WindowPeak(10);
  // Let through at 0 and late at the service: by its clock alone all four came within 10.
  for (const came of [5, 5, 11, 12]) window.came(came < 10 ? 0 : came, came);
  expect(window.peak).toBe(2);
});
