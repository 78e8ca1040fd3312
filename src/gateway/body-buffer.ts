/** Bodies held in memory: each in one block, so that a piece of one byte costs one byte; all of a thread within one bound. */

/** What the buffers of a thread occupy. */
export class BufferedBytes {
  used = 0;
  /** Times that there would have been too many. */
  refused = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** False, and nothing taken, when there would be too many. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.#max) {
      this.refused++;
      return false;
    }
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

export class BodyBuffer {
  readonly #all: BufferedBytes;
  #block = NOTHING;
  #length = 0;

  constructor(all: BufferedBytes) {
    this.#all = all;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies. False when the thread holds too much already. */
  append(chunk: Uint8Array): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#block.length && !this.#grow(length)) return false;
    this.#block.set(chunk, this.#length);
    this.#length = length;
    return true;
  }

  /** A view, until the next `append`. */
  view(): Uint8Array {
    return this.#block.subarray(0, this.#length);
  }

  /** Empty again; may be called more than once. */
  free(): void {
    this.#all.give(this.#block.length);
    this.#block = NOTHING;
    this.#length = 0;
  }

  #grow(length: number): boolean {
    const size = Math.max(length, this.#block.length * 2, FIRST_BLOCK_BYTES);
    if (!this.#all.take(size - this.#block.length)) return false;
    const wider = new Uint8Array(size);
    wider.set(this.view());
    this.#block = wider;
    return true;
  }
}

const NOTHING = new Uint8Array(0);
/** By what comes, never by what is announced: a client that announces much and sends little gets no more. */
const FIRST_BLOCK_BYTES = 1_024;
