/**
 * Finds the route of a request. Precedence, first difference decides (the order of the Kubernetes Gateway API,
 * HTTPRouteRule): exact host, longest wildcard, any host; then the path segment by segment, literal before `{name}`
 * before `{name...}`, so the longest static prefix wins; then more header conditions; then named methods before any; then order.
 * A route that fits in path but not in method or fields gives way to the next in that order.
 */
import type { Route } from '../model/world.ts';
import type { PatternSegment } from './route-pattern.ts';
import { parsePattern } from './route-pattern.ts';

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

/** Builds in steps, so that a thread can serve requests between them: yields after each route. Throws nothing; a bad pattern is returned. */
export function* buildRouteMatcher(
  routes: readonly (Pick<Route, 'name' | 'match'> | null)[],
): Generator<void, RouteMatcher | { readonly fault: string }> {
  const hosts = new Map<string, PathTree>();
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
      const tree = hosts.get(host) ?? { literals: new Map(), root: createNode() };
      hosts.set(host, tree);
      addRoute(tree, pattern.literal, pattern.segments, candidate);
    }
    yield;
  }
  return new CompiledMatcher(hosts);
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

interface Candidate {
  readonly route: number;
  /** Null for every method. */
  readonly methods: ReadonlySet<string> | null;
  readonly conditions: readonly { readonly name: string; readonly value: string }[];
}

interface PathTree {
  readonly literals: Map<string, Candidate[]>;
  readonly root: PathNode;
}

interface PathNode {
  literals: Map<string, PathNode> | null;
  one: PathNode | null;
  rest: Candidate[] | null;
  here: Candidate[] | null;
}

const ANY_HOST = '*';

function createNode(): PathNode {
  return { literals: null, one: null, rest: null, here: null };
}

function addRoute(
  tree: PathTree,
  literal: string | null,
  segments: readonly PatternSegment[],
  candidate: Candidate,
): void {
  if (literal !== null) {
    const known = tree.literals.get(literal);
    if (known === undefined) tree.literals.set(literal, [candidate]);
    else insertByPrecedence(known, candidate);
    return;
  }
  let node = tree.root;
  for (const segment of segments) {
    if (segment.kind === 'rest') {
      node.rest = insertByPrecedence(node.rest ?? [], candidate);
      return;
    }
    node = segment.kind === 'one' ? oneChild(node) : literalChild(node, segment.text);
  }
  node.here = insertByPrecedence(node.here ?? [], candidate);
}

function literalChild(node: PathNode, text: string): PathNode {
  node.literals ??= new Map();
  const child = node.literals.get(text) ?? createNode();
  node.literals.set(text, child);
  return child;
}

function oneChild(node: PathNode): PathNode {
  node.one ??= createNode();
  return node.one;
}

function insertByPrecedence(candidates: Candidate[], candidate: Candidate): Candidate[] {
  let at = candidates.length;
  while (at > 0 && precedes(candidate, candidates[at - 1]!)) at--;
  candidates.splice(at, 0, candidate);
  return candidates;
}

function precedes(left: Candidate, right: Candidate): boolean {
  if (left.conditions.length !== right.conditions.length)
    return left.conditions.length > right.conditions.length;
  return left.methods !== null && right.methods === null;
}

class CompiledMatcher implements RouteMatcher {
  readonly result: MatchResult = { parameters: [], parameterCount: 0, allowed: [] };
  readonly #hosts: ReadonlyMap<string, PathTree>;
  readonly #anyHost: PathTree | null;
  /** Most projects name no host at all: then none is looked up. */
  readonly #namesHosts: boolean;
  #method = '';
  #path = '';
  #fields: readonly string[] = [];

  constructor(hosts: ReadonlyMap<string, PathTree>) {
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

  #matchPath(tree: PathTree): number {
    const literal = tree.literals.get(this.#path);
    if (literal !== undefined) {
      const route = this.#choose(literal);
      if (route !== NO_ROUTE) return route;
    }
    return this.#descend(tree.root, 1);
  }

  /** `from` is where the next segment begins; length + 1 when there is none. Visits each node of the tree at most once. */
  #descend(node: PathNode, from: number): number {
    const path = this.#path;
    if (from > path.length) return node.here === null ? NO_ROUTE : this.#choose(node.here);
    const slash = path.indexOf('/', from);
    const end = slash === -1 ? path.length : slash;
    const depth = this.result.parameterCount;
    if (node.literals !== null) {
      const child = node.literals.get(path.slice(from, end));
      if (child !== undefined) {
        const route = this.#descend(child, end + 1);
        if (route !== NO_ROUTE) return route;
      }
    }
    if (node.one !== null && end > from) {
      this.#push(path.slice(from, end));
      const route = this.#descend(node.one, end + 1);
      if (route !== NO_ROUTE) return route;
      this.result.parameterCount = depth;
    }
    if (node.rest === null) return NO_ROUTE;
    this.#push(path.slice(from));
    const route = this.#choose(node.rest);
    if (route === NO_ROUTE) this.result.parameterCount = depth;
    return route;
  }

  #push(parameter: string): void {
    this.result.parameters[this.result.parameterCount++] = parameter;
  }

  #choose(candidates: readonly Candidate[]): number {
    for (let index = 0; index < candidates.length; index++) {
      const candidate = candidates[index]!;
      if (candidate.conditions.length > 0 && !this.#conditionsHold(candidate)) continue;
      if (candidate.methods === null || candidate.methods.has(this.#method)) return candidate.route;
      for (const method of candidate.methods)
        if (!this.result.allowed.includes(method)) this.result.allowed.push(method);
    }
    return NO_ROUTE;
  }

  #conditionsHold(candidate: Candidate): boolean {
    for (const { name, value } of candidate.conditions)
      if (!hasField(this.#fields, name, value)) return false;
    return true;
  }
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
