/**
 * Random choices drawn from a finite list of numbers, so that fast-check can shrink whole worlds: a shorter list and
 * smaller numbers make simpler ones, and where the list ends every choice is the first.
 */
export class Choices {
  readonly #numbers: ArrayLike<number>;
  #at = 0;

  constructor(numbers: ArrayLike<number>) {
    this.#numbers = numbers;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    const number = this.#numbers[this.#at++] ?? 0;
    return number % below;
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** True once in `outOf` times. */
  rarely(outOf: number): boolean {
    return this.below(outOf) === outOf - 1;
  }

  some<Item>(items: readonly Item[]): Item[] {
    return items.filter(() => this.below(2) === 1);
  }

  /** Runs a choice one of several ways, the simplest first. */
  way<Result>(...ways: readonly (() => Result)[]): Result {
    return ways[this.below(ways.length)]!();
  }

  times<Item>(least: number, most: number, make: (index: number) => Item): Item[] {
    return Array.from({ length: this.between(least, most) }, (_, index) => make(index));
  }
}
