/** The most events that came in any stretch of one length, wherever it begins. */
export class WindowPeak {
  peak = 0;
  readonly #lengthMs: number;
  /** Moments that the present stretch still holds, oldest first, from `#first` on. */
  #moments: number[] = [];
  #first = 0;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Moments never go back. */
  came(atMs: number): void {
    while (this.#first < this.#moments.length && this.#moments[this.#first]! <= atMs - this.#lengthMs)
      this.#first++;
    if (this.#first > FORGOTTEN_AT_ONCE) {
      this.#moments = this.#moments.slice(this.#first);
      this.#first = 0;
    }
    this.#moments.push(atMs);
    this.peak = Math.max(this.peak, this.#moments.length - this.#first);
  }
}

const FORGOTTEN_AT_ONCE = 1_024;
