import type { ScalarValue } from '../../model/types.ts';
import type { ProgramConstant } from '../../pipeline/program.ts';

/** A row as data: its key, the number of its shape, and the constants of the shape. */
export type RowConstant = readonly [ScalarValue, number, readonly ProgramConstant[]];
/** Makes the functions of a row. */
export type RowShape<Row> = (constants: readonly ProgramConstant[]) => Row;

/**
 * Rules by the value they demand of a fact. A row is made on its first use: of ten thousand rows few are ever met on one
 * route and thread.
 */
export class RowTable<Row> {
  readonly #numbers: ReadonlyMap<unknown, number>;
  readonly #data: readonly RowConstant[];
  readonly #shapes: readonly RowShape<Row>[];
  readonly #rows: (Row | undefined)[] = [];

  constructor(
    numbers: ReadonlyMap<unknown, number>,
    data: readonly RowConstant[],
    shapes: readonly RowShape<Row>[],
  ) {
    this.#numbers = numbers;
    this.#data = data;
    this.#shapes = shapes;
  }

  get(key: unknown): Row | undefined {
    const number = this.#numbers.get(key);
    return number === undefined ? undefined : (this.#rows[number] ?? this.#make(number));
  }

  /** The row of one item of a list; undefined also where the same item stands before. */
  ofItem(list: readonly unknown[], at: number): Row | undefined {
    const row = this.get(list[at]);
    return row === undefined || list.indexOf(list[at]) < at ? undefined : row;
  }

  #make(number: number): Row {
    const [, shape, constants] = this.#data[number]!;
    const row = this.#shapes[shape]!(constants);
    this.#rows[number] = row;
    return row;
  }
}

/** Rows by key. Kept by the data, which many routes share. */
export class RowNumbers {
  readonly #known = new WeakMap<readonly RowConstant[], ReadonlyMap<unknown, number>>();

  of(data: readonly RowConstant[]): ReadonlyMap<unknown, number> {
    let numbers = this.#known.get(data);
    if (numbers === undefined) {
      numbers = new Map(data.map(([key], number) => [key, number]));
      this.#known.set(data, numbers);
    }
    return numbers;
  }
}
