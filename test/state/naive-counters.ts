/**
 * The counters as their definition reads, for tests: every event is kept, every answer is computed anew from all of them.
 * One key of one limit each; no bounds on keys, no locks, exact rational arithmetic.
 */
import type { CounterWindow } from '../../src/pipeline/counters.ts';

export interface NaiveCounter {
  used(nowMs: number): number;
  /** Answers what `correct` needs to find the event again. */
  add(nowMs: number, weight: number): number;
  correct(event: number, delta: number): void;
  fitsAtMs(nowMs: number, weight: number): number;
  resetMs(nowMs: number): number;
  asNew(nowMs: number): boolean;
  /** Answers what puts the counter back to how it is now. */
  save(): () => void;
  readonly capacity: number;
}

export function naiveCounter(window: CounterWindow): NaiveCounter {
  switch (window.kind) {
    case 'window':
      return naiveWindow(window.amount, window.windowMs);
    case 'pace':
      return naivePace(window.amount, window.periodMs, window.burst);
    case 'concurrency':
      return naiveSlots(window.amount);
    case 'calendar':
      return naiveUtcDays(window.amount);
  }
}

/** A weight of slot s counts until (s + 17) · T / 16. A thread that is late is taken to be at the last admission. */
function naiveWindow(capacity: number, windowMs: number): NaiveCounter {
  let lastMs = 0;
  const log: { slot: number; weight: number; leavesMs: number }[] = [];
  const usedAt = (ms: number) =>
    log.filter((entry) => entry.leavesMs > ms).reduce((sum, entry) => sum + entry.weight, 0);
  const moments = (nowMs: number) =>
    [...new Set(log.map((entry) => entry.leavesMs))].filter((ms) => ms > nowMs).sort((a, b) => a - b);
  return {
    capacity,
    used: (nowMs) => usedAt(Math.max(nowMs, lastMs)),
    add(nowMs, weight) {
      lastMs = Math.max(nowMs, lastMs);
      const slot = Math.floor((lastMs * 16) / windowMs);
      return log.push({ slot, weight, leavesMs: ((slot + 17) * windowMs) / 16 }) - 1;
    },
    correct(event, delta) {
      const entry = log[event]!;
      entry.weight += delta;
    },
    fitsAtMs: (nowMs, weight) =>
      moments(Math.max(nowMs, lastMs)).find((ms) => usedAt(ms) + weight <= capacity)!,
    resetMs(nowMs) {
      const from = Math.max(nowMs, lastMs);
      if (usedAt(from) === 0) return 0;
      return moments(from).find((ms) => usedAt(ms) === 0)! - nowMs;
    },
    asNew: (nowMs) => log.every((entry) => entry.leavesMs <= nowMs),
    save() {
      const [putBack, saved] = [saveLog(log), lastMs];
      return () => {
        putBack();
        lastMs = saved;
      };
    },
  };
}

/** Debt as a fraction over `periodTicks`, in sixteenths of a millisecond. */
function naivePace(amount: number, periodMs: number, burst: number): NaiveCounter {
  const period = BigInt(periodMs * 16);
  const rate = BigInt(amount);
  let debt = 0n;
  let last = 0n;
  let busy = 0;
  const ticks = (ms: number) => {
    const now = BigInt(Math.floor(ms * 16));
    return now > last ? now : last;
  };
  const debtAt = (ms: number) => {
    const left = debt - (ticks(ms) - last) * rate;
    return left < 0n ? 0n : left;
  };
  const ceilDivide = (a: bigint, b: bigint) => (a + b - 1n) / b;
  const whenAtMost = (nowMs: number, limit: bigint) => {
    const over = debtAt(nowMs) - limit;
    return Number(ticks(nowMs) + (over <= 0n ? 0n : ceilDivide(over, rate))) / 16;
  };
  return {
    capacity: burst,
    used: (nowMs) => Number(ceilDivide(debtAt(nowMs), period)),
    add(nowMs, weight) {
      [debt, last] = [debtAt(nowMs), ticks(nowMs)];
      if (debt === 0n) busy++;
      debt += BigInt(weight) * period;
      return busy;
    },
    correct(event, delta) {
      if (event !== busy) return;
      debt += BigInt(delta) * period;
      if (debt < 0n) debt = 0n;
    },
    fitsAtMs: (nowMs, weight) => whenAtMost(nowMs, BigInt(burst - weight) * period),
    resetMs: (nowMs) => (debtAt(nowMs) === 0n ? 0 : Math.max(0, whenAtMost(nowMs, 0n) - nowMs)),
    asNew: (nowMs) => debtAt(nowMs) === 0n,
    save() {
      const saved = { debt, last, busy };
      return () => {
        ({ debt, last, busy } = saved);
      };
    },
  };
}

function naiveSlots(capacity: number): NaiveCounter {
  let inUse = 0;
  return {
    capacity,
    used: () => inUse,
    add(_nowMs, weight) {
      inUse += weight;
      return 0;
    },
    correct(_event, delta) {
      inUse += delta;
    },
    fitsAtMs: (nowMs) => nowMs + 1,
    resetMs: () => 0,
    asNew: () => inUse === 0,
    save() {
      const saved = inUse;
      return () => {
        inUse = saved;
      };
    },
  };
}

const DAY_MS = 86_400_000;

/** Days of UTC, with the monotonic clock as the wall clock. */
function naiveUtcDays(capacity: number): NaiveCounter {
  let lastDay = 0;
  const log: { day: number; weight: number }[] = [];
  const day = (ms: number) => Math.max(lastDay, Math.floor(ms / DAY_MS));
  return {
    capacity,
    used: (nowMs) =>
      log.filter((entry) => entry.day === day(nowMs)).reduce((sum, entry) => sum + entry.weight, 0),
    add(nowMs, weight) {
      lastDay = day(nowMs);
      return log.push({ day: lastDay, weight }) - 1;
    },
    correct(event, delta) {
      log[event]!.weight += delta;
    },
    fitsAtMs: (nowMs) => (day(nowMs) + 1) * DAY_MS,
    resetMs: (nowMs) => (day(nowMs) + 1) * DAY_MS - nowMs,
    asNew: (nowMs) => log.every((entry) => entry.day < day(nowMs)),
    save() {
      const [putBack, saved] = [saveLog(log), lastDay];
      return () => {
        putBack();
        lastDay = saved;
      };
    },
  };
}

function saveLog<Entry>(log: Entry[]): () => void {
  const saved = log.map((entry) => ({ ...entry }));
  return () => {
    log.splice(0, log.length, ...saved);
  };
}
