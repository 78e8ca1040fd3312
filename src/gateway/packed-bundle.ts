/**
 * A rule set on its way to the data threads: packed once for all of them, into memory that they share. What each route
 * has of its own stays there until the route is first asked for; what all share is read when a version is prepared, in
 * parts, between requests. As one message it was read in one go when it arrived – 60 ms for 10,000 routes, in which no
 * request was served (runtime.md, 4: at most 5) – and as objects of each thread its collector copied it for 10 ms more.
 */
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Model, Models, Pool, Provider } from '../model/pools.ts';
import type { Route } from '../model/world.ts';
import type { ProgramConstant, RouteProgram, RuleBundle, RuleInfo } from '../pipeline/program.ts';
import { type ModelApis, modelApis } from './model-apis.ts';
import type { PackedRoutes } from './packed-routes.ts';
import { type PackedTexts, packTexts, ReadTexts, readText } from './packed-texts.ts';
import { packMatcher } from './route-matcher.ts';
import type { ServedRules } from './served-rules.ts';

export interface PackedBundle {
  readonly hash: string;
  readonly matcher: PackedRoutes;
  readonly apis: ModelApis;
  readonly routes: PackedTexts;
  /** Of each route, which of the different programs it runs, and with which constants. */
  readonly programNumbers: Uint32Array;
  readonly constantNumbers: Uint32Array;
  readonly programs: PackedTexts;
  readonly constants: PackedTexts;
  readonly rules: PackedTexts;
  /** What is read when a version is prepared. */
  readonly shared: Uint8Array;
  /** Where each of its parts ends; it begins where the one before ends. */
  readonly partEnds: readonly number[];
  /** Shared memory that was made for it: routes that stayed the same lie in that of a version before. */
  readonly ownBytes: number;
}

/** Items of a list in one part: read in well below the time of a slice. */
const ITEMS_PER_PART = 64;
/** A longer list within a constant, such as a table of rules, is sent in parts of its own. */
const LONG_LIST = 256;

type List = 'services' | 'functions' | 'counters';
const LISTS: readonly List[] = ['services', 'functions', 'counters'];
type ModelKind = keyof Models;
const MODEL_KINDS: readonly ModelKind[] = ['providers', 'pools', 'models'];

/** Each constant as it is, or where it is a list the number of that list. */
type Constants = readonly { readonly value: ProgramConstant; readonly list: number | null }[];

/** What a route runs: the same for many. */
type Program = Omit<RouteProgram, 'route' | 'constants'>;

type Named = Provider | Pool | Model;

type Part =
  | { readonly kind: 'list'; readonly list: List; readonly items: readonly unknown[] }
  /** Providers, pools or models, by name. */
  | { readonly kind: 'models'; readonly of: ModelKind; readonly items: readonly Named[] }
  /** Elements of lists of constants, without what is long in them. */
  | { readonly kind: 'elements'; readonly items: readonly ProgramConstant[] }
  /** More for a list within the last element. */
  | {
      readonly kind: 'longer';
      readonly path: readonly (string | number)[];
      readonly items: readonly ProgramConstant[];
    }
  /** Lists of constants, by the numbers of their elements. */
  | { readonly kind: 'lists'; readonly items: readonly (readonly number[])[] };

/** Packs one version after the other: routes that stayed the same objects are not packed again. */
export class BundlePacker {
  #last: RoutesPacked | null = null;

  /** The error is one sentence: a route that can't be matched. */
  pack(bundle: RuleBundle): Result<PackedBundle, string> {
    const before = this.#last;
    const routes = this.#routes(bundle.routes.map(({ route }) => route));
    if (!routes.ok) return routes;
    const { matcher, apis, packed } = routes.value;
    const tables = new ConstantTables();
    const programs = new Programs();
    const programNumbers = sharedNumbers(bundle.routes.length);
    const constantNumbers = sharedNumbers(bundle.routes.length);
    for (const [index, program] of bundle.routes.entries()) {
      programNumbers[index] = programs.numberOf(program);
      constantNumbers[index] = tables.constantsNumber(program.constants);
    }
    const { constants, lists } = tables.numbered();
    const made = {
      programNumbers,
      constantNumbers,
      programs: packTexts(programs.all),
      constants: packTexts(constants),
      rules: packTexts(bundle.rules),
      ...packParts([
        ...listParts(bundle),
        ...modelParts(bundle.models),
        ...tables.elementParts(),
        ...partsOfLists(lists),
      ]),
    };
    const ownBytes = bytesOf(made) + (routes.value === before ? 0 : bytesOf(matcher) + bytesOf(packed));
    return ok({ hash: bundle.hash, matcher, apis, routes: packed, ...made, ownBytes });
  }

