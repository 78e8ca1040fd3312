/** First in, first out, bounded. `Array.shift` moves the whole array once it is long, which made a late generator later. */
export class WaitingLine<Item> {
  readonly #places: (Item | null)[];
  #first = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#places = new Array<Item | null>(capacity).fill(null);
  }

  /** False when the line is full. */
  join(item: Item): boolean {
    if (this.#length === this.#places.length) return false;
    this.#places[(this.#first + this.#length) % this.#places.length] = item;
    this.#length += 1;
    return true;
  }

  /** The item that has waited longest, or null. */
  next(): Item | null {
    if (this.#length === 0) return null;
    const item = this.#places[this.#first] ?? null;
    this.#places[this.#first] = null;
    this.#first = (this.#first + 1) % this.#places.length;
    this.#length -= 1;
    return item;
  }
}
