/**
 * The most events that certainly fell into one stretch of a length, wherever it begins. When a gateway let a request through lies between
 * the moment in which its client sent it and the one in which its service got it; on a machine that is busy those are far apart.
 */
export class WindowPeak {
  peak = 0;
  readonly #lengthMs: number;
  /** When those were sent that may lie in a stretch with what comes next. */
  #sentMs: number[] = [];

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Moments of coming never go back. A stretch that ends with this one holds what was sent in it, as all of that has come. */
  came(sentMs: number, atMs: number): void {
    this.#sentMs.push(sentMs);
    this.#sentMs = this.#sentMs.filter((sent) => sent > atMs - this.#lengthMs);
    this.peak = Math.max(this.peak, this.#sentMs.length);
  }
}
