/** Time that passes from one thing that is due to the next: runs are quick, and the same each time. */
import type { Clock } from '../../src/base/ports.ts';

interface Due {
  readonly atMs: number;
  /** Of two that are due at once, the one that was asked for first goes first. */
  readonly nth: number;
  readonly run: () => void;
}

/** The wall clock's moment of the beginning: a Monday, midnight in UTC. */
const BEGUN_MS = Date.UTC(2026, 10, 30);

export class VirtualTime implements Clock {
  #nowMs = 0;
  #count = 0;
  /** A binary heap. */
  readonly #due: Due[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return BEGUN_MS + this.#nowMs;
  }

  at(atMs: number, run: () => void): void {
    const due = { atMs: Math.max(atMs, this.#nowMs), nth: this.#count++, run };
    let place = this.#due.length;
    this.#due.push(due);
    for (
      let above = (place - 1) >> 1;
      place > 0 && isBefore(due, this.#due[above]!);
      above = (place - 1) >> 1
    ) {
      this.#due[place] = this.#due[above]!;
      this.#due[above] = due;
      place = above;
    }
  }

  after(ms: number, run: () => void): void {
    this.at(this.#nowMs + ms, run);
  }

  /** Until nothing is due before that moment. */
  run(untilMs: number): void {
    for (let first = this.#due[0]; first !== undefined && first.atMs <= untilMs; first = this.#due[0]) {
      this.#removeFirst();
      this.#nowMs = first.atMs;
      first.run();
    }
  }

  #removeFirst(): void {
    const last = this.#due.pop()!;
    if (this.#due.length === 0) return;
    let place = 0;
    for (;;) {
      let least = 2 * place + 1;
      if (least >= this.#due.length) break;
      if (least + 1 < this.#due.length && isBefore(this.#due[least + 1]!, this.#due[least]!)) least++;
      if (isBefore(last, this.#due[least]!)) break;
      this.#due[place] = this.#due[least]!;
      place = least;
    }
    this.#due[place] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.nth < other.nth);
}
