import { SERVICE_SETTINGS } from '../../test/upstream/service-settings.ts';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { type Model, NO_MODELS, type PoolKey, type Provider } from '../model/pools.ts';
import type { BodyMember, RequestBodySchema } from '../model/request-body.ts';
import type { ValueType } from '../model/types.ts';
import type { Authority, Consumer, Route, Service, Tenant, World } from '../model/world.ts';

const UNPRICED = {
  ...{ price: null, datedPrices: [], poolPrices: [], contextTokens: null },
  ...{ outputTokensMax: null, answerTokensMost: null, searches: false, tokenizer: null },
};

const UNBOUNDED = {
  ...{ least: null, most: null, above: null, below: null, whole: false, multipleOf: [] },
  ...{ lengthMin: null, lengthMax: null, patterns: [] },
};

const ORDER = body('routes/order.schema.json', {
  amount: member({ kind: 'number' }),
  currency: member({ kind: 'enum', values: ['EUR', 'USD'] }),
  'customer.id': member({ kind: 'text' }),
  'customer.birthDay': member({ kind: 'date' }, 'always'),
  note: member({ kind: 'text' }, 'always'),
  labels: member({ kind: 'list', of: { kind: 'text' } }),
  '["order-id"]': member({ kind: 'text' }),
  'customer["@type"]': member({ kind: 'text' }),
  items: member({ kind: 'list', of: { kind: 'object' } }),
  'items[].sku': member({ kind: 'text' }),
  'items[].price': member({ kind: 'number' }, 'always'),
  'items[]["unit-price"]': member({ kind: 'number' }),
  'items[].parts': member({ kind: 'list', of: { kind: 'object' } }),
  'items[].parts[].code': member({ kind: 'text' }),
});
const REFUND = body('routes/refund.schema.json', {
  amount: {
    ...member({ kind: 'number' }),
    bounds: { ...UNBOUNDED, least: 1, most: 500, whole: true },
  },
  discount: {
    ...member({ kind: 'number' }),
    bounds: { ...UNBOUNDED, above: 0, below: 1, multipleOf: [0.25] },
  },
  code: {
    ...member({ kind: 'text' }),
    bounds: { ...UNBOUNDED, lengthMin: 2, lengthMax: 4, patterns: ['^[A-Z]*$'] },
  },
  note: member({ kind: 'number' }),
  labels: member({ kind: 'list', of: { kind: 'text' } }, 'always'),
});

