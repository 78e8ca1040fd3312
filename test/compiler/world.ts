/** A small world for tests, its callers, and what a data thread has to run compiled rules. */

import { assert } from '../../src/base/assert.ts';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { compileRules } from '../../src/compiler/compile.ts';
import { instantiateRoute } from '../../src/compiler/instantiate.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import { compileRequestSchema } from '../../src/config/request-schema.ts';
import type { CheckedPolicies } from '../../src/language/typed.ts';
import { NO_MODELS } from '../../src/model/pools.ts';
import type { Value } from '../../src/model/types.ts';
import type { EnforcementMode, Route, Service, World } from '../../src/model/world.ts';
import { RequestContext } from '../../src/pipeline/context.ts';
import type { Counters } from '../../src/pipeline/counters.ts';
import { NOBODY_WAITS } from '../../src/pipeline/counters.ts';
import type { Identity, KeyHash } from '../../src/pipeline/identity.ts';
import type { BoundRuntime, MutableKeyHash, RuleBundle } from '../../src/pipeline/program.ts';
import { SERVICE_SETTINGS } from '../upstream/service-settings.ts';
import { ATTRIBUTES } from './ast.ts';

export function route(name: string, options: Partial<Route> = {}): Route {
  return {
    name,
    service: 'backend',
    ai: null,
    match: { methods: [], path: `/${name}/{id}`, hosts: [], headers: [] },
    upstreamPath: null,
    state: 'published',
    version: null,
    tags: [],
    auth: 'required',
    identify: { keys: true, issuers: [], certificates: false, signatures: false },
    requestBody: null,
    maxBodyBytes: 1_048_576,
    repeatUnsafeMethods: false,
    websocket: null,
    priority: null,
    cost: null,
    summary: null,
    place: 'routes/all.yaml:1:1',
    ...options,
  };
}

function service(name: string): Service {
  return {
    name,
    owner: null,
    endpoints: [{ protocol: 'http', host: '127.0.0.1', port: 9_000, basePath: '', weight: 1 }],
    timeouts: { connectMs: 1_000, firstByteMs: 10_000, idleMs: 30_000, totalMs: 60_000 },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    ...SERVICE_SETTINGS,
    place: 'routes/all.yaml:1:1',
  };
}

export const ROUTES: readonly Route[] = [
  route('orders', { tags: ['api'] }),
  route('refunds', { tags: ['api', 'money'], version: '2' }),
  route('catalogue', { tags: ['api'], auth: 'optional' }),
  route('health', { auth: 'none', service: 'probe' }),
];

export function world(
  options: {
    readonly routes?: readonly Route[];
    readonly modes?: Readonly<Record<string, EnforcementMode>>;
  } = {},
): World {
  const routes = options.routes ?? ROUTES;
  return {
    server: {
      listen: { address: '127.0.0.1', port: 8_080 },
      admin: { address: '127.0.0.1', port: 9_090 },
      adminCertificate: null,
      dataThreads: 1,
      dataFolder: '/nowhere',
      refuseChunkedRequests: false,
      forwardedFields: 'none',
      mergeSlashes: false,
      tellCosts: false,
      traces: null,
      history: {
        logBytes: 268_435_456,
        logAgeMs: 604_800_000,
        minutesMs: 21_600_000,
        hoursMs: 5_184_000_000,
        daysMs: 94_694_400_000,
      },
      certificates: null,
      tokenIssuers: [],
      clientCertificates: null,
      signatures: { components: [], maxAgeMs: 60_000, clockSkewMs: 10_000 },
    },
    limits: LIMIT_DEFAULTS,
    zone: 'UTC',
    currency: 'USD',
    rates: {},
    attributes: ATTRIBUTES,
    services: new Map(['backend', 'probe'].map((name) => [name, service(name)])),
    routes: new Map(routes.map((each) => [each.name, each])),
    models: NO_MODELS,
    directory: { tenants: new Map(), plans: new Set(['free', 'team']), roles: new Set(['admin']) },
    deliveries: new Map(),
    authorities: [],
    enforcement: new Map(
      Object.entries(options.modes ?? {}).map(([name, mode]) => [
        name,
        { mode, place: 'enforcement.yaml:1:1' },
      ]),
    ),
  };
}

export interface CallerOptions {
  readonly tenant?: string;
  readonly plan?: string;
  readonly team?: string | null;
  readonly consumer?: string;
  readonly roles?: readonly string[];
  readonly subscriptions?: readonly string[];
  readonly createdMs?: number;
  readonly credentialKind?: Identity['credential']['kind'];
  readonly expiresMs?: number | null;
  readonly tenantAttributes?: Readonly<Record<string, Value>>;
  readonly consumerAttributes?: Readonly<Record<string, Value>>;
}

