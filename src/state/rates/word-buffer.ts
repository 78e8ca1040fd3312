/** Int32 words that grow, with doubles as pairs of words. */
export class WordBuffer {
  #words = new Int32Array(16_384);
  length = 0;

  get words(): Int32Array {
    return this.#words;
  }

  push(word: number): void {
    if (this.length === this.#words.length) this.#grow();
    this.#words[this.length++] = word;
  }

  pushDouble(value: number): void {
    DOUBLE[0] = value;
    this.push(HALVES[0]!);
    this.push(HALVES[1]!);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, 4 * this.length);
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.#words.length);
    grown.set(this.#words);
    this.#words = grown;
  }
}

export function doubleAt(words: Int32Array, at: number): number {
  HALVES[0] = words[at]!;
  HALVES[1] = words[at + 1]!;
  return DOUBLE[0]!;
}

const DOUBLE = new Float64Array(1);
const HALVES = new Int32Array(DOUBLE.buffer);
