/**
 * V8 counts no shared memory, so what a thread holds no more stays mapped until its next full collection, and hours may pass without one:
 * forty versions of 20 MiB each took 870 MiB (bench/RESULTS.md). Here it is counted, and V8 is told in the one way that it listens to.
 */
export class DroppedMemory {
  readonly #collectSoon: () => void;
  #bytes = 0;

  /** `collectSoon`: asks for a collection of this thread's heap. */
  constructor(collectSoon: () => void = hastenCollection) {
    this.#collectSoon = collectSoon;
  }

  /** Shared memory of so many bytes was let go by this thread. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < DROPPED_BYTES_MAX) return;
    this.#bytes = 0;
    this.#collectSoon();
  }
}

/** What threads leave behind before they collect: as much as V8 itself allows outside of its heap. */
export const DROPPED_BYTES_MAX = 64 * 1024 * 1024;

/** Twice that, so that V8 begins to mark, in steps, whatever else it counts. */
const TOLD_BYTES = 2 * DROPPED_BYTES_MAX;

/** An array buffer that nobody touches, so that none of it is ever resident, and that goes with the collection which it brings about. */
function hastenCollection(): void {
  try {
    void new ArrayBuffer(TOLD_BYTES);
  } catch {
    // no room for it in the address space: V8 has collected all it could before it said so
  }
}