export function identity(options: CallerOptions = {}, keys: KeyNames = new KeyNames()): Identity {
  const tenant = options.tenant ?? 'acme';
  const consumer = options.consumer ?? 'web';
  const team = options.team ?? null;
  return {
    tenant: {
      name: tenant,
      plan: options.plan ?? 'free',
      priority: 'normal',
      share: 1,
      attributes: { tier: 1, addresses: [], office: '198.51.100.0/24', ...options.tenantAttributes },
      keyHash: keys.hash('tenant', tenant),
    },
    team:
      team === null
        ? null
        : {
            name: team,
            attributes: { cost_center: `cc-${team}` },
            keyHash: keys.hash('team', `${tenant}/${team}`),
          },
    consumer: {
      name: consumer,
      attributes: { ...options.consumerAttributes },
      keyHash: keys.hash('consumer', `${tenant}/${consumer}`),
      roles: options.roles ?? [],
      subscriptions: new Set(options.subscriptions ?? []),
    },
    credential: {
      name: `${consumer}-1`,
      kind: options.credentialKind ?? 'key',
      keyHash: keys.hash('credential', `${tenant}/${consumer}/${consumer}-1`),
      createdMs: options.createdMs ?? 0,
      expiresMs: options.expiresMs ?? null,
    },
  };
}

/** Hashes without collisions: every different key gets the next number, spread over all. */
export class KeyNames {
  readonly #numbers = new Map<string, number>();

  hash(tag: string, text: string): KeyHash {
    const hash = { high: 0, low: 0 };
    this.hashKey(tag, text, hash);
    return hash;
  }
  readonly hashKey: BoundRuntime['hashKey'] = (tag, text, into) => {
    spread(this.#number(JSON.stringify([tag, text])), into);
  };
  readonly combineKey = (into: MutableKeyHash, part: KeyHash): void => {
    spread(this.#number(JSON.stringify([into.high, into.low, part.high, part.low])), into);
  };

  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size + 1);
    return this.#numbers.size;
  }
}

/** Odd factors: no two numbers become one. */
function spread(number: number, into: MutableKeyHash): void {
  into.high = Math.imul(number, 0x9e37_79b1);
  into.low = Math.imul(number, 0x85eb_ca6b);
}

export type ContextValues = Partial<
  Pick<
    RequestContext,
    | 'idHigh'
    | 'idLow'
    | 'method'
    | 'path'
    | 'query'
    | 'host'
    | 'ip'
    | 'bodyBytes'
    | 'headers'
    | 'parameters'
    | 'identity'
    | 'arrivedMonotonicMs'
    | 'arrivedWallMs'
  >
>;

/** A request that is judged the moment it arrives. */
export function requestContext(values: ContextValues = {}): RequestContext {
  const defaults = {
    method: 'GET',
    path: '/orders/1',
    host: 'api.example',
    ip: '192.0.2.1',
    parameters: ['1'],
  };
  const now = { nowMonotonicMs: values.arrivedMonotonicMs ?? 0, nowWallMs: values.arrivedWallMs ?? 0 };
  return Object.assign(new RequestContext(), defaults, now, values);
}

/** Compiles for a world and instantiates one of its routes. */
export function start(checked: CheckedPolicies, of: World, routeName: string, turns = NOBODY_WAITS) {
  const compiled = compileRules(checked, of);
  const counters = new ReferenceCounters();
  const pipeline = bind(compiled.bundle, counters, routeName, undefined, undefined, turns);
  return { ...compiled, counters, pipeline };
}

export function bind(
  bundle: RuleBundle,
  counters: Counters,
  routeName: string,
  keys = new KeyNames(),
  alerts: BoundRuntime['alerts'] = { matched() {} },
  turns = NOBODY_WAITS,
) {
  const index = bundle.routes.findIndex((program) => program.route.name === routeName);
  assert(index !== -1, `no route ${routeName}`);
  const runtime: BoundRuntime = {
    counters: counters.bind(bundle.counters),
    turns,
    hashKey: keys.hashKey,
    combineKey: keys.combineKey,
    bodies: { compileSchema: compileRequestSchema, limits: LIMIT_DEFAULTS },
    alerts,
  };
  return instantiateRoute(bundle.functions, bundle.routes[index]!, runtime);
}
