/**
 * The label sets of one metric, bounded: the first `seriesMax` are kept apart, all further ones are counted together under
 * {@link OTHERS}. So neither callers nor rule sets that come and go can make a metric grow without end.
 */
export class Series<Labels extends Readonly<Record<string, string>>, Value> {
  readonly #seriesMax: number;
  readonly #make: () => Value;
  readonly #values = new Map<string, { readonly labels: Labels; readonly value: Value }>();
  #others: { readonly labels: Labels; readonly value: Value } | null = null;

  constructor(seriesMax: number, make: () => Value) {
    this.#seriesMax = seriesMax;
    this.#make = make;
  }

  /** What is counted for these labels. `kept`: under their own name. */
  of(labels: Labels): { readonly value: Value; readonly kept: boolean } {
    const key = Object.values(labels).join('\u0000');
    const known = this.#values.get(key);
    if (known !== undefined) return { value: known.value, kept: true };
    if (this.#values.size < this.#seriesMax) {
      const value = this.#make();
      this.#values.set(key, { labels: copied(labels), value });
      return { value, kept: true };
    }
    this.#others ??= { labels: othersOf(labels), value: this.#make() };
    return { value: this.#others.value, kept: false };
  }

  *[Symbol.iterator](): Generator<readonly [Labels, Value]> {
    for (const { labels, value } of this.#values.values()) yield [labels, value];
    if (this.#others !== null) yield [this.#others.labels, this.#others.value];
  }
}

export const OTHERS = '(others)';

function othersOf<Labels extends Readonly<Record<string, string>>>(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, OTHERS])) as Labels;
}

/** Texts of a drained record are slices of a whole frame, which a kept slice would keep alive. */
function copied<Labels extends Readonly<Record<string, string>>>(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([name, text]) => [name, Buffer.from(text).toString()]),
  ) as Labels;
}
