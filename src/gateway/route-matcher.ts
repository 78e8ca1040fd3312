/**
 * Finds the route of a request. Precedence, first difference decides (the order of the Kubernetes Gateway API,
 * HTTPRouteRule): exact host, longest wildcard, any host; then the path segment by segment, literal before `{name}`
 * before `{name...}`, so the longest static prefix wins; then more header conditions; then named methods before any; then order.
 * A route that fits in path but not in method or fields gives way to the next in that order.
 */
import type { Route } from '../model/world.ts';
import {
  CANDIDATE_CELLS,
  HOSTS,
  NODE_CELLS,
  NOTHING,
  type PackedRoutes,
  packRoutes,
  RouteTable,
  WHOLE_PATHS_AFTER_ROOT,
} from './packed-routes.ts';
import { parsePattern } from './route-pattern.ts';
import { type Candidate, type FieldCondition, RouteTree } from './route-tree.ts';

export const NO_ROUTE = -1;

/** What a match leaves beside the route's index; one per matcher, read before the next match. */
export interface MatchResult {
  /** Raw (still escaped) values in the order of the pattern; only the first `parameterCount` are of this match. */
  readonly parameters: string[];
  parameterCount: number;
  /** Methods that would have been accepted, after `NO_ROUTE`: empty means 404, else 405. */
  readonly allowed: string[];
  /** The first route that would have been found with another method; of a match that leaves methods in `allowed`. */
  refused: number;
}

export interface RouteMatcher {
  readonly result: MatchResult;
  /** `host` in lower case without port, `path` in normal form, `fields` lower-case name, value, … */
  match(method: string, host: string, path: string, fields: readonly string[]): number;
}

/** For all threads: a version's routes are packed once. Throws nothing; a bad pattern is returned. */
export function packMatcher(
  routes: readonly (Pick<Route, 'name' | 'match'> | null)[],
): PackedRoutes | { readonly fault: string } {
  const hosts = new Map<string, RouteTree>();
  for (const [index, route] of routes.entries()) {
    if (route === null) continue;
    const pattern = parsePattern(route.match.path);
    if ('fault' in pattern) return { fault: `route "${route.name}": ${pattern.fault}` };
    const candidate: Candidate = {
      route: index,
      methods: route.match.methods.length === 0 ? null : new Set(route.match.methods),
      conditions: route.match.headers,
    };
    for (const host of route.match.hosts.length === 0 ? [ANY_HOST] : route.match.hosts) {
      const tree = hosts.get(host) ?? new RouteTree();
      hosts.set(host, tree);
      tree.add(pattern.literal, pattern.segments, candidate);
    }
  }
  return packRoutes(hosts);
}

export function createMatcher(packed: PackedRoutes): RouteMatcher {
  return new PackedMatcher(new RouteTable(packed));
}

const ANY_HOST = '*';

class PackedMatcher implements RouteMatcher {
  readonly result: MatchResult = { parameters: [], parameterCount: 0, allowed: [], refused: NO_ROUTE };
  readonly #table: RouteTable;
  /** Root of its tree, or NOTHING. */
  readonly #anyHost: number;
  /** Most projects name no host at all: then none is looked up. */
  readonly #namesHosts: boolean;
  #method = '';
  #path = '';
  #fields: readonly string[] = [];

  constructor(table: RouteTable) {
    this.#table = table;
    this.#anyHost = this.#rootOf(ANY_HOST);
    this.#namesHosts = table.hostCount > (this.#anyHost === NOTHING ? 0 : 1);
  }

