/** Things that are due at moments, the first of them at hand: a binary heap that knows where each stands, so that it can be moved. */
export class Moments<Item> {
  readonly #items: Item[] = [];
  readonly #atMs: number[] = [];
  readonly #places = new Map<Item, number>();

  /** Infinity where there are none. */
  get firstMs(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#atMs[0]!;
  }

  /** In place of the moment that it had. */
  set(item: Item, atMs: number): void {
    const known = this.#places.get(item);
    if (known === undefined) {
      const last = this.#items.length;
      this.#put(item, atMs, last);
      this.#up(last);
      return;
    }
    this.#atMs[known] = atMs;
    this.#up(known);
    this.#down(this.#places.get(item)!);
  }

  /** Not later than that. */
  soonen(item: Item, atMs: number): void {
    const known = this.#places.get(item);
    if (known === undefined || this.#atMs[known]! > atMs) this.set(item, atMs);
  }

  delete(item: Item): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    const [last, lastMs] = [this.#items.pop()!, this.#atMs.pop()!];
    if (last === item) return;
    this.#put(last, lastMs, place);
    this.#up(place);
    this.#down(this.#places.get(last)!);
  }

  /** The first one, which is no longer there; undefined where none is due. */
  takeDue(nowMs: number): Item | undefined {
    if (this.firstMs > nowMs) return undefined;
    const first = this.#items[0]!;
    this.delete(first);
    return first;
  }

  #put(item: Item, atMs: number, place: number): void {
    this.#items[place] = item;
    this.#atMs[place] = atMs;
    this.#places.set(item, place);
  }

  #up(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1;
      if (this.#atMs[parent]! <= this.#atMs[place]!) return;
      this.#exchange(parent, place);
      place = parent;
    }
  }

  #down(from: number): void {
    for (let place = from; ; ) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2])
        if (child < this.#items.length && this.#atMs[child]! < this.#atMs[least]!) least = child;
      if (least === place) return;
      this.#exchange(least, place);
      place = least;
    }
  }

  #exchange(a: number, b: number): void {
    const [item, atMs] = [this.#items[a]!, this.#atMs[a]!];
    this.#put(this.#items[b]!, this.#atMs[b]!, a);
    this.#put(item, atMs, b);
  }
}
