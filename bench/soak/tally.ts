/** What came of everything that was tried: what may happen is counted by name, all else is kept with its details, apart where the machine had no core for it. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #unexplained: string[] = [];
  #unexplainedCount = 0;
  readonly #starved = new Map<string, number>();

  explained(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** `when`: seconds since the beginning. */
  unexplained(when: number, what: string): void {
    this.#unexplainedCount++;
    if (this.#unexplained.length < KEPT_MAX) this.#unexplained.push(`${when.toFixed(1)} s: ${what}`);
  }

  starved(what: string): void {
    this.#starved.set(what, (this.#starved.get(what) ?? 0) + 1);
  }

  get starvedCounts(): ReadonlyMap<string, number> {
    return this.#starved;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get unexplainedCount(): number {
    return this.#unexplainedCount;
  }

  get details(): readonly string[] {
    return this.#unexplained;
  }
}

const KEPT_MAX = 200;
