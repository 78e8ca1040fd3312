/** One version of the rules as a data thread serves it: matcher, services, and pipelines made on a route's first request. */
import type { Route } from '../model/world.ts';
import type { CounterBinding, Counters } from '../pipeline/counters.ts';
import type {
  BoundRuntime,
  InstantiateRoute,
  RoutePipeline,
  RouteProgram,
  RuleBundle,
} from '../pipeline/program.ts';
import type { Upstream, UpstreamService } from '../pipeline/upstream.ts';
import { IDEMPOTENT_METHODS } from './field-kinds.ts';
import type { PathTemplate } from './path-template.ts';
import { parseTemplate } from './path-template.ts';
import type { RouteMatcher } from './route-matcher.ts';
import { buildRouteMatcher } from './route-matcher.ts';

export interface VersionParts {
  readonly epoch: number;
  readonly bundle: RuleBundle;
  readonly counters: Counters;
  readonly upstream: Upstream;
  readonly instantiate: InstantiateRoute;
  readonly hashKey: BoundRuntime['hashKey'];
  readonly combineKey: BoundRuntime['combineKey'];
  readonly bodies: BoundRuntime['bodies'];
}

/** What a request needs of its route. */
export interface RoutePlan {
  readonly bundle: RuleBundle;
  /** Bodies that are read whole are held in memory, within a bound of their own. */
  readonly maxBodyBytes: number;
  readonly program: RouteProgram;
  readonly pipeline: RoutePipeline;
  readonly service: UpstreamService;
  readonly timeouts: RuleBundle['services'][number]['timeouts'];
  readonly template: PathTemplate | null;
}

/** Builds in steps: the caller serves requests between them. */
export function* buildRuleVersion(
  parts: VersionParts,
): Generator<void, RuleVersion | { readonly fault: string }> {
  const served = parts.bundle.routes.map((program) => (isServed(program.route) ? program.route : null));
  yield;
  const matcher = yield* buildRouteMatcher(served);
  if ('fault' in matcher) return matcher;
  const services: UpstreamService[] = [];
  for (const service of parts.bundle.services) {
    services.push(parts.upstream.service(service));
    yield;
  }
  const binding = parts.counters.bind(parts.bundle.counters);
  return new RuleVersion(parts, matcher, services, binding);
}

export class RuleVersion {
  readonly epoch: number;
  readonly bundle: RuleBundle;
  readonly matcher: RouteMatcher;
  readonly services: readonly UpstreamService[];
  readonly binding: CounterBinding;
  /** Requests that this version is handling. */
  inFlight = 0;
  readonly #runtime: BoundRuntime;
  readonly #instantiate: InstantiateRoute;
  readonly #plans: (RoutePlan | null)[];

  constructor(
    parts: VersionParts,
    matcher: RouteMatcher,
    services: readonly UpstreamService[],
    binding: CounterBinding,
  ) {
    this.epoch = parts.epoch;
    this.bundle = parts.bundle;
    this.matcher = matcher;
    this.services = services;
    this.binding = binding;
    const { hashKey, combineKey, bodies } = parts;
    this.#runtime = { counters: binding, hashKey, combineKey, bodies };
    this.#instantiate = parts.instantiate;
    this.#plans = new Array<RoutePlan | null>(parts.bundle.routes.length).fill(null);
  }

  plan(route: number): RoutePlan {
    return this.#plans[route] ?? this.#makePlan(route);
  }

  #makePlan(route: number): RoutePlan {
    const program = this.bundle.routes[route]!;
    const { upstreamPath } = program.route;
    const plan: RoutePlan = {
      bundle: this.bundle,
      maxBodyBytes:
        program.body === null
          ? program.route.maxBodyBytes
          : Math.min(program.route.maxBodyBytes, this.#runtime.bodies.limits.requestBodyBufferedBytes),
      program,
      pipeline: this.#instantiate(this.bundle, route, this.#runtime),
      service: this.services[program.service]!,
      timeouts: this.bundle.services[program.service]!.timeouts,
      template: upstreamPath === null ? null : parseTemplate(upstreamPath, program.parameterNames),
    };
    this.#plans[route] = plan;
    return plan;
  }
}

/** Drafts are part of the project, not of the traffic. Retired routes are found, and answered with 410. */
function isServed(route: Route): boolean {
  return route.state !== 'draft';
}

/** RFC 9110, 9.2.2: sending it twice is as good as once; other methods only where the route says so. */
export function isRepeatable(method: string, route: Route): boolean {
  return IDEMPOTENT_METHODS.has(method) || route.repeatUnsafeMethods;
}