  match(method: string, host: string, path: string, fields: readonly string[]): number {
    this.#method = method;
    this.#path = path;
    this.#fields = fields;
    this.result.parameterCount = 0;
    this.result.allowed.length = 0;
    const named = this.#namesHosts ? this.#matchNamedHost(host) : NO_ROUTE;
    if (named !== NO_ROUTE || this.#anyHost === NOTHING) return named;
    return this.#matchPath(this.#anyHost);
  }

  #matchNamedHost(host: string): number {
    const exact = this.#rootOf(host);
    if (exact !== NOTHING) {
      const route = this.#matchPath(exact);
      if (route !== NO_ROUTE) return route;
    }
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const wildcard = this.#rootOf(`*${host.slice(dot)}`);
      if (wildcard === NOTHING) continue;
      const route = this.#matchPath(wildcard);
      if (route !== NO_ROUTE) return route;
    }
    return NO_ROUTE;
  }

  #rootOf(host: string): number {
    return this.#table.child(HOSTS, host, 0, host.length);
  }

  #matchPath(root: number): number {
    const table = this.#table;
    const path = this.#path;
    const wholePaths = root + WHOLE_PATHS_AFTER_ROOT;
    if (table.nodes[wholePaths * NODE_CELLS.count + NODE_CELLS.literals] === 1) {
      const node = table.child(wholePaths, path, 0, path.length);
      const route = node === NOTHING ? NO_ROUTE : this.#choose(here(table, node));
      if (route !== NO_ROUTE) return route;
    }
    return this.#descend(root, 1);
  }

  /** `from` is where the next segment begins; length + 1 when there is none. Visits each node of the tree at most once. */
  #descend(node: number, from: number): number {
    const table = this.#table;
    const path = this.#path;
    if (from > path.length) return this.#choose(here(table, node));
    const slash = path.indexOf('/', from);
    const end = slash === -1 ? path.length : slash;
    const depth = this.result.parameterCount;
    const at = node * NODE_CELLS.count;
    if (table.nodes[at + NODE_CELLS.literals] === 1) {
      const child = table.child(node, path, from, end);
      if (child !== NOTHING) {
        const route = this.#descend(child, end + 1);
        if (route !== NO_ROUTE) return route;
      }
    }
    const one = table.nodes[at + NODE_CELLS.one]!;
    if (one !== NOTHING && end > from) {
      this.#push(path.slice(from, end));
      const route = this.#descend(one, end + 1);
      if (route !== NO_ROUTE) return route;
      this.result.parameterCount = depth;
    }
    const rest = table.nodes[at + NODE_CELLS.rest]!;
    if (rest === NOTHING) return NO_ROUTE;
    this.#push(path.slice(from));
    const route = this.#choose(rest);
    if (route === NO_ROUTE) this.result.parameterCount = depth;
    return route;
  }

  #push(parameter: string): void {
    this.result.parameters[this.result.parameterCount++] = parameter;
  }

  /** Of the list that begins with candidate `first`; NOTHING for no list. */
  #choose(first: number): number {
    if (first === NOTHING) return NO_ROUTE;
    const table = this.#table;
    const { candidates } = table;
    for (let at = first * CANDIDATE_CELLS.count; ; at += CANDIDATE_CELLS.count) {
      const conditions = candidates[at + CANDIDATE_CELLS.conditions]!;
      if (conditions === NOTHING || this.#conditionsHold(table.conditions(conditions))) {
        const methods = candidates[at + CANDIDATE_CELLS.methods]!;
        if (methods === NOTHING || table.methods(methods).has(this.#method))
          return candidates[at + CANDIDATE_CELLS.route]!;
        if (this.result.allowed.length === 0) this.result.refused = candidates[at + CANDIDATE_CELLS.route]!;
        this.#allow(table.methods(methods));
      }
      if (candidates[at + CANDIDATE_CELLS.last] === 1) return NO_ROUTE;
    }
  }

  #allow(methods: ReadonlySet<string>): void {
    for (const method of methods) if (!this.result.allowed.includes(method)) this.result.allowed.push(method);
  }

  #conditionsHold(conditions: readonly FieldCondition[]): boolean {
    for (const { name, value } of conditions) if (!hasField(this.#fields, name, value)) return false;
    return true;
  }
}

function here(table: RouteTable, node: number): number {
  return table.nodes[node * NODE_CELLS.count + NODE_CELLS.here]!;
}

/** Whether the field is there exactly once, with exactly this value: a repeated one could be read either way. */
/** Once; null is any value. */
function hasField(fields: readonly string[], name: string, value: string | null): boolean {
  let found = false;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    if (found || (value !== null && fields[index + 1] !== value)) return false;
    found = true;
  }
  return found;
}
