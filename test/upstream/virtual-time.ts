import type { Clock, Random } from '../../src/base/ports.ts';
import type { After } from '../../src/upstream/timers.ts';

/** Time that stands still until the test moves it. */
export class VirtualTime {
  nowMs = 1_000_000;
  readonly clock: Clock = { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs };
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  readonly after: After = (delayMs, run) => {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until each timer, in order. */
  get due(): readonly number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.nowMs).sort((left, right) => left - right);
  }

  /** Runs what is due by then, in its order, each at its moment; promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort((left, right) => left.atMs - right.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = endMs;
  }
}

/** Always the middle: no jitter. */
export const NO_CHANCE: Random = { fill: (target) => target.fill(0), uint32: () => 2 ** 31 };
