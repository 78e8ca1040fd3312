/**
 * Finds the route of a request. Precedence, first difference decides (the order of the Kubernetes Gateway API,
 * HTTPRouteRule): exact host, longest wildcard, any host; then the path segment by segment, literal before `{name}`
 * before `{name...}`, so the longest static prefix wins; then more header conditions; then named methods before any; then order.
 * A route that fits in path but not in method or fields gives way to the next in that order.
 */
import type { Route } from '../model/world.ts';
import {
  CANDIDATE_CELLS,
  NODE_CELLS,
  NOTHING,
  PackedRoutes,
  TREE_ROOT,
  WHOLE_PATHS_ROOT,
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
}

export interface RouteMatcher {
  readonly result: MatchResult;
  /** `host` in lower case without port, `path` in normal form, `fields` lower-case name, value, … */
  match(method: string, host: string, path: string, fields: readonly string[]): number;
}

/** Builds in steps, so that a thread can serve requests between them: yields after each route, and while it packs. Throws nothing; a bad pattern is returned. */
export function* buildRouteMatcher(
  routes: readonly (Pick<Route, 'name' | 'match'> | null)[],
): Generator<void, RouteMatcher | { readonly fault: string }> {
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
    yield;
  }
  const packed = new Map<string, PackedRoutes>();
  for (const [host, tree] of hosts) packed.set(host, yield* PackedRoutes.of(tree));
  return new CompiledMatcher(packed);
}

/** Runs the whole build at once: tests, and small sets. */
export function buildRouteMatcherAtOnce(
  routes: readonly (Pick<Route, 'name' | 'match'> | null)[],
): RouteMatcher | { readonly fault: string } {
  const steps = buildRouteMatcher(routes);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const ANY_HOST = '*';

class CompiledMatcher implements RouteMatcher {
  readonly result: MatchResult = { parameters: [], parameterCount: 0, allowed: [] };
  readonly #hosts: ReadonlyMap<string, PackedRoutes>;
  readonly #anyHost: PackedRoutes | null;
  /** Most projects name no host at all: then none is looked up. */
  readonly #namesHosts: boolean;
  #method = '';
  #path = '';
  #fields: readonly string[] = [];

  constructor(hosts: ReadonlyMap<string, PackedRoutes>) {
    this.#hosts = hosts;
    this.#anyHost = hosts.get(ANY_HOST) ?? null;
    this.#namesHosts = hosts.size > (this.#anyHost === null ? 0 : 1);
  }

  match(method: string, host: string, path: string, fields: readonly string[]): number {
    this.#method = method;
    this.#path = path;
    this.#fields = fields;
    this.result.parameterCount = 0;
    this.result.allowed.length = 0;
    const named = this.#namesHosts ? this.#matchNamedHost(host) : NO_ROUTE;
    if (named !== NO_ROUTE || this.#anyHost === null) return named;
    return this.#matchPath(this.#anyHost);
  }

  #matchNamedHost(host: string): number {
    const exact = this.#hosts.get(host);
    if (exact !== undefined) {
      const route = this.#matchPath(exact);
      if (route !== NO_ROUTE) return route;
    }
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const wildcard = this.#hosts.get(`*${host.slice(dot)}`);
      if (wildcard === undefined) continue;
      const route = this.#matchPath(wildcard);
      if (route !== NO_ROUTE) return route;
    }
    return NO_ROUTE;
  }

  #matchPath(routes: PackedRoutes): number {
    const path = this.#path;
    if (routes.nodes[WHOLE_PATHS_ROOT * NODE_CELLS.count + NODE_CELLS.literals] === 1) {
      const node = routes.child(WHOLE_PATHS_ROOT, path, 0, path.length);
      const route = node === NOTHING ? NO_ROUTE : this.#choose(routes, here(routes, node));
      if (route !== NO_ROUTE) return route;
    }
    return this.#descend(routes, TREE_ROOT, 1);
  }

  /** `from` is where the next segment begins; length + 1 when there is none. Visits each node of the tree at most once. */
  #descend(routes: PackedRoutes, node: number, from: number): number {
    const path = this.#path;
    if (from > path.length) return this.#choose(routes, here(routes, node));
    const slash = path.indexOf('/', from);
    const end = slash === -1 ? path.length : slash;
    const depth = this.result.parameterCount;
    const at = node * NODE_CELLS.count;
    if (routes.nodes[at + NODE_CELLS.literals] === 1) {
      const child = routes.child(node, path, from, end);
      if (child !== NOTHING) {
        const route = this.#descend(routes, child, end + 1);
        if (route !== NO_ROUTE) return route;
      }
    }
    const one = routes.nodes[at + NODE_CELLS.one]!;
    if (one !== NOTHING && end > from) {
      this.#push(path.slice(from, end));
      const route = this.#descend(routes, one, end + 1);
      if (route !== NO_ROUTE) return route;
      this.result.parameterCount = depth;
    }
    const rest = routes.nodes[at + NODE_CELLS.rest]!;
    if (rest === NOTHING) return NO_ROUTE;
    this.#push(path.slice(from));
    const route = this.#choose(routes, rest);
    if (route === NO_ROUTE) this.result.parameterCount = depth;
    return route;
  }

  #push(parameter: string): void {
    this.result.parameters[this.result.parameterCount++] = parameter;
  }

  /** Of the list that begins with candidate `first`; NOTHING for no list. */
  #choose(routes: PackedRoutes, first: number): number {
    if (first === NOTHING) return NO_ROUTE;
    const { candidates } = routes;
    for (let at = first * CANDIDATE_CELLS.count; ; at += CANDIDATE_CELLS.count) {
      const conditions = candidates[at + CANDIDATE_CELLS.conditions]!;
      if (conditions === NOTHING || this.#conditionsHold(routes.conditionLists[conditions]!)) {
        const methods = candidates[at + CANDIDATE_CELLS.methods]!;
        if (methods === NOTHING || routes.methodSets[methods]!.has(this.#method))
          return candidates[at + CANDIDATE_CELLS.route]!;
        this.#allow(routes.methodSets[methods]!);
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

function here(routes: PackedRoutes, node: number): number {
  return routes.nodes[node * NODE_CELLS.count + NODE_CELLS.here]!;
}

/** Whether the field is there exactly once, with exactly this value: a repeated one could be read either way. */
function hasField(fields: readonly string[], name: string, value: string): boolean {
  let found = false;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    if (found || fields[index + 1] !== value) return false;
    found = true;
  }
  return found;
}
