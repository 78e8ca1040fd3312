/**
 * Locks in shared memory: one Int32 word each, 0 when free, otherwise the owner with a mark when somebody waits (the
 * three-state mutex of Drepper, "Futexes Are Tricky", 2011, §5). Bounded everywhere: a spin, then a bounded number of
 * bounded waits. The operations are injected, so that the model checker runs this very code over a memory of its own.
 */

export interface AtomicOperations {
  load(words: Int32Array, index: number): number;
  compareExchange(words: Int32Array, index: number, expected: number, value: number): number;
  exchange(words: Int32Array, index: number, value: number): number;
  wait(words: Int32Array, index: number, value: number, timeoutMs: number): 'ok' | 'not-equal' | 'timed-out';
  notify(words: Int32Array, index: number, count: number): number;
}

export interface LockBounds {
  readonly spins: number;
  readonly waits: number;
  readonly waitMs: number;
}

/** About 2 µs of spinning, which outlasts the longest critical section; then 100 ms at most for a holder off its core. */
export const LOCK_BOUNDS: LockBounds = { spins: 200, waits: 100, waitMs: 1 };

export const LOCK_FREE = 0;
export const LOCK_CONTENDED = 0x4000_0000;

/** Owner of locks: thread ids are never reused within a process, and the main thread's is 0. */
export function lockOwner(thread: number): number {
  return thread + 1;
}

/** The locks that one thread holds at the moment. Take them in ascending (region, index) order: that excludes deadlock. */
export class LockSet {
  readonly #owner: number;
  readonly #atomics: AtomicOperations;
  readonly #bounds: LockBounds;
  readonly #words: Int32Array[] = [];
  readonly #indexes: number[] = [];
  #held = 0;

  /** `owner`: unique among the threads of the process, 1 … 2^30 − 1. */
  constructor(owner: number, atomics: AtomicOperations = Atomics, bounds: LockBounds = LOCK_BOUNDS) {
    this.#owner = owner;
    this.#atomics = atomics;
    this.#bounds = bounds;
  }

  /** False when the lock could not be had within the bounds; then nothing has changed. */
  acquire(words: Int32Array, index: number): boolean {
    if (this.tryAcquire(words, index)) return true;
    if (!this.#acquireContended(words, index)) return false;
    this.#hold(words, index);
    return true;
  }

  /** {@link acquire} for who would rather do something else than wait. */
  tryAcquire(words: Int32Array, index: number): boolean {
    if (this.#atomics.compareExchange(words, index, LOCK_FREE, this.#owner) !== LOCK_FREE) return false;
    this.#hold(words, index);
    return true;
  }

  #hold(words: Int32Array, index: number): void {
    this.#words[this.#held] = words;
    this.#indexes[this.#held] = index;
    this.#held++;
  }

  /** Gives back every lock acquired since the last call. */
  releaseAll(): void {
    while (this.#held > 0) {
      this.#held--;
      release(this.#words[this.#held]!, this.#indexes[this.#held]!, this.#atomics);
    }
  }

  #acquireContended(words: Int32Array, index: number): boolean {
    const atomics = this.#atomics;
    for (let spin = 0; spin < this.#bounds.spins; spin++) {
      if (atomics.load(words, index) === LOCK_FREE) {
        if (atomics.compareExchange(words, index, LOCK_FREE, this.#owner) === LOCK_FREE) return true;
      }
    }
    // Whoever has slept takes the lock with the mark set: others may still sleep, and only the mark wakes them.
    const marked = this.#owner | LOCK_CONTENDED;
    for (let attempt = 0; attempt < this.#bounds.waits; attempt++) {
      const seen = atomics.load(words, index);
      if (seen === LOCK_FREE) {
        if (atomics.compareExchange(words, index, LOCK_FREE, marked) === LOCK_FREE) return true;
        continue;
      }
      const contended = seen | LOCK_CONTENDED;
      if (seen !== contended && atomics.compareExchange(words, index, seen, contended) !== seen) continue;
      atomics.wait(words, index, contended, this.#bounds.waitMs);
    }
    return false;
  }
}

/** Frees the lock if a thread that no longer runs holds it; for the control thread. */
export function breakLockOf(words: Int32Array, index: number, owner: number): boolean {
  if ((Atomics.load(words, index) & ~LOCK_CONTENDED) !== owner) return false;
  release(words, index, Atomics);
  return true;
}

function release(words: Int32Array, index: number, atomics: AtomicOperations): void {
  if ((atomics.exchange(words, index, LOCK_FREE) & LOCK_CONTENDED) !== 0) atomics.notify(words, index, 1);
}
