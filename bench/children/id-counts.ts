const FIRST_CAPACITY = 1 << 16;
/** Ids are numbered from 0 by one generator; more than this in one run is a mistake of the bench. */
const IDS_MAX = 1 << 28;

/** How often each id was seen: one byte each, because a run has millions. */
export class IdCounts {
  #times = new Uint8Array(FIRST_CAPACITY);
  distinct = 0;
  /** Times that an id came again. */
  repeated = 0;

  /** Gives how often the id has been seen, this time included (at most 255). */
  add(id: number): number {
    if (!Number.isInteger(id) || id < 0 || id >= IDS_MAX) throw new Error(`not an id: ${id}`);
    if (id >= this.#times.length) this.#grow(id);
    const before = this.#times[id]!;
    if (before === 0) this.distinct += 1;
    else this.repeated += 1;
    const seen = Math.min(255, before + 1);
    this.#times[id] = seen;
    return seen;
  }

  #grow(id: number): void {
    let capacity = this.#times.length;
    while (capacity <= id) capacity *= 2;
    const times = new Uint8Array(capacity);
    times.set(this.#times);
    this.#times = times;
  }
}