  #routes(routes: readonly Route[]): Result<RoutesPacked, string> {
    const last = this.#last;
    if (last !== null && isSameList(last.routes, routes)) return ok(last);
    const matcher = packMatcher(routes.map((route) => (isServed(route) ? route : null)));
    if ('fault' in matcher) return err(matcher.fault);
    this.#last = { routes, matcher, apis: modelApis(routes.filter(isServed)), packed: packTexts(routes) };
    return ok(this.#last);
  }
}

interface RoutesPacked {
  readonly routes: readonly Route[];
  readonly matcher: PackedRoutes;
  readonly apis: ModelApis;
  readonly packed: PackedTexts;
}

/** Drafts are part of the project, not of the traffic. Retired routes are found, and answered with 410. */
function isServed(route: Route): boolean {
  return route.state !== 'draft';
}

function sharedNumbers(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * Uint32Array.BYTES_PER_ELEMENT));
}

function isSameList<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

/** Of all arrays of numbers in it. */
function bytesOf(packed: object): number {
  if (ArrayBuffer.isView(packed)) return packed.byteLength;
  if (Array.isArray(packed)) return 0;
  return Object.values(packed).reduce<number>(
    (sum, part) => (typeof part === 'object' ? sum + bytesOf(part as object) : sum),
    0,
  );
}

function packParts(parts: readonly Part[]): Pick<PackedBundle, 'shared' | 'partEnds'> {
  const texts = parts.map((part) => serialize(part));
  const shared = new Uint8Array(new SharedArrayBuffer(texts.reduce((sum, text) => sum + text.length, 0)));
  const partEnds: number[] = [];
  let end = 0;
  for (const text of texts) {
    shared.set(text, end);
    end += text.length;
    partEnds.push(end);
  }
  return { shared, partEnds };
}

/** The same rule set: what its routes share they share again. Yields after each part. */
export function* unpackBundle(packed: PackedBundle): Generator<void, ServedRules> {
  const rules = new UnpackedRules(packed);
  let start = 0;
  for (const end of packed.partEnds) {
    rules.add(deserialize(Buffer.from(packed.shared.subarray(start, end))) as Part);
    start = end;
    yield;
  }
  return rules;
}

function* listParts(bundle: RuleBundle): Generator<Part> {
  for (const list of LISTS)
    for (const items of pieces<unknown>(bundle[list], ITEMS_PER_PART)) yield { kind: 'list', list, items };
}

function* modelParts(models: Models): Generator<Part> {
  for (const of of MODEL_KINDS)
    for (const items of pieces<Named>([...models[of].values()], ITEMS_PER_PART))
      yield { kind: 'models', of, items };
}

function* partsOfLists(lists: readonly (readonly number[])[]): Generator<Part> {
  for (const items of pieces(lists, ITEMS_PER_PART)) yield { kind: 'lists', items };
}