/** A small project that the cases of this room speak about. */
export const WORLD: World = {
  server: {
    listen: { address: '127.0.0.1', port: 8080 },
    admin: { address: '127.0.0.1', port: 9090 },
    adminCertificate: null,
    dataThreads: 1,
    dataFolder: '/data',
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
  zone: 'Europe/Berlin',
  currency: 'USD',
  rates: {},
  attributes: {
    tenant: {
      tier: attribute({ kind: 'enum', values: ['gold', 'silver'] }),
      regions: attribute({ kind: 'list', of: { kind: 'text' } }),
      notes: attribute({ kind: 'text' }, 'internal'),
      contract_end: attribute({ kind: 'date' }),
      opens: attribute({ kind: 'time' }),
      discount: attribute({ kind: 'percent' }),
      level: attribute({ kind: 'number' }),
      trial: attribute({ kind: 'boolean' }),
      allowance: attribute({ kind: 'size' }),
      deposit: attribute({ kind: 'money' }),
    },
    team: { cost_centre: attribute({ kind: 'text' }) },
    consumer: { contact: { type: { kind: 'text' }, optional: true, label: 'caller' } },
  },
  services: new Map([service('orders'), service('search')]),
  routes: new Map([
    route('list-orders', 'orders', ['v1', 'public'], { path: '/v1/orders', cost: 2_000_000 }),
    route('get-order', 'orders', ['v1'], { path: '/v1/orders/{id}', cost: 5_000_000 }),
    route('admin', 'orders', ['admin'], { path: '/admin/{rest...}', state: 'draft' }),
    route('open-search', 'search', ['open'], { path: '/search', auth: 'optional' }),
    route('status', 'search', ['open'], { path: '/status', auth: 'none' }),
    route('place-order', 'orders', ['written'], { path: '/v1/new', body: ORDER }),
    route('refund', 'orders', ['written'], { path: '/v1/refund', body: REFUND, methods: ['POST'] }),
    route('chat', null, ['ai'], { path: '/v1/chat/completions', ai: 'openai/chat' }),
  ]),
  models: { ...NO_MODELS, models: new Map([model('gpt-4o', ['large']), model('gpt-4o-mini', [])]) },
  directory: {
    tenants: new Map([
      tenant('acme', 'free', [consumer('web-shop', ['buyer']), consumer('crawler', [])]),
      tenant('globex', 'team', []),
    ]),
    plans: new Set(['free', 'team']),
    roles: new Set(['buyer', 'admin', 'on-call']),
  },
  enforcement: new Map(),
  deliveries: new Map([
    [
      'oncall',
      {
        name: 'oncall',
        url: 'https://hooks.example/oncall',
        secretFile: '/run/secrets/oncall',
        takes: 'named',
        from: 'notice',
        audit: 'none',
        place: 'portunus.yaml:4:3',
      },
    ],
  ]),
  authorities: [
    authority('policies/shop', {
      tenants: ['acme'],
      owned: { routes: ['list-orders'], services: [], tags: ['open'] },
    }),
    authority('policies/shop/guests', {
      tenants: null,
      owned: { routes: [], services: ['search'], tags: [] },
    }),
    authority('policies/tenants/acme', { tenants: ['acme'], owned: null }),
    authority('policies/tenants/ops', null),
  ],
};

const POOL = {
  provider: 'openai',
  choose: 'headroom',
  sticky: null,
  rotationHook: null,
  keys: [{ name: 'k' } as PoolKey],
} as const;
const PRICE = { inputNano: 1, outputNano: 1, cachedNano: 1, requestNano: 0 };
const MODEL = {
  ...{ upstreamName: 'gpt-4o', tags: [], ...UNPRICED, answerTokensMost: 16_384 },
  price: { ...PRICE, asOf: '2026-11-01', source: 'project' },
} as const;

/** The same with a route to models. */
export const AI_WORLD: World = {
  ...WORLD,
  routes: new Map([...WORLD.routes, aiRoute('chat'), claudeRoute()]),
  models: {
    providers: new Map([
      [
        'openai',
        { name: 'openai', dialect: 'openai', region: 'DE', place: 'providers/openai.yaml:2:3' } as Provider,
      ],
      [
        'anthropic',
        {
          name: 'anthropic',
          dialect: 'anthropic',
          region: null,
          place: 'providers/all.yaml:2:3',
        } as Provider,
      ],
    ]),
    pools: new Map(
      ['main', 'spare', 'idle', 'foreign'].map((name) => [
        name,
        {
          name,
          ...POOL,
          provider: name === 'foreign' ? 'anthropic' : 'openai',
          queue: { upToMs: 0, waiting: 0 },
          place: 'providers/openai.yaml:4:3',
        },
      ]),
    ),
    models: new Map([
      ['gpt', { name: 'gpt', pools: ['main', 'spare'], ...MODEL, place: 'providers/openai.yaml:9:3' }],
      ['mini', { name: 'mini', pools: ['main', 'spare'], ...MODEL, place: 'providers/openai.yaml:10:3' }],
      ['nano', { name: 'nano', pools: ['main', 'spare'], ...MODEL, place: 'providers/openai.yaml:11:3' }],
      ['opus', { name: 'opus', pools: ['foreign'], ...MODEL, ...UNPRICED, place: 'providers/all.yaml:9:3' }],
    ]),
  },
};

function aiRoute(name: string): [string, Route] {
  const [, made] = route(name, '', ['ai'], { path: '/v1/chat/completions' });
  return [name, { ...made, ai: 'openai/chat' }];
}

function claudeRoute(): [string, Route] {
  const [, made] = route('messages', '', ['claude'], { path: '/v1/messages' });
  return ['messages', { ...made, ai: 'anthropic/messages' }];
}

function authority(folder: string, scope: Authority['scope']): Authority {
  return { folder, scope, place: 'portunus.yaml:9:3' };
}

function body(file: string, members: RequestBodySchema['members']): RequestBodySchema {
  return { file, schema: true, members };
}

function member(type: ValueType, absence: BodyMember['absence'] = 'never'): BodyMember {
  return { type, absence };
}

function attribute(type: ValueType, label: 'caller' | 'internal' = 'caller') {
  return { type, optional: false, label } as const;
}

function service(name: string): [string, Service] {
  const timeouts = { connectMs: 1_000, firstByteMs: 10_000, idleMs: 30_000, totalMs: 60_000 };
  const tls = { caFile: null, certificateFile: null, keyFile: null, serverName: null };
  const place = 'routes/shop.yaml:2:3';
  return [name, { name, owner: null, endpoints: [], timeouts, tls, ...SERVICE_SETTINGS, place }];
}

interface RouteOptions {
  readonly path: string;
  readonly methods?: readonly string[];
  readonly auth?: Route['auth'];
  readonly ai?: Route['ai'];
  readonly state?: Route['state'];
  readonly body?: RequestBodySchema;
  /** In nano-units. */
  readonly cost?: number;
}

function route(
  name: string,
  to: string | null,
  tags: readonly string[],
  options: RouteOptions,
): [string, Route] {
  const { path, methods = [], auth = 'required', state = 'published', body = null } = options;
  return [
    name,
    {
      name,
      service: to,
      ai: options.ai ?? null,
      match: { methods, path, hosts: [], headers: [] },
      upstreamPath: null,
      state,
      version: null,
      tags,
      auth,
      identify: { keys: true, issuers: [], certificates: false, signatures: false },
      maxBodyBytes: 1_048_576,
      requestBody: body,
      repeatUnsafeMethods: false,
      websocket: null,
      priority: null,
      cost: options.cost === undefined ? null : { atMost: options.cost, currency: 'USD', told: null },
      summary: null,
      place: `routes/shop.yaml:${10 + name.length}:3`,
    },
  ];
}

function model(name: string, tags: readonly string[]): [string, Model] {
  const place = 'providers/all.yaml:9:3';
  return [name, { name, upstreamName: name, pools: [], tags, ...UNPRICED, place }];
}

function tenant(name: string, plan: string, consumers: readonly Consumer[]): [string, Tenant] {
  const teams = new Map([['shop', { name: 'shop', attributes: {} }]]);
  const byName = new Map(consumers.map((one) => [one.name, one]));
  return [
    name,
    {
      name,
      plan,
      priority: 'normal',
      share: 1,
      attributes: {},
      teams,
      consumers: byName,
      place: `tenants/${name}.yaml:2:3`,
    },
  ];
}

function consumer(name: string, roles: readonly string[]): Consumer {
  const place = 'tenants/acme.yaml:6:7';
  return { name, team: null, roles, subscriptions: [], attributes: {}, credentials: [], place };
}
