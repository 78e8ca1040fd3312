/** Parts of a window that are counted apart. */
const SLOTS = 60;

/**
 * How much came within the last stretch of time, in constant memory. Never more than really did: what is older than 59 of its
 * sixtieths may be left out, what is older than all of it is. What several threads tell comes out of order: the stretch ends with
 * the latest moment that was told.
 */
export class RecentCount {
  readonly #slotMs: number;
  readonly #counts = new Float64Array(SLOTS);
  /** The slot that was counted into last, from the beginning of the clock. */
  #last = 0;
  #total = 0;

  constructor(windowMs: number) {
    this.#slotMs = windowMs / SLOTS;
  }

  add(count: number, nowMs: number): number {
    this.#forget(nowMs);
    const slot = Math.floor(nowMs / this.#slotMs);
    if (slot <= this.#last - SLOTS) return this.#total;
    this.#counts[slot % SLOTS]! += count;
    this.#total += count;
    return this.#total;
  }

  within(nowMs: number): number {
    this.#forget(nowMs);
    return this.#total;
  }

  #forget(nowMs: number): void {
    const now = Math.max(this.#last, Math.floor(nowMs / this.#slotMs));
    const passed = Math.min(SLOTS, now - this.#last);
    for (let slot = now - passed + 1; slot <= now; slot++) {
      this.#total -= this.#counts[slot % SLOTS]!;
      this.#counts[slot % SLOTS] = 0;
    }
    this.#last = now;
  }
}