/** Programs by what they say: most routes run what many others run. */
class Programs {
  readonly all: Program[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf({ service, function: of, parameterNames, headersRead, queryRead, body }: RouteProgram): number {
    const program: Program = { service, function: of, parameterNames, headersRead, queryRead, body };
    const key = JSON.stringify(program);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.all.push(program) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}

/** What routes share, by identity: constants of a route, lists of constants, elements of those lists. */
class ConstantTables {
  readonly #elements = new Numbered<ProgramConstant>();
  readonly #lists = new Numbered<readonly ProgramConstant[]>();
  readonly #constants = new Numbered<readonly ProgramConstant[]>();

  constantsNumber(constants: readonly ProgramConstant[]): number {
    return this.#constants.numberOf(constants);
  }

  /** To be asked for when all constants have their numbers: gives lists and elements theirs. */
  numbered(): { readonly constants: readonly Constants[]; readonly lists: readonly (readonly number[])[] } {
    const constants = this.#constants.all.map((each) => each.map((value) => this.#constantOf(value)));
    const lists = this.#lists.all.map((list) => list.map((element) => this.#elements.numberOf(element)));
    return { constants, lists };
  }

  #constantOf(value: ProgramConstant): Constants[number] {
    if (!isList(value)) return { value, list: null };
    return { value: null, list: this.#lists.numberOf(value) };
  }

  *elementParts(): Generator<Part> {
    let waiting: ProgramConstant[] = [];
    for (const element of this.#elements.all) {
      const long: Extract<Part, { kind: 'longer' }>[] = [];
      waiting.push(isKnownShort(element) ? element : withoutLongLists(element, [], long));
      if (long.length === 0) noteShort(element);
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

/** Elements without a long list: most constants stay the same objects from one version to the next. */
const SHORT = new WeakSet<object>();

function isKnownShort(element: ProgramConstant): boolean {
  return typeof element === 'object' && element !== null && SHORT.has(element);
}

function noteShort(element: ProgramConstant): void {
  if (typeof element === 'object' && element !== null) SHORT.add(element);
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

class UnpackedRules implements ServedRules {
  readonly hash: string;
  readonly matcher: PackedRoutes;
  readonly apis: ModelApis;
  readonly routeCount: number;
  readonly ownBytes: number;
  readonly services: RuleBundle['services'][number][] = [];
  readonly models = {
    providers: new Map<string, Provider>(),
    pools: new Map<string, Pool>(),
    models: new Map<string, Model>(),
  };
  readonly functions: string[] = [];
  readonly counters: RuleBundle['counters'][number][] = [];
  readonly #packed: PackedBundle;
  readonly #elements: ProgramConstant[] = [];
  readonly #lists: ProgramConstant[][] = [];
  readonly #programs: ReadTexts<Program, Program>;
  readonly #constants: ReadTexts<Constants, readonly ProgramConstant[]>;
  readonly #rules: ReadTexts<RuleInfo, RuleInfo>;

  constructor(packed: PackedBundle) {
    this.hash = packed.hash;
    this.matcher = packed.matcher;
    this.apis = packed.apis;
    this.routeCount = packed.programNumbers.length;
    this.ownBytes = packed.ownBytes;
    this.#packed = packed;
    this.#programs = new ReadTexts(packed.programs, (program) => program);
    this.#constants = new ReadTexts(packed.constants, (constants) =>
      constants.map(({ value, list }) => (list === null ? value : this.#lists[list]!)),
    );
    this.#rules = new ReadTexts(packed.rules, (rule) => rule);
  }

  rule(index: number): RuleInfo | null {
    return this.#rules.at(index);
  }

  program(index: number): RouteProgram {
    const route = readText<Route>(this.#packed.routes, index);
    assert(route !== null, `no route ${index} in this rule set`);
    const program = this.#programs.at(this.#packed.programNumbers[index]!)!;
    return { ...program, route, constants: this.#constants.at(this.#packed.constantNumbers[index]!)! };
  }

  add(part: Part): void {
    switch (part.kind) {
      case 'list':
        (this[part.list] as unknown[]).push(...part.items);
        return;
      case 'models':
        for (const item of part.items) (this.models[part.of] as Map<string, Named>).set(item.name, item);
        return;
      case 'elements':
        this.#elements.push(...part.items);
        return;
      case 'longer':
        this.#longerList(part.path).push(...part.items);
        return;
      case 'lists':
        for (const numbers of part.items) this.#lists.push(numbers.map((number) => this.#elements[number]!));
        return;
    }
  }

  #longerList(path: readonly (string | number)[]): ProgramConstant[] {
    let value: unknown = this.#elements.at(-1);
    for (const step of path) value = (value as Record<string | number, unknown>)[step];
    return value as ProgramConstant[];
  }
}
