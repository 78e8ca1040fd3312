import { compareCodePoints } from '../language/order.ts';
import type { Route } from '../model/world.ts';

/** For each route its place among those of an earlier compilation, or -1 where it was not there as it is. Both by name. */
export function placesBefore(routes: readonly Route[], before: readonly Route[]): Int32Array {
  if (routes === before) return Int32Array.from(routes, (_, at) => at);
  const places = new Int32Array(routes.length);
  let next = 0;
  for (let at = 0; at < routes.length; at++) {
    const route = routes[at]!;
    // looked at first: comparing ten thousand names would cost more than all the rest
    while (next < before.length && before[next] !== route && comesFirst(before[next]!, route)) next++;
    places[at] = before[next] === route ? next : -1;
  }
  return places;
}

function comesFirst(a: Route, b: Route): boolean {
  return compareCodePoints(a.name, b.name) <= 0;
}
