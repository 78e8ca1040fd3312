import { SourceText } from '../diagnostics/source.ts';

/** A project as a map of paths to texts. */
export type ProjectTexts = Readonly<Record<string, string>>;

export function sources(texts: ProjectTexts): readonly SourceText[] {
  return Object.entries(texts).map(([path, text]) => new SourceText(path, text));
}

export const PROJECT_FOLDER = '/srv/gateway';

export const MINIMAL: ProjectTexts = { 'portunus.yaml': 'portunus: 1\n' };

/** Every field of every kind, as far as they can stand together. */
export const COMPLETE: ProjectTexts = {
  'portunus.yaml': `portunus: 1
listen:
  address: 0.0.0.0
  port: 8443
  tls: { certificate: front.pem, key: front.key, further: [{ certificate: shop.pem, key: shop.key }] }
admin: { address: 192.0.2.7, port: 9_091, tls: { certificate: admin.pem, key: /etc/portunus/admin.key } }
dataThreads: 2
data: ./state/data
zone: Europe/Berlin
currency: EUR
rates: { CHF: { rate: 1.06, date: 2026-11-01 }, GBP: { rate: '1.15', date: 2026-11-02 } }
deliveries:
  oncall: { webhook: https://hooks.acme.example/portunus, secretFile: ./secrets/oncall, takes: named, from: warning, audit: anchors }
refuseChunkedRequests: true
forwardedFields: forwarded
mergeSlashes: true
tellCosts: true
traces: { endpoint: "http://127.0.0.1:4318/v1/traces", share: 5% }
history: { log: { size: 1MiB, age: 2d }, minutes: 2h, hours: 3d, days: 4d }
attributes:
  tenant:
    plan: { enum: [free, team] }
    models: { list: text, label: caller }
    seats: { type: number }
    colour: { enum: [red], optional: true }
    spares: { list: number, optional: true }
  team:
    region: { enum: [eu, us], optional: true }
    cost_centre: { type: text, optional: true }
    floor: { type: number }
    shifts: { list: date, optional: true }
    spares: { list: number, optional: true }
  consumer:
    contact: { type: text, optional: true }
    level: { type: number, optional: true }
    shifts: { list: date, optional: true }
    colour: { enum: [red], optional: true }
    spares: { list: number, optional: true }
tokenIssuers:
  corporate:
    issuer: https://sso.acme.example
    audience: [orders]
    keys: https://sso.acme.example/jwks
    algorithms: [RS256]
    clockSkew: 10s
    tenant: "claim:organisation"
    consumerClaim: client_id
  partner: { issuer: partner, audience: [a, b], keys: "http://127.0.0.1:8000/keys", tenant: other }
  asked: { issuer: "https://login.example/realm", audience: [c], keys: discovery, tenant: other }
clientCertificates: { trustedProxies: [10.0.0.0/8, "2001:db8::1"], authorities: certificates/clients.pem }
signatures: { components: ["@target-uri", "@method", content-type], maxAge: 5m, clockSkew: 0s }
authorities:
  policies/common: { everything: true }
  policies/acme: { tenants: [acme], routes: [list-orders], services: [orders], tags: [v1] }
limits: { drainMs: 5s, requestBodyBytes: 2MiB, nestingDepth: 32 }
`,
  'routes/orders.yaml': `services:
  orders:
    owner: payments@acme.example
    endpoints:
      - { url: "http://127.0.0.1:9001", weight: 2 }
      - { url: "https://Orders.acme.example/api/" }
    timeouts: { connect: 500ms, firstByte: 5s, idle: 10s, total: 2m }
    tls: { ca: ../certificates/ca.pem, certificate: client.pem, key: client.key, serverName: Orders.acme.example }
    health: { path: /healthz, every: 5s, timeout: 1s, healthyAfter: 1, unhealthyAfter: 2, expect: [200, 204] }
    outliers: { failures: 5, errorShare: 40%, window: 20s, requests: 50, first: 2s, longest: 1m, outAtMost: 30% }
    slowStart: 30s
    resolve: 1m
    retries: { share: 5%, attempts: 2 }
  billing:
    endpoints: [{ url: "http://127.0.0.1:9101" }]
routes:
  live:
    service: billing
    match: { methods: [GET], path: /v1/live }
    websocket: { idle: 1m, total: 2h }
  chat: { ai: openai/chat }
  bill:
    service: billing
    match: { path: "/v1/bills/{rest...}" }
    identify: ["jwt:corporate"]
    cost: €0.01 per request
    tags: [office]
  list-orders:
    service: orders
    match:
      methods: [GET, HEAD]
      path: "/v1/orders/{id}"
      hosts: [API.acme.example, "*.acme.example"]
      headers: { X-Version: "2" }
    upstreamPath: "/internal/orders/{id}"
    state: deprecated
    version: 1.2.0
    cost: { header: X-Cost, atMost: €0.25 }
    tags: [public, v1]
    auth: optional
    identify: [api-key, mtls, "jwt:corporate", "jwt:partner", hmac]
    request: { maxBody: 1MiB }
    repeatUnsafeMethods: true
    priority: high
    docs: { summary: "Orders of the calling shop" }
  place-order:
    service: orders
    match: { methods: [POST], path: /v1/orders }
    request: { schema: ./order.schema.json, maxBody: 64KiB }
    cost: { body: usage.cost, atMost: €0.50 }
`,
  'routes/order.schema.json': JSON.stringify({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['item', 'quantity'],
    properties: {
      item: { type: 'string', maxLength: 40 },
      quantity: { type: 'integer', minimum: 1 },
      delivery: { $ref: '#/$defs/delivery' },
    },
    $defs: {
      delivery: {
        type: 'object',
        required: ['day'],
        properties: { day: { type: 'string', format: 'date' }, speed: { enum: ['slow', 'fast'] } },
      },
    },
  }),
  'schemas/other.schema.json': '{"type":"object"}',
  'tenants/acme.yaml': `tenants:
  acme:
    plan: free
    priority: low
    share: 3
    attributes: { models: [gpt-4o], seats: 1_000 }
    teams:
      shop: { attributes: { region: eu, floor: 1, spares: [1] } }
      office: { attributes: { floor: 2 } }
    consumers:
      web-shop:
        team: shop
        roles: [buyer]
        subscriptions: [list-orders]
        attributes: { contact: web@acme.example, spares: [1, 2.5] }
        credentials:
          web-1:
            hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            created: 2026-11-01
            expires: 2027-05-01
          printed:
            certificate: { sha256: "AA:bb:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff" }
            created: 2026-11-01
          spiffe: { certificate: { uri: "spiffe://acme.example/web" }, created: 2026-11-01, expires: 2027-05-01 }
          host: { certificate: { dns: Web.acme.example }, created: 2026-11-01 }
          named: { certificate: { subject: "CN=web,O=Acme" }, created: 2026-11-01 }
          signer: { secrets: ["file:secrets/web", "env:WEB_SECRET"], created: 2026-11-01 }
  other: { plan: team, attributes: { models: [], seats: 1_000 } }
`,
  'providers/openai.yaml': `providers:
  openai: { extends: builtin/openai, region: us, timeouts: { connect: 3s } }
  house:
    extends: builtin/openai
    dialect: openai
    baseUrl: https://Models.acme.example/v1
    region: eu
    auth: { header: X-Api-Key, prefix: "Key " }
    headers: { X-Team: shop }
    limits:
      - { unit: requests, window: 1m, limit: X-Limit, remaining: X-Remaining, reset: X-Reset, format: seconds }
      - { unit: tokens, window: 1d, remaining: X-Tokens-Remaining }
    retry: [{ header: Retry-After-Ms, format: milliseconds }, { header: Retry-After }]
    errors:
      - { statuses: [429], codes: [tokens], message: "Too Many", means: throttled }
      - { means: request }
    tokensCounted: reserved
    modelMembers: [models]
    knownModels:
      - { names: [gpt-4o-mini], outputTokens: 16_000 }
      - { names: ["llama-*/*"], searches: true }
    dailyLimitsZone: America/Los_Angeles
    streamUsage: always
    usage:
      inStreams: [x_house.usage]
      input: in
      output: out
      total: all
      cached: details.cached
      reasoning: details.thought
      cost: { at: bill.cents, currency: EUR, decimals: 2 }
    prices: openai
    timeouts: { connect: 1s, firstByte: 1m, idle: 20s, total: 5m }
    tls: { ca: ca.pem, certificate: client.pem, key: client.key, serverName: Models.acme.example }
    health: { path: /models, every: 5s, timeout: 1s, healthyAfter: 1, unhealthyAfter: 2, expect: [200, 401] }
    outliers: { failures: 5, errorShare: 40%, window: 20s, requests: 50, first: 2s, longest: 1m, outAtMost: 30% }
    slowStart: 30s
    resolve: 1m
    retries: { share: 5%, attempts: 2 }
  other: { dialect: openai, region: local, regions: { local: "http://127.0.0.1:11434/v1" } }
pools:
  openai-main:
    provider: openai
    choose: weighted
    discount: 12.5%
    prices: { gpt-4o: { input: €2.40, output: €9, cached: €1, request: €0.005, asOf: 2026-11-15 } }
    pricesFrom: { gpt-4o: { 2027-02-01: { input: €2.20, output: €8, cached: €1, request: €0.004 } } }
    sticky: conversation
    queue: { upTo: 2s, waiting: 500 }
    keys:
      k1:
        account: org-1
        secret: env:OPENAI_KEY_1
        priority: 2
        weight: 3
        discount: 20%
        prices: { gpt-4o: { input: €2.10, output: €7.50, cached: €1, request: €0.003, asOf: 2026-11-20 } }
        pricesFrom: { gpt-4o: { 2027-02-01: { input: €2, output: €6, cached: €1, request: €0.002 } } }
        limits:
          rps: 10
          rpm: 500
          rpd: 10_000
          tpm: 200_000
          tpd: 1_000_000
          itpm: 150_000
          otpm: 50_000
          concurrency: 20
          perDay: €5
          perMonth: €100
          zone: Europe/Berlin
          models:
            gpt-4o: &amounts
              rps: 1
              rpm: 2
              rpd: 3
              tpm: 4
              tpd: 5
              itpm: 6
              otpm: 7
              concurrency: 8
              perDay: €9
              perMonth: €10
          account: *amounts
      k2: { secret: "file:../secrets/k2", surcharge: 5% }
  house: { provider: house, keys: { main: { secret: env:HOUSE_KEY } } }
  other:
    provider: other
    surcharge: 10%
    rotation: { command: [../bin/new-key, --quiet], within: 1m }
    keys: { main: { secret: "store:other/main" } }
  further:
    provider: other
    rotation: { webhook: "https://vault.example.com/rotate", secretFile: ../secrets/rotation }
    keys: { main: { secret: "store:further/main" } }
models:
  gpt-4o:
    pools: [openai-main, house]
    as: gpt-4o-2024-08-06
    tags: [chat]
    price: { input: €2.50, output: €10, cached: €1.25, request: €0.01, asOf: 2026-11-01 }
    pricesFrom:
      2027-03-01: { input: €2, output: €8, cached: €1, request: €0.02 }
      2027-01-15: { input: €3, output: €12 }
    outputTokensMax: 16_384
    tokenizer: o200k_base
  Llama-3.3/70B: { pools: [house] }
  gpt-4o-mini: { pools: [house] }
  ours: { pools: [other], price: { input: €1, output: €1, asOf: 2026-11-01 } }
  gpt-4.1: { pools: [openai-main], price: { input: €2, output: €8, asOf: 2026-11-01 } }
`,
  'enforcement.yaml': 'policies: { data-residency: shadow, "Key hygiene": warn }\n',
};
