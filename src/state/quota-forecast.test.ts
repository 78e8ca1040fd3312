import { describe, expect, it } from 'vitest';
import type { CounterWindow } from '../pipeline/counters.ts';
import { quotaUsedUpMs } from './quota-forecast.ts';

const DAY_MS = 86_400_000;
/** September has thirty days. */
const MONTH: CounterWindow = { kind: 'calendar', amount: 100, period: 'month', zone: 'UTC' };
const START_MS = Date.UTC(2026, 8, 1);

describe('a quota is used up, at the pace since its period began', () => {
  it.each([
    ['a half in a third of it', 10, 0.5, 20],
    ['nearly all at its end', 29, 0.99, 29 / 0.99],
    ['all', 12, 1, 12],
    ['more than all', 12, 1.2, 12],
    ['not before the next one', 15, 0.5, null],
    ['nothing is used', 15, 0, null],
    ['much on the first morning, which says nothing', 0.29, 0.9, null],
    ['and a moment later it does', 0.3, 0.9, 1 / 3],
  ])('%s', (_, days, share, upDays) => {
    const upMs = upDays === null ? null : Math.round(START_MS + upDays * DAY_MS);
    expect(quotaUsedUpMs(MONTH, share, START_MS + days * DAY_MS)).toBe(upMs);
  });

  it('days are those of its zone', () => {
    const day: CounterWindow = { kind: 'calendar', amount: 1, period: 'day', zone: 'Asia/Tokyo' };
    // 15:00 UTC is midnight there
    const sixThere = Date.UTC(2026, 8, 1, 21);
    expect(quotaUsedUpMs(day, 0.5, sixThere)).toBe(Date.UTC(2026, 8, 2, 3));
  });

  it('limits that are none of the calendar have no such moment', () => {
    expect(quotaUsedUpMs({ kind: 'window', amount: 1, windowMs: 1_000 }, 0.5, START_MS)).toBeNull();
  });
});
