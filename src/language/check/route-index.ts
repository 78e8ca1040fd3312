import { serviceFact } from '../../model/route-service.ts';
import type { Route, World } from '../../model/world.ts';
import type { Operand, TypedExpression } from '../typed.ts';

/**
 * Finds the routes that a scope can apply to without trying every route: most scopes name routes, a service or a
 * tag, and a project may have 10,000 policies over 10,000 routes.
 */
export class RouteIndex {
  readonly all: readonly Route[];
  readonly #byValue: RoutesByFact;

  private constructor(all: readonly Route[], byValue: RoutesByFact) {
    this.all = all;
    this.#byValue = byValue;
  }

  static of(routes: Iterable<Route>): RouteIndex {
    const all = [...routes];
    return new RouteIndex(
      all,
      eachFact((valuesOf) => grouped(all, valuesOf)),
    );
  }

  /** The same as of all `routes`, of which `changed` came or went since this index was made. */
  with(routes: Iterable<Route>, changed: readonly Route[]): RouteIndex {
    const all = [...routes];
    return new RouteIndex(
      all,
      eachFact((valuesOf, fact) => {
        const values = new Set(changed.flatMap(valuesOf));
        const groups = new Map(this.#byValue[fact]);
        for (const value of values) groups.delete(value);
        for (const [value, group] of grouped(all, valuesOf, values)) groups.set(value, group);
        return groups;
      }),
    );
  }

  /** All tags of all routes, in no order that means anything. */
  get tags(): Iterable<string> {
    return this.#byValue['route.tags'].keys();
  }

  /** A superset of the routes for which `scope` is not false. */
  candidates(scope: TypedExpression): readonly Route[] {
    return this.#narrow(scope) ?? this.all;
  }

  #narrow(scope: TypedExpression): readonly Route[] | null {
    switch (scope.kind) {
      case 'compare':
        return scope.operator === 'is' ? this.#having(scope.left, scope.right) : null;
      case 'in':
        return scope.negated
          ? null
          : (this.#having(scope.element, scope.list) ?? this.#having(scope.list, scope.element));
      case 'and':
        return scope.operands.map((operand) => this.#narrow(operand)).reduce(smaller, null);
      case 'or': {
        const parts = scope.operands.map((operand) => this.#narrow(operand));
        return parts.includes(null) ? null : [...new Set(parts.flatMap((part) => part ?? []))];
      }
      default:
        return null;
    }
  }

  #having(fact: Operand, value: Operand): readonly Route[] | null {
    if (fact.kind !== 'fact' || !(fact.definition.path in this.#byValue)) return null;
    const byValue = this.#byValue[fact.definition.path as IndexedFact];
    if (value.kind === 'literal') return byValue.get(String(value.value)) ?? [];
    if (value.kind !== 'list') return null;
    return [...new Set(value.items.flatMap((item) => byValue.get(String(item.value)) ?? []))];
  }
}

const INDEXES = new WeakMap<World, RouteIndex>();

/** Made once for a world. */
export function routeIndexOf(world: World): RouteIndex {
  const index = INDEXES.get(world) ?? RouteIndex.of(world.routes.values());
  INDEXES.set(world, index);
  return index;
}

/** The same, made of that of another world: `changed` are the routes that only one of them has. */
export function indexWorldAfter(before: World, world: World, changed: readonly Route[]): void {
  if (!INDEXES.has(world)) INDEXES.set(world, routeIndexOf(before).with(world.routes.values(), changed));
}

type IndexedFact = 'route' | 'route.service' | 'route.tags' | 'route.state';
type RoutesByFact = Readonly<Record<IndexedFact, ReadonlyMap<string, readonly Route[]>>>;
type ValuesOf = (route: Route) => readonly string[];

const VALUES: Readonly<Record<IndexedFact, ValuesOf>> = {
  route: ({ name }) => [name],
  'route.service': (route) => [serviceFact(route)],
  'route.tags': ({ tags }) => tags,
  'route.state': ({ state }) => [state],
};

function eachFact(
  make: (valuesOf: ValuesOf, fact: IndexedFact) => ReadonlyMap<string, readonly Route[]>,
): RoutesByFact {
  return {
    route: make(VALUES.route, 'route'),
    'route.service': make(VALUES['route.service'], 'route.service'),
    'route.tags': make(VALUES['route.tags'], 'route.tags'),
    'route.state': make(VALUES['route.state'], 'route.state'),
  };
}

function smaller(a: readonly Route[] | null, b: readonly Route[] | null): readonly Route[] | null {
  if (a === null || b === null) return a ?? b;
  return a.length <= b.length ? a : b;
}

/** `asked`: the values that are of interest; null for all. */
function grouped(
  routes: readonly Route[],
  valuesOf: ValuesOf,
  asked: ReadonlySet<string> | null = null,
): ReadonlyMap<string, readonly Route[]> {
  const groups = new Map<string, Route[]>();
  if (asked?.size === 0) return groups;
  for (const route of routes) {
    for (const value of valuesOf(route)) {
      if (asked !== null && !asked.has(value)) continue;
      const group = groups.get(value);
      if (group === undefined) groups.set(value, [route]);
      else group.push(route);
    }
  }
  return groups;
}
