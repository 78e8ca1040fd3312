/** Rule bundles for tests of the gateway: routes with few words, pipelines as plain functions. */

import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { NO_MODELS } from '../../src/model/pools.ts';
import type { Priority, Route, Service } from '../../src/model/world.ts';
import type { Counters } from '../../src/pipeline/counters.ts';
import type { Identity } from '../../src/pipeline/identity.ts';
import { CONTINUE } from '../../src/pipeline/outcome.ts';
import type { RoutePipeline, RuleBundle } from '../../src/pipeline/program.ts';
import { SERVICE_SETTINGS } from '../upstream/service-settings.ts';

export function route(name: string, path: string, rest: Partial<Route> = {}): Route {
  return {
    name,
    service: 'service',
    ai: null,
    match: { methods: [], path, hosts: [], headers: [] },
    upstreamPath: null,
    state: 'published',
    version: null,
    tags: [],
    auth: 'none',
    identify: { keys: true, issuers: [], certificates: false, signatures: false },
    maxBodyBytes: LIMIT_DEFAULTS.requestBodyBytes,
    requestBody: null,
    repeatUnsafeMethods: false,
    websocket: null,
    priority: null,
    cost: null,
    summary: null,
    place: `test.yaml:${name}`,
    ...rest,
  };
}

export function service(port: number): Service {
  return {
    name: 'service',
    owner: null,
    endpoints: [{ protocol: 'http', host: '127.0.0.1', port, basePath: '', weight: 1 }],
    timeouts: { connectMs: 5_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 60_000 },
    tls: { caFile: null, certificateFile: null, keyFile: null, serverName: null },
    ...SERVICE_SETTINGS,
    place: 'test.yaml:1',
  };
}

export function bundle(routes: readonly Route[], port: number, rest: Partial<RuleBundle> = {}): RuleBundle {
  return {
    hash: '0123456789abcdef',
    poolRules: { alerts: [], rotations: [] },
    routes: routes.map((each) => ({
      route: each,
      service: 0,
      function: 0,
      constants: [],
      parameterNames: [...each.match.path.matchAll(/\{([^}.]+)/g)].map((found) => found[1]!),
      headersRead: [],
      queryRead: [],
      body: null,
    })),
    services: [service(port)],
    models: NO_MODELS,
    functions: [],
    rules: [],
    counters: [],
    alerts: [],
    ...rest,
  };
}

/** Permits everything and changes nothing. */
export const PERMIT_ALL: RoutePipeline = {
  match: () => CONTINUE,
  authorise: () => CONTINUE,
  readBody: null,
  judgeBody: () => CONTINUE,
  admit: () => CONTINUE,
  targetLimits: null,
  shapeRequest: () => {},
  shapeResponse: () => {},
  requestTransform: null,
  outputCap: null,
  requestMasks: null,
  responseMasks: null,
  maskRequest: null,
  responseTransform: null,
  alerts: null,
  alertsReadAddress: false,
  totalTimeoutMs: () => Number.POSITIVE_INFINITY,
  cacheForMs: null,
  poolsFor: () => null,
  barredPools: () => null,
  refuseTargets: () => null,
};

/** For bundles without counters: nothing of it is ever called but `release`. */
export function countersWith(release: (reservation: object) => void): Counters {
  const unused = (): never => {
    throw new Error('this bundle has no counters');
  };
  return {
    bind: () => ({
      createBatch: unused,
      take: unused,
      look: unused,
      reserve: unused,
      hold: unused,
      cancel: release,
      settle: unused,
      settleEstimates: unused,
      swap: unused,
      release,
    }),
  };
}

export const NO_COUNTERS: Counters = countersWith(() => {});

export function identity(
  name: string,
  expiresMs: number | null = null,
  priority: Priority = 'normal',
): Identity {
  const keyHash = { high: 0, low: 0 };
  return {
    tenant: { name: 'acme', plan: 'gold', priority, share: 1, attributes: {}, keyHash },
    team: null,
    consumer: { name, attributes: {}, keyHash, roles: [], subscriptions: new Set() },
    credential: { name: `${name}-key`, kind: 'key', keyHash, createdMs: 0, expiresMs },
  };
}
