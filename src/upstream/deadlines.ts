import type { Clock } from '../base/ports.ts';

/** Something with at most one deadline at a time, kept by {@link Deadlines}. */
export interface Watched {
  /** Owned by {@link Deadlines}; -1 while it is not watched. */
  watchIndex: number;
  expire(nowMs: number): void;
}

/** Calls `tick` about every `intervalMs` until the returned function is called. Tests drive it by hand. */
export type Ticker = (tick: () => void, intervalMs: number) => () => void;

export const DEADLINE_PRECISION_MS = 50;

/** For {@link Deadlines.set}: nothing is waited for. */
export const NO_DEADLINE = Number.POSITIVE_INFINITY;

/**
 * All deadlines of a thread, looked through every {@link DEADLINE_PRECISION_MS}. Setting one is a store into an array, so a
 * request costs no timer; the times lie side by side, because a tick over 9,500 connections took 2 ms when it had to visit
 * each of them. A deadline never comes early and at most two ticks late.
 */
export class Deadlines {
  /** The time of the last tick: no clock is read per request. */
  nowMs: number;
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #watched: Watched[] = [];
  /** By watch index: moments, or below nought what {@link after} says. */
  #times = new Float64Array(64);
  #stop: (() => void) | null = null;

  constructor(clock: Clock, ticker: Ticker) {
    this.#clock = clock;
    this.#ticker = ticker;
    this.nowMs = clock.monotonicMs();
  }

  /** The time now: while nothing is watched, {@link nowMs} stands still. */
  readNow(): number {
    this.nowMs = this.#clock.monotonicMs();
    return this.nowMs;
  }

  /**
   * For {@link set} and {@link watch}: at least `ms` from now, counted from the next tick on. Counted from the last one, a request that
   * came behind a pause of the thread (the collector, a machine without a core for it) was too late at once.
   */
  after(ms: number): number {
    return -1 - ms;
  }

  /** The moment `ms` from now, to be compared with others. Reads the clock. */
  at(ms: number): number {
    return this.#clock.monotonicMs() + ms;
  }

  /** Replaces the deadline of what is watched, a moment or {@link after}; without effect on what is not. */
  set(watched: Watched, deadlineMs: number): void {
    if (watched.watchIndex >= 0) this.#times[watched.watchIndex] = deadlineMs;
  }

  watch(watched: Watched, deadlineMs: number): void {
    const index = this.#watched.length;
    if (index === this.#times.length) {
      const larger = new Float64Array(2 * index);
      larger.set(this.#times);
      this.#times = larger;
    }
    watched.watchIndex = index;
    this.#watched.push(watched);
    this.#times[index] = deadlineMs;
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
      this.#times[index] = this.#times[last.watchIndex]!;
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
    // From the end: who expires leaves, and the last one, which has been looked at, takes its place.
    for (let index = this.#watched.length - 1; index >= 0; index--) {
      const time = this.#times[index]!;
      if (time > nowMs) continue;
      if (time < 0) {
        this.#times[index] = nowMs - time - 1;
        continue;
      }
      // Several may have left with the one before.
      this.#watched[index]?.expire(nowMs);
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
