import { compareCodePoints } from '../language/order.ts';
import type { Route, World } from '../model/world.ts';

type Routes = World['routes'];

/** In the order of the rule set: by name. */
export function sortedRoutes(routes: Routes): readonly Route[] {
  return [...routes.values()].sort(byName);
}

/** The last routes that were sorted: of ten thousand, one file changes a few. */
export class SortedRoutes {
  #routes: Routes = new Map();
  #sorted: readonly Route[] = [];

  /** As {@link sortedRoutes}; the same array for the same routes. */
  of(routes: Routes): readonly Route[] {
    if (routes === this.#routes) return this.#sorted;
    const before = this.#routes;
    const kept = this.#sorted.filter((route) => routes.get(route.name) === route);
    const added = [...routes.values()].filter((route) => before.get(route.name) !== route);
    this.#routes = routes;
    this.#sorted = added.length === 0 ? kept : merged(kept, added.sort(byName));
    return this.#sorted;
  }
}

/** Looks up where each of the few belongs among the many. */
function merged(many: readonly Route[], few: readonly Route[]): readonly Route[] {
  const parts: (readonly Route[])[] = [];
  let from = 0;
  for (const route of few) {
    const place = placeAmong(many, route, from);
    parts.push(many.slice(from, place), [route]);
    from = place;
  }
  return [...parts, many.slice(from)].flat();
}

function placeAmong(routes: readonly Route[], route: Route, from: number): number {
  let low = from;
  let high = routes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byName(routes[middle]!, route) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byName(a: Route, b: Route): number {
  return compareCodePoints(a.name, b.name);
}
