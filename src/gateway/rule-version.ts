/** One version of the rules as a data thread serves it: matcher, services, and what a route needs, made on its first request. */
import type { Route } from '../model/world.ts';
import type { CounterBinding, Counters } from '../pipeline/counters.ts';
import type { BoundRuntime, InstantiateRoute, RoutePipeline, RouteProgram } from '../pipeline/program.ts';
import type { Upstream, UpstreamService } from '../pipeline/upstream.ts';
import { IDEMPOTENT_METHODS } from './field-kinds.ts';
import type { PathTemplate } from './path-template.ts';
import { parseTemplate } from './path-template.ts';
import type { RouteMatcher } from './route-matcher.ts';
import { createMatcher } from './route-matcher.ts';
import type { ServedRules } from './served-rules.ts';

export interface VersionParts {
  readonly epoch: number;
  readonly rules: ServedRules;
  /** Of all endpoints, in the order of services and endpoints. */
  readonly endpointSlots: Int32Array;
  readonly counters: Counters;
  readonly upstream: Upstream;
  readonly instantiate: InstantiateRoute;
  readonly hashKey: BoundRuntime['hashKey'];
  readonly combineKey: BoundRuntime['combineKey'];
  readonly bodies: BoundRuntime['bodies'];
  readonly alerts: BoundRuntime['alerts'];
}

/** What a request needs of its route. */
export interface RoutePlan {
  readonly rules: ServedRules;
  /** Bodies that are read whole are held in memory, within a bound of their own. */
  readonly maxBodyBytes: number;
  readonly program: RouteProgram;
  readonly pipeline: RoutePipeline;
  readonly service: UpstreamService;
  readonly timeouts: ServedRules['services'][number]['timeouts'];
  readonly template: PathTemplate | null;
}

/** Builds in steps: the caller serves requests between them. */
export function* buildRuleVersion(parts: VersionParts): Generator<void, RuleVersion> {
  const services: UpstreamService[] = [];
  try {
    let first = 0;
    for (const service of parts.rules.services) {
      const next = first + service.endpoints.length;
      services.push(parts.upstream.service(service, [...parts.endpointSlots.subarray(first, next)]));
      first = next;
      yield;
    }
    return new RuleVersion(parts, services, parts.counters.bind(parts.rules.counters));
  } catch (error) {
    // Nobody else will: the version that was to own them is not there.
    for (const service of services) service.retire();
    throw error;
  }
}

export class RuleVersion {
  readonly epoch: number;
  readonly rules: ServedRules;
  readonly matcher: RouteMatcher;
  readonly services: readonly UpstreamService[];
  readonly binding: CounterBinding;
  /** Requests that this version is handling. */
  inFlight = 0;
  readonly #runtime: BoundRuntime;
  readonly #instantiate: InstantiateRoute;
  readonly #plans: (RoutePlan | null)[];

  constructor(parts: VersionParts, services: readonly UpstreamService[], binding: CounterBinding) {
    this.epoch = parts.epoch;
    this.rules = parts.rules;
    this.matcher = createMatcher(parts.rules.matcher);
    this.services = services;
    this.binding = binding;
    const { hashKey, combineKey, bodies, alerts } = parts;
    this.#runtime = { counters: binding, hashKey, combineKey, bodies, alerts };
    this.#instantiate = parts.instantiate;
    this.#plans = new Array<RoutePlan | null>(parts.rules.routeCount).fill(null);
  }

  plan(route: number): RoutePlan {
    return this.#plans[route] ?? this.#makePlan(route);
  }

  #makePlan(route: number): RoutePlan {
    const program = this.rules.program(route);
    const { upstreamPath } = program.route;
    const plan: RoutePlan = {
      rules: this.rules,
      maxBodyBytes:
        program.body === null
          ? program.route.maxBodyBytes
          : Math.min(program.route.maxBodyBytes, this.#runtime.bodies.limits.requestBodyBufferedBytes),
      program,
      pipeline: this.#instantiate(this.rules.functions, program, this.#runtime),
      service: this.services[program.service]!,
      timeouts: this.rules.services[program.service]!.timeouts,
      template: upstreamPath === null ? null : parseTemplate(upstreamPath, program.parameterNames),
    };
    this.#plans[route] = plan;
    return plan;
  }
}

/** RFC 9110, 9.2.2: sending it twice is as good as once; other methods only where the route says so. */
export function isRepeatable(method: string, route: Route): boolean {
  // a further attempt might be billed, and nothing was reserved for it (language-rules #30)
  if (route.cost !== null && route.cost.atMost > 0) return false;
  return IDEMPOTENT_METHODS.has(method) || route.repeatUnsafeMethods;
}
