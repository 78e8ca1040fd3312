import type { CounterWindow } from '../pipeline/counters.ts';
import { periodAt } from './reference-calendar.ts';

/**
 * One counter of the reference model for each kind of window, written for clearness, not for speed. `check` never changes anything;
 * `take` may only follow a `check` that had room.
 */
export interface Meter {
  check(weight: number, moment: Moment): Check;
  /** What it answers corrects what was just taken by a difference; without effect once its window has passed. */
  take(weight: number, moment: Moment): Correct;
  /** Whether it cannot be told from a new counter. */
  isAsNew(moment: Moment): boolean;
  /** Contents for comparisons. */
  contents(): string;
}

/** Only of slots of `at once`, of money and of tokens: counts of requests stay. */
export type Correct = (delta: number) => void;

export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

export interface Check {
  readonly fits: boolean;
  /** Room before the take. */
  readonly remaining: number;
  /** First monotonic moment the weight fits; 0 if it does now, Infinity for never. */
  readonly retryAtMs: number;
  readonly resetMs: number;
}

export function meterOf(window: CounterWindow): Meter {
  switch (window.kind) {
    case 'window':
      return windowMeter(window.amount, window.windowMs);
    case 'pace':
      return paceMeter(window.amount, window.periodMs, window.burst);
    case 'concurrency':
      return concurrencyMeter(window.amount);
    case 'calendar':
      return calendarMeter(window);
  }
}

/** Sub-windows of a hard window: a weight counts until the end of its sub-window plus the whole length. */
export const SUB_WINDOWS = 16;

function windowMeter(amount: number, windowMs: number): Meter {
  const slotMs = windowMs / SUB_WINDOWS;
  const slots = new Map<number, number>();
  /** Slot s ends at (s + 1) · slotMs and counts for 16 slots more. */
  const endOf = (slot: number) => (slot + 1 + SUB_WINDOWS) * slotMs;
  const live = ({ nowMs }: Moment) =>
    [...slots]
      .filter(([slot, weight]) => weight > 0 && slot + SUB_WINDOWS >= Math.floor(nowMs / slotMs))
      .sort((a, b) => a[0] - b[0]);
  const used = (moment: Moment) => live(moment).reduce((sum, [, weight]) => sum + weight, 0);
  return {
    check(weight, moment) {
      const counted = live(moment);
      const newest = counted.at(-1);
      const resetMs = newest === undefined ? 0 : endOf(newest[0]) - moment.nowMs;
      let room = amount - used(moment);
      const result = { fits: weight <= room, remaining: room, retryAtMs: 0, resetMs };
      if (result.fits) return result;
      if (weight > amount) return { ...result, retryAtMs: Number.POSITIVE_INFINITY };
      for (const [slot, slotWeight] of counted) {
        room += slotWeight;
        if (weight <= room) return { ...result, retryAtMs: endOf(slot) };
      }
      return { ...result, retryAtMs: Number.POSITIVE_INFINITY };
    },
    take(weight, moment) {
      const slot = Math.floor(moment.nowMs / slotMs);
      const add = (delta: number) => slots.set(slot, Math.max(0, (slots.get(slot) ?? 0) + delta));
      add(weight);
      return add;
    },
    isAsNew: (moment) => used(moment) === 0,
    contents: () => JSON.stringify([...slots].sort((a, b) => a[0] - b[0])),
  };
}

/**
 * GCRA (ITU-T I.371): `fullAt` is the theoretical arrival time, when the bucket is full again. Times are multiplied by
 * the amount, so that with whole milliseconds everything is a whole number.
 */
function paceMeter(amount: number, periodMs: number, burst: number): Meter {
  let fullAt = 0;
  let takenAt = 0;
  /** A busy time ends when the bucket is full; corrections reach only their own. */
  let busyTime = 0;
  const start = ({ nowMs }: Moment) => Math.max(fullAt, nowMs * amount);
  const check: Meter['check'] = (weight, moment) => {
    const debt = start(moment) - moment.nowMs * amount;
    const over = debt + weight * periodMs - burst * periodMs;
    const remaining = Math.floor((burst * periodMs - debt) / periodMs);
    const resetMs = debt / amount;
    if (over <= 0) return { fits: true, remaining, retryAtMs: 0, resetMs };
    const never = weight > burst || amount === 0;
    return {
      fits: false,
      remaining,
      retryAtMs: never ? Number.POSITIVE_INFINITY : moment.nowMs + over / amount,
      resetMs,
    };
  };
  return {
    check,
    take(weight, moment) {
      takenAt = moment.nowMs * amount;
      if (fullAt <= takenAt) busyTime++;
      fullAt = start(moment) + weight * periodMs;
      const own = busyTime;
      return (delta) => {
        if (busyTime === own) fullAt = Math.max(takenAt, fullAt + delta * periodMs);
      };
    },
    isAsNew: (moment) => fullAt <= moment.nowMs * amount,
    contents: () => String(fullAt),
  };
}

/** Nobody knows when a slot will be free: the soonest moment that is worth another try. */
const CONCURRENCY_RETRY_MS = 1;

function concurrencyMeter(amount: number): Meter {
  let open = 0;
  return {
    check(weight, moment) {
      const result = { fits: open + weight <= amount, remaining: amount - open, retryAtMs: 0, resetMs: 0 };
      if (result.fits) return result;
      return {
        ...result,
        retryAtMs: weight > amount ? Number.POSITIVE_INFINITY : moment.nowMs + CONCURRENCY_RETRY_MS,
      };
    },
    take(weight) {
      open += weight;
      return (delta) => {
        open += delta;
      };
    },
    isAsNew: () => open === 0,
    contents: () => String(open),
  };
}

function calendarMeter({ amount, period, zone }: Extract<CounterWindow, { kind: 'calendar' }>): Meter {
  let current = { name: '', endWallMs: Number.NEGATIVE_INFINITY };
  let used = 0;
  /** A wall clock that is put back does not reopen a period that has ended. */
  const isOver = (wallMs: number) => wallMs >= current.endWallMs;
  const usedAt = (moment: Moment) => (isOver(moment.wallMs) ? 0 : used);
  const endAt = (moment: Moment) =>
    isOver(moment.wallMs) ? periodAt(period, zone, moment.wallMs).endWallMs : current.endWallMs;
  return {
    check(weight, moment) {
      const remaining = amount - usedAt(moment);
      const resetMs = endAt(moment) - moment.wallMs;
      if (weight <= remaining) return { fits: true, remaining, retryAtMs: 0, resetMs };
      const retryAtMs = weight > amount ? Number.POSITIVE_INFINITY : moment.nowMs + resetMs;
      return { fits: false, remaining, retryAtMs, resetMs };
    },
    take(weight, moment) {
      used = usedAt(moment) + weight;
      if (isOver(moment.wallMs)) current = periodAt(period, zone, moment.wallMs);
      const { name } = current;
      return (delta) => {
        if (current.name === name) used = Math.max(0, used + delta);
      };
    },
    isAsNew: (moment) => usedAt(moment) === 0,
    contents: () => `${current.name}:${used}`,
  };
}
