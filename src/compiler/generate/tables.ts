import { type FactTable, type Filing, fileByFacts } from '../fact-tables.ts';
import type { FactReference } from '../ir.ts';
import type { Specialiser } from '../specialise.ts';
import { guarded, indent } from './code.ts';
import type { Frame, ProgramScope } from './frame.ts';
import { LoopPool } from './loops.ts';
import { ConstantPool } from './pool.ts';

/** What a list of rules became: some are asked of every request, the others stand in tables. */
export interface Tabled<Item> {
  readonly always: readonly Item[];
  readonly tables: readonly TableUse[];
}

/** A table as code names it. */
export interface TableUse extends Pick<FactTable<unknown>, 'fact' | 'by'> {
  readonly name: string;
}

/** The functions of a row: `function name(…) {…}`. Every row of a table has the same names. */
export type RowFunctions<Item> = (
  items: readonly Item[],
  scope: ProgramScope,
) => Readonly<Record<string, string>>;

/** Files rules by the facts they demand, and generates the rows. */
export function tabled<Item>(
  items: readonly Item[],
  filing: Filing<Item>,
  scope: ProgramScope,
  functions: RowFunctions<Item>,
): Tabled<Item> {
  const { always, tables } = fileByFacts(items, filing, scope.specialiser);
  return { always, tables: tables.map((table) => scope.tables.add(table, scope, functions)) };
}

/** Facts that the look-ups read. */
export function factsOfTables({ tables }: Tabled<unknown>): FactReference[] {
  return tables.map((table) => table.fact);
}

/** Does something with each row that applies to the request. */
export function forRows(
  { tables }: Tabled<unknown>,
  frame: Frame,
  withRow: (row: string) => readonly string[],
): string[] {
  return tables.flatMap((table) => frame.statement(() => forRowsOf(table, frame, withRow)));
}

function forRowsOf(
  { name, by, fact }: TableUse,
  frame: Frame,
  withRow: (row: string) => readonly string[],
): string[] {
  const row = name.replace('table', 'row');
  if (by === 'value') {
    return [
      `const ${row} = ${name}.get(${frame.fact(fact)});`,
      ...guarded(`${row} !== undefined`, withRow(row)),
    ];
  }
  const list = name.replace('table', 'list');
  return [
    `const ${list} = ${frame.fact(fact)} ?? runtime.NO_ITEMS;`,
    `for (let item = 0; item < ${list}.length; item++) {`,
    `  const ${row} = ${name}.ofItem(${list}, item);`,
    ...indent(guarded(`${row} !== undefined`, withRow(row))),
    '}',
  ];
}

/**
 * Tables of one program, or of one row of another table. Rows that differ only in values share one function, which gets
 * them as data – as routes do.
 */
export class TablePool {
  readonly #shapes = new Map<string, number>();
  readonly #tables: string[] = [];

  add<Item>(table: FactTable<Item>, scope: ProgramScope, functions: RowFunctions<Item>): TableUse {
    const used = new Set<number>();
    const rows = table.rows.map(({ key, items, specialiser }) => {
      const pool = new ConstantPool(scope.pool);
      const shape = this.#shapeNumber(rowCode(items, pool, specialiser, scope, functions));
      used.add(shape);
      return [key, shape, pool.values] as const;
    });
    const name = `table${this.#tables.length}`;
    // Numbered from 0 for this table, so that what another table needs does not change its data.
    const shapes = [...used];
    const numbers = new Map(shapes.map((shape, at) => [shape, at]));
    const data = rows.map(([key, shape, values]) => [key, numbers.get(shape)!, values] as const);
    const names = shapes.map((shape) => `shape${shape}`).join(', ');
    this.#tables.push(`const ${name} = runtime.table(${scope.pool.constant(data)}, [${names}]);`);
    return { name, fact: table.fact, by: table.by };
  }

  /** Declarations of shapes and tables. */
  get lines(): readonly string[] {
    const shapes = [...this.#shapes.keys()].map((code, number) => `const shape${number} = ${code};`);
    return [...shapes, ...this.#tables];
  }

  #shapeNumber(code: string): number {
    const known = this.#shapes.get(code);
    if (known !== undefined) return known;
    this.#shapes.set(code, this.#shapes.size);
    return this.#shapes.size - 1;
  }
}

function rowCode<Item>(
  items: readonly Item[],
  pool: ConstantPool,
  specialiser: Specialiser,
  outer: ProgramScope,
  functions: RowFunctions<Item>,
): string {
  const tables = new TablePool();
  const loops = new LoopPool();
  // rows of many rules share their code, so no one rule can be named in it
  const made = functions(items, { ...outer, pool, specialiser, tables, loops, marks: null });
  const body = [
    ...pool.lines,
    ...tables.lines,
    ...loops.functions,
    ...Object.values(made),
    `return { ${Object.keys(made).join(', ')} };`,
  ];
  return ['(shared) => {', ...indent(body), '}'].join('\n');
}
