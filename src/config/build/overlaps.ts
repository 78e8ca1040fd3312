import type { RouteMatch } from '../../model/world.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';

export interface PlacedRoute {
  readonly name: string;
  readonly match: RouteMatch;
  /** What another route must have one of to overlap with it. */
  readonly keys: readonly string[];
  readonly here: Here;
}

/**
 * Reports routes that fit one request equally well. The order of precedence is the gateway's: host (exact, longest
 * wildcard, any), path, number of header conditions, named methods before all methods. Two routes overlap when they
 * share a host, the path shape, a method, and as many header conditions that do not contradict each other.
 */
export function checkOverlap(files: readonly (readonly PlacedRoute[])[], report: Report): void {
  const rivals = new Map<string, PlacedRoute[]>();
  for (const route of files.flat()) {
    for (const rival of new Set(placeAmong(rivals, route))) reportOverlap(route, rival, report);
  }
}

/**
 * Routes of which none overlap, by their keys: while one file changes, only its routes are compared with all others. One
 * version is held.
 */
export class ApartRoutes {
  readonly #rivals = new Map<string, PlacedRoute[]>();
  #files: ReadonlySet<readonly PlacedRoute[]> = new Set();

  /** Whether none of the files' routes overlap. After a false one only a new object knows more. */
  are(files: readonly (readonly PlacedRoute[])[]): boolean {
    const now = new Set(files);
    for (const file of this.#files) if (!now.has(file)) for (const route of file) this.#remove(route);
    const added = files.filter((file) => !this.#files.has(file)).flat();
    this.#files = now;
    return added.every((route) => placeAmong(this.#rivals, route).length === 0);
  }

  #remove(route: PlacedRoute): void {
    for (const key of route.keys) {
      const others = (this.#rivals.get(key) ?? []).filter((other) => other !== route);
      if (others.length === 0) this.#rivals.delete(key);
      else this.#rivals.set(key, others);
    }
  }
}

/** For each key the first of the routes there that fits the same requests. */
function placeAmong(rivals: Map<string, PlacedRoute[]>, route: PlacedRoute): readonly PlacedRoute[] {
  const found: PlacedRoute[] = [];
  for (const key of route.keys) {
    const known = rivals.get(key);
    if (known === undefined) {
      rivals.set(key, [route]);
      continue;
    }
    const rival = known.find((other) => areEqual(route.match, other.match));
    if (rival !== undefined) found.push(rival);
    known.push(route);
  }
  return found;
}

/** What two routes must have in common to overlap: a host, the shape, the number of conditions, a method. */
export function overlapKeys(match: RouteMatch, shape: string): readonly string[] {
  const hosts = match.hosts.length === 0 ? [''] : match.hosts;
  const methods = match.methods.length === 0 ? [''] : match.methods;
  const keys = hosts.flatMap((host) =>
    methods.map((method) => `${match.headers.length} ${method} ${host} ${shape}`),
  );
  // Of a hundred thousand routes: what flatMap returns has room for seventeen.
  return keys.slice();
}

function areEqual(left: RouteMatch, right: RouteMatch): boolean {
  return left.headers.every(
    ({ name, value }) =>
      !right.headers.some((other) => other.name === name && contradict(value, other.value)),
  );
}

/** Null is any value. */
function contradict(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
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
