import type { Route, World } from '../../model/world.ts';
import type { Operand, TypedExpression } from '../typed.ts';

/**
 * Finds the routes that a scope can apply to without trying every route: most scopes name routes, a service or a
 * tag, and a project may have 10,000 policies over 10,000 routes.
 */
export class RouteIndex {
  readonly all: readonly Route[];
  readonly #byValue: Readonly<Record<IndexedFact, ReadonlyMap<string, readonly Route[]>>>;

  constructor(routes: Iterable<Route>) {
    this.all = [...routes];
    this.#byValue = {
      route: grouped(this.all, ({ name }) => [name]),
      'route.service': grouped(this.all, ({ service }) => [service]),
      'route.tags': grouped(this.all, ({ tags }) => tags),
      'route.state': grouped(this.all, ({ state }) => [state]),
    };
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
  const index = INDEXES.get(world) ?? new RouteIndex(world.routes.values());
  INDEXES.set(world, index);
  return index;
}

type IndexedFact = 'route' | 'route.service' | 'route.tags' | 'route.state';

function smaller(a: readonly Route[] | null, b: readonly Route[] | null): readonly Route[] | null {
  if (a === null || b === null) return a ?? b;
  return a.length <= b.length ? a : b;
}

function grouped(
  routes: readonly Route[],
  valuesOf: (route: Route) => readonly string[],
): ReadonlyMap<string, readonly Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    for (const value of valuesOf(route)) {
      const group = groups.get(value);
      if (group === undefined) groups.set(value, [route]);
      else group.push(route);
    }
  }
  return groups;
}
