/**
 * A rule set on its way to the data threads: written once for all of them, in parts that a thread reads between requests.
 * As one message it is read in one go when it arrives – 60 ms for 10,000 routes, in which no request is served
 * (runtime.md, 4: at most 5).
 */
import { deserialize, serialize } from 'node:v8';
import type { ProgramConstant, RouteProgram, RuleBundle } from '../pipeline/program.ts';

export interface PackedBundle {
  readonly hash: string;
  readonly bytes: SharedArrayBuffer;
  /** Where each part ends; it begins where the one before ends. */
  readonly partEnds: readonly number[];
}

/** Items of a list in one part: read in well below the time of a slice. */
const ITEMS_PER_PART = 64;
/** A longer list within a constant, such as a table of rules, is sent in parts of its own. */
const LONG_LIST = 256;

type List = 'services' | 'functions' | 'rules' | 'counters';
const LISTS: readonly List[] = ['services', 'functions', 'rules', 'counters'];

/** Each constant as it is, or where it is a list the number of that list. */
type Constants = readonly { readonly value: ProgramConstant; readonly list: number | null }[];

type Part =
  | { readonly kind: 'list'; readonly list: List; readonly items: readonly unknown[] }
  /** Elements of lists of constants, without what is long in them. */
  | { readonly kind: 'elements'; readonly items: readonly ProgramConstant[] }
  /** More for a list within the last element. */
  | {
      readonly kind: 'longer';
      readonly path: readonly (string | number)[];
      readonly items: readonly ProgramConstant[];
    }
  /** Lists of constants, by the numbers of their elements. */
  | { readonly kind: 'lists'; readonly items: readonly (readonly number[])[] }
  | { readonly kind: 'constants'; readonly items: readonly Constants[] }
  | {
      readonly kind: 'routes';
      readonly items: readonly (Omit<RouteProgram, 'constants'> & { readonly constants: number })[];
    };

export function packBundle(bundle: RuleBundle): PackedBundle {
  const parts = [...partsOf(bundle)].map((part) => serialize(part));
  const bytes = new SharedArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0));
  const view = new Uint8Array(bytes);
  const partEnds: number[] = [];
  let end = 0;
  for (const part of parts) {
    view.set(part, end);
    end += part.length;
    partEnds.push(end);
  }
  return { hash: bundle.hash, bytes, partEnds };
}

/** The same rule set: what its routes share they share again. Yields after each part. */
export function* unpackBundle(packed: PackedBundle): Generator<void, RuleBundle> {
  const reader = new BundleReader(packed.hash);
  let start = 0;
  for (const end of packed.partEnds) {
    reader.add(deserialize(Buffer.from(new Uint8Array(packed.bytes, start, end - start))) as Part);
    start = end;
    yield;
  }
  return reader.bundle;
}

function* partsOf(bundle: RuleBundle): Generator<Part> {
  for (const list of LISTS)
    for (const items of pieces<unknown>(bundle[list], ITEMS_PER_PART)) yield { kind: 'list', list, items };
  const tables = new ConstantTables();
  const routes = bundle.routes.map(({ constants, ...program }) => ({
    ...program,
    constants: tables.constantsNumber(constants),
  }));
  yield* tables.parts();
  for (const items of pieces(routes, ITEMS_PER_PART)) yield { kind: 'routes', items };
}

/** What routes share, by identity: constants of a route, lists of constants, elements of those lists. */
class ConstantTables {
  readonly #elements = new Numbered<ProgramConstant>();
  readonly #lists = new Numbered<readonly ProgramConstant[]>();
  readonly #constants = new Numbered<readonly ProgramConstant[]>();

  constantsNumber(constants: readonly ProgramConstant[]): number {
    return this.#constants.numberOf(constants);
  }

  *parts(): Generator<Part> {
    const constants = this.#constants.all.map((each) => each.map((value) => this.#constantOf(value)));
    const lists = this.#lists.all.map((list) => list.map((element) => this.#elements.numberOf(element)));
    yield* this.#elementParts();
    for (const items of pieces(lists, ITEMS_PER_PART)) yield { kind: 'lists', items };
    for (const items of pieces(constants, ITEMS_PER_PART)) yield { kind: 'constants', items };
  }

  #constantOf(value: ProgramConstant): Constants[number] {
    if (!isList(value)) return { value, list: null };
    return { value: null, list: this.#lists.numberOf(value) };
  }

  *#elementParts(): Generator<Part> {
    let waiting: ProgramConstant[] = [];
    for (const element of this.#elements.all) {
      const long: Extract<Part, { kind: 'longer' }>[] = [];
      waiting.push(withoutLongLists(element, [], long));
      if (waiting.length < ITEMS_PER_PART && long.length === 0) continue;
      yield { kind: 'elements', items: waiting };
      waiting = [];
      yield* long;
    }
    if (waiting.length > 0) yield { kind: 'elements', items: waiting };
  }
}

/** Things by identity, in the order in which they were first met. */
class Numbered<Thing> {
  readonly #numbers = new Map<Thing, number>();

  numberOf(thing: Thing): number {
    let number = this.#numbers.get(thing);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(thing, number);
    }
    return number;
  }

  get all(): readonly Thing[] {
    return [...this.#numbers.keys()];
  }
}

function withoutLongLists(
  value: ProgramConstant,
  path: readonly (string | number)[],
  long: Extract<Part, { kind: 'longer' }>[],
): ProgramConstant {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) {
    if (value.length <= LONG_LIST)
      return value.map((each, at) => withoutLongLists(each, [...path, at], long));
    for (const items of pieces(value, LONG_LIST)) long.push({ kind: 'longer', path, items });
    return [];
  }
  const entries = Object.entries(value).map(([name, each]) => [
    name,
    withoutLongLists(each, [...path, name], long),
  ]);
  return Object.fromEntries(entries) as ProgramConstant;
}

function isList(value: ProgramConstant): value is readonly ProgramConstant[] {
  return Array.isArray(value);
}

function* pieces<Item>(items: readonly Item[], length: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += length) yield items.slice(at, at + length);
}

class BundleReader {
  readonly bundle: RuleBundle;
  readonly #lists: Record<List, unknown[]> = { services: [], functions: [], rules: [], counters: [] };
  readonly #routes: RouteProgram[] = [];
  readonly #elements: ProgramConstant[] = [];
  readonly #constantLists: ProgramConstant[][] = [];
  readonly #constants: ProgramConstant[][] = [];

  constructor(hash: string) {
    this.bundle = { hash, ...(this.#lists as unknown as Pick<RuleBundle, List>), routes: this.#routes };
  }

  add(part: Part): void {
    switch (part.kind) {
      case 'list':
        this.#lists[part.list].push(...part.items);
        return;
      case 'elements':
        this.#elements.push(...part.items);
        return;
      case 'longer':
        this.#longerList(part.path).push(...part.items);
        return;
      case 'lists':
        for (const numbers of part.items)
          this.#constantLists.push(numbers.map((number) => this.#elements[number]!));
        return;
      case 'constants':
        for (const constants of part.items)
          this.#constants.push(
            constants.map(({ value, list }) => (list === null ? value : this.#constantLists[list]!)),
          );
        return;
      case 'routes':
        for (const { constants, ...program } of part.items)
          this.#routes.push({ ...program, constants: this.#constants[constants]! });
        return;
    }
  }

  #longerList(path: readonly (string | number)[]): ProgramConstant[] {
    let value: unknown = this.#elements.at(-1);
    for (const step of path) value = (value as Record<string | number, unknown>)[step];
    return value as ProgramConstant[];
  }
}
