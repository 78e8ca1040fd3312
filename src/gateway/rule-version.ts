/** One version of the rules as a data thread serves it: matcher, services, and what a route needs, made on its first request. */
import { type Dialect, dialectOf } from '../model/pools.ts';
import { callOperationOf, isListOperation } from '../model/route-calls.ts';
import type { Route, Timeouts } from '../model/world.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { CounterBinding, Counters } from '../pipeline/counters.ts';
import type { BoundModels, ModelServices } from '../pipeline/key-pool.ts';
import type { ModelService } from '../pipeline/model-request.ts';
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
  readonly turns: BoundRuntime['turns'];
  readonly upstream: Upstream;
  readonly instantiate: InstantiateRoute;
  readonly hashKey: BoundRuntime['hashKey'];
  readonly combineKey: BoundRuntime['combineKey'];
  readonly bodies: BoundRuntime['bodies'];
  readonly alerts: BoundRuntime['alerts'];
  readonly models: ModelServices;
  /** Of the keys of pools (opaque here: `pools/` makes and reads it). */
  readonly preparedPools: unknown;
}

/** What a request needs of its route. */
export interface RoutePlan {
  readonly rules: ServedRules;
  /** Bodies that are read whole are held in memory, within a bound of their own. */
  readonly maxBodyBytes: number;
  readonly program: RouteProgram;
  readonly pipeline: RoutePipeline;
  readonly service: UpstreamService;
  /** The service, where it is one that sends calls to models; else null. */
  readonly models: ModelService | null;
  readonly timeouts: ServedRules['services'][number]['timeouts'];
  readonly template: PathTemplate | null;
  /** Of a route to models; null for those of services. */
  readonly dialect: Dialect | null;
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
  readonly #models: BoundModels;

  constructor(parts: VersionParts, services: readonly UpstreamService[], binding: CounterBinding) {
    this.epoch = parts.epoch;
    this.rules = parts.rules;
    this.matcher = createMatcher(parts.rules.matcher);
    this.services = services;
    this.binding = binding;
    const { turns, hashKey, combineKey, bodies, alerts } = parts;
    this.#runtime = { counters: binding, turns, hashKey, combineKey, bodies, alerts };
    this.#instantiate = parts.instantiate;
    const byName = new Map(parts.rules.services.map(({ name }, index) => [name, services[index]!]));
    this.#models = parts.models.bind(parts.rules.models, parts.preparedPools, byName);
    this.#plans = new Array<RoutePlan | null>(parts.rules.routeCount).fill(null);
  }

  plan(route: number): RoutePlan {
    return this.#plans[route] ?? this.#makePlan(route);
  }

  #makePlan(route: number): RoutePlan {
    const program = this.rules.program(route);
    const { upstreamPath, ai, maxBodyBytes, match } = program.route;
    const pipeline = this.#instantiate(this.rules.functions, program, this.#runtime);
    const operation = callOperationOf(program.route);
    const models = operation === null ? null : this.#models.service(operation);
    // What a call to a model is about stands in its body.
    const readsBody = program.body !== null || pipeline.maskRequest !== null || models !== null;
    const plan: RoutePlan = {
      rules: this.rules,
      maxBodyBytes: readsBody
        ? Math.min(maxBodyBytes, this.#runtime.bodies.limits.requestBodyBufferedBytes)
        : maxBodyBytes,
      program,
      pipeline: readsBody && pipeline.readBody === null ? { ...pipeline, readBody: readUnjudged } : pipeline,
      service:
        models ??
        (ai !== null && isListOperation(ai)
          ? this.#models.list(ai, match.path)
          : this.services[program.service]!),
      models,
      timeouts: ai === null ? this.rules.services[program.service]!.timeouts : this.#modelTimeouts(),
      template: upstreamPath === null ? null : parseTemplate(upstreamPath, program.parameterNames),
      dialect: ai === null ? null : dialectOf(ai),
    };
    this.#plans[route] = plan;
    return plan;
  }

  /** The provider is not known yet: none is cut short by the time of another. */
  #modelTimeouts(): Timeouts {
    const longest = { connectMs: 0, firstByteMs: 0, idleMs: 0, totalMs: 0 };
    for (const { service } of this.rules.models.providers.values()) {
      longest.connectMs = Math.max(longest.connectMs, service.timeouts.connectMs);
      longest.firstByteMs = Math.max(longest.firstByteMs, service.timeouts.firstByteMs);
      longest.idleMs = Math.max(longest.idleMs, service.timeouts.idleMs);
      longest.totalMs = Math.max(longest.totalMs, service.timeouts.totalMs);
    }
    return longest.totalMs === 0 ? NO_PROVIDER_TIMEOUTS : longest;
  }
}

/** No rule asks for anything in the body; whoever it is sent to reads it. */
const readUnjudged: RoutePipeline['readBody'] = (context) => {
  context.body = NO_MEMBERS;
  return null;
};
const NO_MEMBERS: NonNullable<RequestContext['body']> = [];
const NO_PROVIDER_TIMEOUTS: Timeouts = {
  connectMs: 1_000,
  firstByteMs: 1_000,
  idleMs: 1_000,
  totalMs: 10_000,
};

/** RFC 9110, 9.2.2: sending it twice is as good as once; other methods only where the route says so. */
export function isRepeatable(method: string, route: Route): boolean {
  // a further attempt might be billed, and nothing was reserved for it (language-rules #30)
  if (route.cost !== null && route.cost.atMost > 0) return false;
  return IDEMPOTENT_METHODS.has(method) || route.repeatUnsafeMethods;
}
