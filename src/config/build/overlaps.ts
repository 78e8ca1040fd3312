import type { RouteMatch } from '../../model/world.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';

export interface PlacedRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** Path pattern without the names of its parameters. */
  readonly shape: string;
  readonly here: Here;
}

/**
 * Reports routes that fit one request equally well. The order of precedence is the gateway's: host (exact, longest
 * wildcard, any), path, number of header conditions, named methods before all methods. Two routes overlap when they
 * share a host, the path shape, a method, and as many header conditions that do not contradict each other.
 */
export function checkOverlap(routes: readonly PlacedRoute[], report: Report): void {
  const rivals = new Map<string, PlacedRoute[]>();
  for (const route of routes) {
    const earlier = new Set<PlacedRoute>();
    for (const key of keysOf(route)) {
      const known = rivals.get(key);
      if (known === undefined) {
        rivals.set(key, [route]);
        continue;
      }
      const rival = known.find((other) => areEqual(route.match, other.match));
      if (rival !== undefined) earlier.add(rival);
      known.push(route);
    }
    for (const rival of earlier) reportOverlap(route, rival, report);
  }
}

/** What two routes must have in common to overlap: a host, the shape, the number of conditions, a method. */
function keysOf({ match, shape }: PlacedRoute): readonly string[] {
  const hosts = match.hosts.length === 0 ? [''] : match.hosts;
  const methods = match.methods.length === 0 ? [''] : match.methods;
  return hosts.flatMap((host) =>
    methods.map((method) => `${match.headers.length} ${method} ${host} ${shape}`),
  );
}

function areEqual(left: RouteMatch, right: RouteMatch): boolean {
  return left.headers.every(
    ({ name, value }) => !right.headers.some((other) => other.name === name && other.value !== value),
  );
}

function reportOverlap(route: PlacedRoute, rival: PlacedRoute, report: Report): void {
  report({
    code: 'PT3301',
    message: `The routes "${route.name}" and "${rival.name}" fit the same requests equally well.`,
    target: valueAt(below(route.here, 'match', 'path')),
    help: 'Tell them apart by path, method, host or a header field, or remove one of them.',
    related: [
      { target: valueAt(below(rival.here, 'match', 'path')), message: `"${rival.name}" matches here` },
    ],
  });
}
