/** Random worlds, callers and sequences of requests, over few values, so that rules and requests meet. */

import type { PlainRequest } from '../../src/compiler/interpret/facts.ts';
import { PLAIN_CALL } from '../../src/model/model-call.cases.ts';
import { sendsCalls } from '../../src/model/route-calls.ts';
import type { EnforcementMode, Route, World } from '../../src/model/world.ts';
import type { Identity } from '../../src/pipeline/identity.ts';
import type { ModelRequest, ModelService } from '../../src/pipeline/model-request.ts';
import { OPEN_BODY, randomBody, STRICT_BODY } from './bodies.ts';
import type { Choices } from './choices.ts';
import { identity, type KeyNames, route, world } from './world.ts';

export const NAMES = {
  routes: ['orders', 'refunds', 'catalogue', 'health'],
  services: ['backend', 'probe'],
  tags: ['api', 'money', 'ai'],
  states: ['published', 'draft', 'deprecated', 'retired'],
  versions: ['1', '2'],
  policies: ['alpha', 'beta', 'gamma', 'delta'],
  tenants: ['acme', 'berlin'],
  plans: ['free', 'team'],
  teams: ['shop', 'lab'],
  consumers: ['web', 'app'],
  roles: ['admin', 'buyer'],
  methods: ['GET', 'POST', 'DELETE'],
  hosts: ['api.example', 'www.example'],
  words: ['red', 'blue', 'a b', 'Rößl\u{1f600}', ''],
  addresses: ['192.0.2.1', '10.1.2.3', '2001:db8::7', '2001:db8:0::7', '::ffff:10.1.2.3', '203.0.113.9'],
  networks: ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', '::/0', '203.0.113.9'],
  parameters: ['id', 'part'],
  models: ['gpt', 'mini'],
} as const;

/** Most policies of a crowd (`random-policies.ts`). */
export const CROWD_MAX = 18;

export const WALL_START_MS = Date.UTC(2026, 11, 31, 21);

export function randomWorld(choices: Choices): World {
  const modes: Record<string, EnforcementMode> = {};
  for (const policy of NAMES.policies)
    modes[policy] = choices.one(['enforce', 'enforce', 'enforce', 'warn', 'shadow']);
  const crowd = choices.one(['enforce', 'enforce', 'shadow', 'warn'] as const);
  for (let index = 0; index < CROWD_MAX; index++) modes[`crowd ${index}`] = crowd;
  // Most cases have few routes: each of them is compiled, and few are called.
  const names = NAMES.routes.slice(0, choices.one([2, 1, 3, 1, 2, NAMES.routes.length]));
  return world({ routes: names.map((name) => randomRoute(name, choices)), modes });
}

function price(atMost: number): Route['cost'] {
  return { atMost, currency: 'USD', told: null };
}

function randomRoute(name: string, choices: Choices): Route {
  const ai = choices.rarely(3) ? choices.one(['openai/chat', 'openai/chat', 'openai/models'] as const) : null;
  const parameters = choices.one(['/{id}', '', '/{id}/{part...}']);
  return route(name, {
    service: ai === null ? choices.one(NAMES.services) : null,
    ai,
    match: { methods: [], path: `/${name}${parameters}`, hosts: [], headers: [] },
    tags: choices.some(NAMES.tags),
    state: choices.one(NAMES.states),
    version: choices.one([null, ...NAMES.versions]),
    cost: ai === null ? choices.one([null, price(1), price(2), price(0), price(3)]) : null,
    auth: choices.one(['optional', 'required', 'none']),
    requestBody: choices.one([null, OPEN_BODY, STRICT_BODY]),
  });
}

export function randomCallers(choices: Choices, keys: KeyNames): (Identity | null)[] {
  const callers = choices.times(1, 3, () => randomCaller(choices, keys));
  return [...callers, ...callers, null];
}

function randomCaller(choices: Choices, keys: KeyNames): Identity {
  return identity(
    {
      tenant: choices.one(NAMES.tenants),
      plan: choices.one(NAMES.plans),
      team: choices.one([null, ...NAMES.teams]),
      consumer: choices.one(NAMES.consumers),
      roles: choices.some(NAMES.roles),
      subscriptions: choices.some(NAMES.routes),
      createdMs: WALL_START_MS - choices.one([0, 86_400_000, 90 * 86_400_000, 121 * 86_400_000]),
      expiresMs: choices.one([null, WALL_START_MS + 86_400_000]),
      tenantAttributes: {
        tier: choices.below(3),
        ...choices.one([{}, { regions: choices.some([...NAMES.words, 'red']) }]),
        ...inherited(choices),
        ...choices.one([{}, { networks: choices.some(NAMES.networks) }]),
        addresses: choices.some(NAMES.addresses),
        office: choices.one(NAMES.networks),
      },
      consumerAttributes: {
        ...choices.one([{}, { contact: choices.one(NAMES.words) }]),
        ...choices.one([{}, { address: choices.one(NAMES.addresses) }]),
      },
    },
    keys,
  );
}

/** An attribute named like one that every object inherits. */
function inherited(choices: Choices): Readonly<Record<string, string>> {
  const value = choices.one(NAMES.words);
  return choices.below(2) === 0 ? {} : Object.fromEntries([['constructor', value]]);
}

