import type { ScalarValue } from '../model/types.ts';
import type { Condition, FactReference, Term, Test } from './ir.ts';
import type { Specialiser } from './specialise.ts';

/**
 * Pass 8: rules that demand a certain value of a fact of the request (`when tenant is "acme"`, `consumer has role "x"`)
 * are filed under that value. A request then looks its value up and meets the rules of one row, however many there are.
 */
export interface Filed<Item> {
  /** Asked of every request, in their order. */
  readonly always: readonly Item[];
  readonly tables: readonly FactTable<Item>[];
}

export interface FactTable<Item> {
  readonly fact: FactReference;
  /** `value`: the fact is the key of the row. `item`: the fact is a list that has it, so several rows may apply. */
  readonly by: 'value' | 'item';
  readonly rows: readonly FactRow<Item>[];
}

export interface FactRow<Item> {
  readonly key: ScalarValue;
  /** What is left of the rules where the fact is, or has, the key; in their order. */
  readonly items: readonly Item[];
  readonly specialiser: Specialiser;
}

/** How to file one kind of thing. */
export interface Filing<Item> {
  readonly conditionOf: (item: Item) => Condition;
  /** The item with its conditions rewritten; null when it can't hold any more. */
  readonly within: (item: Item, specialiser: Specialiser) => Item | null;
}

/** For things that have a condition. */
export function byCondition<Item extends { readonly condition: Condition }>(): Filing<Item> {
  return {
    conditionOf: (item) => item.condition,
    within: (item, specialiser) => {
      const condition = specialiser.condition(item.condition);
      return condition === specialiser.conditions.never ? null : { ...item, condition };
    },
  };
}

/** Fewer tests than this are made faster than the look-up of a row (35 ns against 4 ns a test, `bench decide`). */
const TESTS_SAVED_MIN = 8;
/** A rule that names more values than this stays outside of tables: each value is a row with a copy of it. */
const KEYS_OF_RULE_MAX = 64;

export function fileByFacts<Item>(
  items: readonly Item[],
  filing: Filing<Item>,
  specialiser: Specialiser,
): Filed<Item> {
  const tables: FactTable<Item>[] = [];
  let rest = items;
  while (rest.length > TESTS_SAVED_MIN) {
    const best = bestColumn(columnsOf(rest, filing));
    if (best === null) break;
    tables.push(tableOf(best, filing, specialiser));
    const filed = new Set(best.demands.map((demand) => demand.item));
    rest = rest.filter((item) => !filed.has(item));
  }
  return { always: rest, tables };
}

/** What a condition demands of one fact: to be one of some values, or to have one. */
interface Demand {
  readonly fact: FactReference;
  readonly by: FactTable<unknown>['by'];
  readonly keys: ReadonlySet<ScalarValue>;
  /** For `item`: the test that holds wherever the row applies. */
  readonly test: Condition | null;
}

interface Column<Item> {
  readonly fact: FactReference;
  readonly by: FactTable<unknown>['by'];
  readonly demands: { readonly item: Item; readonly demand: Demand }[];
  readonly keys: Set<ScalarValue>;
}

function columnsOf<Item>(items: readonly Item[], filing: Filing<Item>): Column<Item>[] {
  const columns = new Map<string, Column<Item>>();
  for (const item of items) {
    for (const [name, demand] of demandsOf(filing.conditionOf(item))) {
      let column = columns.get(name);
      if (column === undefined) {
        column = { fact: demand.fact, by: demand.by, demands: [], keys: new Set() };
        columns.set(name, column);
      }
      column.demands.push({ item, demand });
      for (const key of demand.keys) column.keys.add(key);
    }
  }
  return [...columns.values()];
}

/** The column that leaves a request the fewest tests; null when none saves enough. */
function bestColumn<Item>(columns: readonly Column<Item>[]): Column<Item> | null {
  let best: Column<Item> | null = null;
  for (const column of columns) {
    if (saved(column) >= TESTS_SAVED_MIN && (best === null || saved(column) > saved(best))) best = column;
  }
  return best;
}

