import type { Clock } from '../base/ports.ts';

/** Something with one deadline at a time, kept by {@link Deadlines}. */
export interface Watched {
  /** On the scale of {@link Deadlines.after}; `Infinity` for none. */
  deadlineMs: number;
  /** Owned by {@link Deadlines}. */
  watchIndex: number;
  expire(nowMs: number): void;
}

/** Calls `tick` about every `intervalMs` until the returned function is called. Tests drive it by hand. */
export type Ticker = (tick: () => void, intervalMs: number) => () => void;

export const DEADLINE_PRECISION_MS = 50;

/**
 * All deadlines of a thread, looked through every {@link DEADLINE_PRECISION_MS}. Setting one is a store into a field, so
 * a request costs no timer. A deadline never comes early and at most two ticks late.
 */
export class Deadlines {
  /** The time of the last tick: no clock is read per request. */
  nowMs: number;
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #watched: Watched[] = [];
  #stop: (() => void) | null = null;

  constructor(clock: Clock, ticker: Ticker) {
    this.#clock = clock;
    this.#ticker = ticker;
    this.nowMs = clock.monotonicMs();
  }

  /** The moment at least `ms` from now; `nowMs` lags by up to one tick. */
  after(ms: number): number {
    return this.nowMs + ms + DEADLINE_PRECISION_MS;
  }

  watch(watched: Watched): void {
    watched.watchIndex = this.#watched.length;
    this.#watched.push(watched);
    if (this.#stop === null) {
      this.nowMs = this.#clock.monotonicMs();
      this.#stop = this.#ticker(() => this.tick(), DEADLINE_PRECISION_MS);
    }
  }

  unwatch(watched: Watched): void {
    const index = watched.watchIndex;
    if (index < 0) return;
    const last = this.#watched.pop()!;
    if (last !== watched) {
      this.#watched[index] = last;
      last.watchIndex = index;
    }
    watched.watchIndex = -1;
    if (this.#watched.length === 0) {
      this.#stop?.();
      this.#stop = null;
    }
  }

  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    this.nowMs = nowMs;
    // From the end: who expires leaves, and the last one takes its place.
    for (let index = this.#watched.length - 1; index >= 0; index--) {
      const watched = this.#watched[index];
      if (watched !== undefined && watched.deadlineMs <= nowMs) watched.expire(nowMs);
    }
  }
}

/**
 * A timer whose tick runs after the poll phase: when the thread was held up, answers that came meanwhile are read before
 * anyone is judged too late.
 */
export const timerTicker: Ticker = (tick, intervalMs) => {
  const timer = setInterval(() => setImmediate(tick), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
};
