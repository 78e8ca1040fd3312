import type { Call } from './call.ts';
import type { Deadlines, Watched } from './deadlines.ts';

/** Requests of one service that wait for a connection, first come, first served, each for a bounded time. */
export class WaitQueue implements Watched {
  watchIndex = -1;

  readonly #deadlines: Deadlines;
  readonly #callsMax: number;
  readonly #waitMs: number;
  readonly #onTimeout: (call: Call) => void;
  /** In the order of arrival, which is also that of their deadlines. */
  readonly #calls = new Set<Call>();

  constructor(deadlines: Deadlines, callsMax: number, waitMs: number, onTimeout: (call: Call) => void) {
    this.#deadlines = deadlines;
    this.#callsMax = callsMax;
    this.#waitMs = waitMs;
    this.#onTimeout = onTimeout;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** False when the queue is full. */
  add(call: Call): boolean {
    if (this.#calls.size >= this.#callsMax) return false;
    call.waitUntilMs = this.#deadlines.at(this.#waitMs);
    this.#calls.add(call);
    if (this.#calls.size === 1) this.#deadlines.watch(this, call.waitUntilMs);
    return true;
  }

  first(): Call | undefined {
    return this.#calls.size === 0 ? undefined : this.#calls.values().next().value;
  }

  remove(call: Call): void {
    if (!this.#calls.delete(call)) return;
    const first = this.first();
    if (first === undefined) this.#deadlines.unwatch(this);
    else this.#deadlines.set(this, first.waitUntilMs);
  }

  expire(nowMs: number): void {
    for (;;) {
      const call = this.first();
      if (call === undefined || call.waitUntilMs > nowMs) return;
      this.remove(call);
      this.#onTimeout(call);
    }
  }
}