function saved<Item>({ demands, keys }: Column<Item>): number {
  let copies = 0;
  for (const { demand } of demands) copies += demand.keys.size;
  return demands.length - copies / keys.size;
}

function tableOf<Item>(
  { fact, by, demands }: Column<Item>,
  filing: Filing<Item>,
  specialiser: Specialiser,
): FactTable<Item> {
  const groups = new Map<ScalarValue, { readonly items: Item[]; readonly tests: Set<Condition> }>();
  for (const { item, demand } of demands) {
    for (const key of demand.keys) {
      let group = groups.get(key);
      if (group === undefined) {
        group = { items: [], tests: new Set() };
        groups.set(key, group);
      }
      group.items.push(item);
      if (demand.test !== null) group.tests.add(demand.test);
    }
  }
  const rows = [...groups].map(([key, { items, tests }]): FactRow<Item> => {
    const inRow = by === 'value' ? specialiser.knowing(fact, key) : specialiser.holding(tests);
    const left = items.map((item) => filing.within(item, inRow)).filter((item) => item !== null);
    return { key, items: left, specialiser: inRow };
  });
  return { fact, by, rows };
}

type Demands = ReadonlyMap<string, Demand>;
const NOTHING: Demands = new Map();

/** By column: of a conjunction any of its parts may be the demand, a disjunction demands what all of its parts do. */
function demandsOf(condition: Condition): Demands {
  switch (condition.kind) {
    case 'constant':
    case 'not':
      return NOTHING;
    case 'test': {
      const demand = demandOf(condition.test, condition);
      return demand === null ? NOTHING : new Map([[`${demand.by} ${demand.fact.key}`, demand]]);
    }
    case 'all':
      return new Map(condition.operands.flatMap((operand) => [...demandsOf(operand)]));
    case 'any':
      return condition.operands.map(demandsOf).reduce(union);
  }
}

function union(a: Demands, b: Demands): Demands {
  const both = new Map<string, Demand>();
  for (const [name, demand] of a) {
    const other = b.get(name);
    if (other === undefined || demand.by === 'item') continue;
    const keys = new Set([...demand.keys, ...other.keys]);
    if (keys.size <= KEYS_OF_RULE_MAX) both.set(name, { ...demand, keys });
  }
  return both;
}

function demandOf(test: Test, condition: Condition): Demand | null {
  switch (test.kind) {
    case 'equal':
      return equalDemand(test.left, test.right) ?? equalDemand(test.right, test.left);
    case 'member':
      return memberDemand(test.element, test.list, condition);
    case 'role':
      return { fact: CONSUMER_ROLES, by: 'item', keys: new Set([test.role]), test: condition };
    default:
      return null;
  }
}

function equalDemand(fact: Term, value: Term): Demand | null {
  if (fact.kind !== 'fact' || value.kind !== 'constant' || typeof value.value === 'object') return null;
  return { fact: fact.fact, by: 'value', keys: new Set([value.value]), test: null };
}

function memberDemand(element: Term, list: Term, condition: Condition): Demand | null {
  if (element.kind === 'fact' && list.kind === 'constant') {
    const keys = new Set(list.value as readonly ScalarValue[]);
    return keys.size > KEYS_OF_RULE_MAX ? null : { fact: element.fact, by: 'value', keys, test: null };
  }
  if (element.kind !== 'constant' || list.kind !== 'fact' || typeof element.value === 'object') return null;
  return { fact: list.fact, by: 'item', keys: new Set([element.value]), test: condition };
}

/** `consumer has role "x"` is a test of its own; its table is on the fact behind it. */
const CONSUMER_ROLES: FactReference = {
  key: 'consumer.roles',
  path: 'consumer.roles',
  parameter: null,
  type: { kind: 'list', of: { kind: 'reference', to: 'role' } },
  phase: 'identity',
  absence: 'anonymous',
};
