import { periodClock } from '../model/calendar-periods.ts';
import type { CounterWindow } from '../pipeline/counters.ts';

/** What is used in the first minutes of a month says nothing of its end. */
const SHARE_OF_PERIOD_LEAST = 0.01;

/**
 * When a quota or budget will be used up, if it is used on as fast as since its period began: Unix ms. Null: not before the next period, or it
 * is too early to say, or the limit is none of the calendar.
 */
export function quotaUsedUpMs(window: CounterWindow, usedShare: number, wallMs: number): number | null {
  if (window.kind !== 'calendar') return null;
  if (usedShare >= 1) return wallMs;
  const clock = periodClock(window.period, window.zone);
  const [startMs, endMs] = [clock.startMs(wallMs), clock.endMs(wallMs)];
  const passedMs = wallMs - startMs;
  if (usedShare <= 0 || passedMs < (endMs - startMs) * SHARE_OF_PERIOD_LEAST) return null;
  const atMs = Math.round(startMs + passedMs / usedShare);
  return atMs < endMs ? atMs : null;
}
