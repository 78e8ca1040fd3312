/** Fixed cases of the differential test, as plain data: policies as text, so that they stay what they are when the generator changes. */
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import type { EnforcementMode, Route, World } from '../../src/model/world.ts';
import type { Identity } from '../../src/pipeline/identity.ts';
import { OPEN_BODY, STRICT_BODY } from './bodies.ts';
import { textsOf, writable } from './policy-text.ts';
import { NAMES, type Step, WALL_START_MS } from './random-world.ts';
import type { Case } from './run.ts';
import { type CallerOptions, identity, KeyNames, route, world } from './world.ts';

type RouteOptions = Partial<Pick<Route, 'service' | 'ai' | 'tags' | 'state' | 'version' | 'auth'>> & {
  readonly path?: string;
  readonly body?: 'open' | 'strict' | 'none';
};

/** A request and what happens before it; what is left out is as in the first request of most cases. */
export type CorpusStep = Partial<Omit<Step['request'], 'identity' | 'arrivedMonotonicMs' | 'arrivedWallMs'>> &
  Partial<Pick<Step, 'route' | 'releasesEarlier' | 'trouble'>> & {
    readonly caller?: CallerOptions | null;
    readonly afterMs?: number;
  };

export interface CorpusCase {
  /** What has to hold. */
  readonly what: string;
  readonly routes: Readonly<Record<string, RouteOptions>>;
  readonly modes?: Readonly<Record<string, EnforcementMode>>;
  /** Declarations and policies, without the language line. */
  readonly policies: string;
  readonly steps: readonly CorpusStep[];
  /** How each request ends: `permitted`, `waiting`, or the code of its refusal. */
  readonly ends: readonly string[];
}

const BODIES = { open: OPEN_BODY, strict: STRICT_BODY, none: null } as const;

export function caseOf({ routes, modes = {}, policies, steps }: CorpusCase): Case {
  const keys = new KeyNames();
  const of = world({
    routes: Object.entries(routes).map(([name, options]) => routeOf(name, options)),
    modes,
  });
  const directory = { tenants: new Map(), plans: new Set(NAMES.plans), roles: new Set(NAMES.roles) };
  const checked = checkPolicies([new SourceText('corpus.policy', `language 1\n${policies}`)], {
    ...of,
    directory,
  });
  const errors = checked.diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message, help }) => `${message} ${help}`).join('\n'));
  return { world: of, policies: checked.policies, steps: stepsOf(steps, of, keys), keys };
}

function routeOf(name: string, { path = `/${name}/{id}`, body = 'none', ...options }: RouteOptions): Route {
  const match = { methods: [], path, hosts: [], headers: [] };
  return route(name, { tags: [], auth: 'optional', ...options, match, requestBody: BODIES[body] });
}

function stepsOf(steps: readonly CorpusStep[], of: World, keys: KeyNames): Step[] {
  let elapsedMs = 0;
  return steps.map(({ route: name, releasesEarlier, trouble, caller, afterMs = 0, ...request }) => {
    elapsedMs += afterMs;
    return {
      route: name ?? [...of.routes.keys()][0]!,
      request: {
        ...REQUEST,
        ...request,
        identity: caller === undefined || caller === null ? null : identity(caller, keys),
        arrivedMonotonicMs: 1_000 + elapsedMs,
        arrivedWallMs: WALL_START_MS + elapsedMs,
      },
      releasesEarlier: releasesEarlier ?? false,
      trouble: trouble ?? null,
    };
  });
}

const REQUEST = {
  id: { high: 0, low: 0 },
  method: 'GET',
  path: '/orders/1',
  query: '',
  host: 'api.example',
  ip: '192.0.2.1',
  bodyBytes: 0,
  headers: [],
  parameters: ['1'],
  call: null,
  countedTokens: null,
  isKept: false,
  body: null,
} as const;

/** A case that was found, in the form of `corpus.cases.ts`; rules for which there is no text are left out. */
export function corpusEntry(one: Case): string {
  const { declarations, policies } = textsOf(writable(one.policies));
  const texts = policies.map(({ head, rules }) => `${head} {\n${rules.join('\n')}\n}`);
  const entry = {
    what: 'what has to hold',
    routes: Object.fromEntries([...one.world.routes].map(([name, of]) => [name, routeOptions(of)])),
    modes: Object.fromEntries([...one.world.enforcement].map(([name, { mode }]) => [name, mode])),
    policies: [declarations, ...texts].join('\n'),
    steps: corpusSteps(one.steps),
    ends: ['how each request has to end'],
  };
  return JSON.stringify(entry, null, 2);
}

function routeOptions({ service, ai, tags, state, version, auth, match, requestBody }: Route): RouteOptions {
  const body = requestBody === OPEN_BODY ? 'open' : requestBody === STRICT_BODY ? 'strict' : 'none';
  return { service, ai, tags, state, version, auth, path: match.path, body };
}

function corpusSteps(steps: readonly Step[]): CorpusStep[] {
  return steps.map(({ request, ...step }, at) => {
    const { identity: of, arrivedMonotonicMs, arrivedWallMs, ...values } = request;
    const before = steps[at - 1]?.request.arrivedWallMs ?? WALL_START_MS;
    return {
      ...step,
      ...values,
      caller: of === null ? null : callerOptions(of),
      afterMs: arrivedWallMs - before,
    };
  });
}

function callerOptions({ tenant, team, consumer, credential }: Identity): CallerOptions {
  return {
    tenant: tenant.name,
    plan: tenant.plan,
    team: team?.name ?? null,
    consumer: consumer.name,
    roles: consumer.roles,
    subscriptions: [...consumer.subscriptions],
    createdMs: credential.createdMs,
    expiresMs: credential.expiresMs,
    tenantAttributes: tenant.attributes,
    consumerAttributes: consumer.attributes,
  };
}