/** One event of a sequence: a request, and before it perhaps time, an ending of earlier requests, or trouble with a counter. */
export interface Step {
  readonly route: string;
  readonly request: PlainRequest;
  readonly releasesEarlier: boolean;
  /** Picks a counter by number, where there is one; `end`: of a replaced limit, whose time is over from then on. */
  readonly trouble: { readonly counter: number; readonly kind: 'fault' | 'lease' | 'end' } | null;
}

export function randomSteps(of: World, choices: Choices, keys: KeyNames): Step[] {
  const callers = randomCallers(choices, keys);
  let elapsedMs = choices.one([0, 5_000_000]);
  return choices.times(3, 9, () => {
    elapsedMs += choices.one([0, 0, 1, 100, 990, 1_000, 8_000, 17_000, 61_000, 4_000_000]);
    const name = choices.one(['orders', ...of.routes.keys()]);
    const routeOf = of.routes.get(name)!;
    return {
      route: name,
      request: randomRequest(
        routeOf,
        routeOf.auth === 'none' ? null : choices.one(callers),
        elapsedMs,
        choices,
      ),
      releasesEarlier: choices.rarely(4),
      trouble: choices.rarely(12)
        ? { counter: choices.below(8), kind: choices.one(['fault', 'lease', 'end']) }
        : null,
    };
  });
}

function randomRequest(
  of: Route,
  caller: Identity | null,
  elapsedMs: number,
  choices: Choices,
): PlainRequest {
  const parameters = of.match.path
    .split('{')
    .slice(1)
    .map(() => choices.one(NAMES.words));
  return {
    id: { high: choices.below(65_536) * 65_537, low: elapsedMs | 0 },
    method: choices.one(NAMES.methods),
    path: choices.one([`/${of.name}/1`, `/${of.name}/red/2`]),
    query: choices.one(['', 'a=red', 'b=blue&a=a+b', 'a=%72ed&c', '&&=x&a']),
    host: choices.one(NAMES.hosts),
    ip: choices.one(NAMES.addresses),
    bodyBytes: choices.one([0, 100, 5_000, -1]),
    headers: choices.one([
      [],
      ['x-color', 'red'],
      ['accept', '*/*', 'x-color', 'blue'],
      ['x-color', '', 'x-color', 'red'],
    ]),
    parameters,
    identity: caller,
    body: randomBody(of.requestBody, choices),
    call: sendsCalls(of) ? randomCall(choices) : null,
    arrivedMonotonicMs: 1_000 + elapsedMs,
    arrivedWallMs: WALL_START_MS + elapsedMs,
    countedTokens: choices.one([1, 0, 3, 6, null]),
    isKept: choices.rarely(3),
  };
}

/** The same call to another model: the small one is cheap, and one is not offered. */
export const MODELS: Pick<ModelService, 'as' | 'counted'> = {
  as: (call, name) => {
    if (name === NOT_OFFERED) return null;
    const money = name === 'mini' ? Math.min(1, call.bounds.money) : call.bounds.money;
    return { ...call, model: { ...call.model, name }, bounds: { ...call.bounds, money } };
  },
  // a token of a prompt costs one
  counted: (call, promptTokens) => {
    const { 'input-tokens': bytes, 'output-tokens': output, money } = call.bounds;
    const input = Math.min(bytes, promptTokens);
    const less = { 'input-tokens': input, 'cached-tokens': input, tokens: input + output };
    const bounds = { ...call.bounds, ...less, money: Math.max(0, money - (bytes - input)) };
    return { ...call, prompt: 'counted', bounds };
  },
};
export const NOT_OFFERED = 'of another dialect';

/** Few tokens, so that limits are met, and now and then something that nothing bounds. */
function randomCall(choices: Choices): ModelRequest {
  const name = choices.one(NAMES.models);
  const input = choices.one([1, 2, 3, 8, 4, Number.POSITIVE_INFINITY]);
  const outputCap = choices.one([1, 2, null, 3]);
  const output = outputCap ?? choices.one([2, Number.POSITIVE_INFINITY]);
  const money = choices.one([1, 2, 0, Number.POSITIVE_INFINITY]);
  const prompt = Number.isFinite(input) ? choices.one(['countable', 'countable', 'bytes'] as const) : 'bytes';
  return { ...callTo(name, { input, output, outputCap, money }), prompt };
}

export function callTo(name: string, { input, output, outputCap, money }: CallAmounts): ModelRequest {
  return {
    document: null,
    facts: { ...PLAIN_CALL, model: name, outputCap },
    model: {
      name,
      upstreamName: name,
      pools: [],
      tags: [],
      price: null,
      datedPrices: [],
      poolPrices: [],
      contextTokens: null,
      outputTokensMax: null,
      answerTokensMost: null,
      searches: false,
      tokenizer: null,
      place: 'm:1',
    },
    amounts: { inputTokens: 1, outputTokens: 1, costNano: 0, countedTokens: null },
    bounds: {
      tokens: input + output,
      'input-tokens': input,
      'output-tokens': output,
      'cached-tokens': input,
      'reasoning-tokens': output,
      money,
    },
    unbounded: { input: 'an image', output: 'a long answer', money: 'a price' },
    prompt: 'bytes',
    relyOnCap: false,
    use: {
      pool: '',
      key: '',
      charged: 'nothing',
      isWhole: false,
      brokenOff: '',
      doubt: '',
      usage: null,
      costNano: null,
    },
  };
}

interface CallAmounts {
  readonly input: number;
  readonly output: number;
  readonly outputCap: number | null;
  /** Nano-units. */
  readonly money: number;
}
