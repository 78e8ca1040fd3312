import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Project folders that the gateway is measured with. */
export interface BenchProject {
  readonly folder: string;
  /** Folder of the gateway's own data, inside the project. */
  readonly dataFolder: string;
  readonly port: number;
  readonly adminPort: number;
}

export interface ProjectOptions {
  readonly folder: string;
  readonly rules: 'governed' | 'ungoverned';
  readonly upstreamPort: number;
  readonly port: number;
  readonly adminPort: number;
  readonly dataThreads: number | 'auto';
  /** Generated routes beside the ones every project has; see `generatedPath`. */
  readonly generatedRoutes: number;
}

/** The one consumer of every project. */
export const CONSUMER = 'web';

/** Paths of every project; both are open to GET and POST. */
export const ITEM_PATH = '/v1/items/42';
export const STREAM_PATH = '/v1/streams/7';

/** A path that generated route `index` matches; no other route does. */
export function generatedPath(index: number): string {
  return `/v1/area${Math.floor(index / ROUTES_PER_FILE)}/thing${index % ROUTES_PER_FILE}/42`;
}

export function writeProject(options: ProjectOptions): BenchProject {
  const { folder } = options;
  for (const name of ['routes', 'tenants', 'policies']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'portunus.yaml'), settings(options));
  writeFileSync(join(folder, 'routes', 'items.yaml'), itemRoutes(options));
  for (let first = 0; first < options.generatedRoutes; first += ROUTES_PER_FILE) {
    const count = Math.min(ROUTES_PER_FILE, options.generatedRoutes - first);
    writeFileSync(join(folder, 'routes', `area-${first}.yaml`), generatedRoutes(first, count, options.rules));
  }
  writeFileSync(join(folder, 'tenants', 'acme.yaml'), tenants(options.generatedRoutes));
  writePolicy(folder, options.rules === 'governed' ? governedPolicy('0') : UNGOVERNED_POLICY);
  return {
    folder,
    dataFolder: join(folder, 'data'),
    port: options.port,
    adminPort: options.adminPort,
  };
}

export function writePolicy(folder: string, text: string): void {
  writeFileSync(join(folder, 'policies', 'bench.policy'), text);
}

/** Requests that each limit of the governed policy admits: far more than any bench sends. */
export const LIMIT_AMOUNTS = { window: 1_000_000_000, quota: 2_000_000_000 };

/**
 * What "governed" means everywhere in bench/ (runtime.md §7): consumer key checked, two deciding rules, a sliding limit
 * per consumer, a quota per tenant, one header set; the access record is always kept. The header's value lets
 * `reload` see which version handled a request.
 */
export function governedPolicy(version: string): string {
  return `language 1
zone UTC

policy "bench" "Subscribed consumers with a fresh key may call"
    owner "bench@portunus.example"
{
    permit "subscribed" when consumer is subscribed to route
    forbid "old-key" when credential.age > 400 days
    limit "window" at most ${LIMIT_AMOUNTS.window} requests in any 1h  for each consumer
    quota "month" ${LIMIT_AMOUNTS.quota} requests per month  for each tenant
    set header "x-bench-version" to "${version}" in request
}
`;
}

const ROUTES_PER_FILE = 1_000;

const UNGOVERNED_POLICY = `language 1

policy "open" "Everybody may call"
    owner "bench@portunus.example"
{
    permit "all"
}
`;

/** The bounds that 10,000 open streams from one address need; the rest is as delivered. */
function settings({ port, adminPort, dataThreads }: ProjectOptions): string {
  return `portunus: 1
listen: { address: 127.0.0.1, port: ${port} }
admin: { address: 127.0.0.1, port: ${adminPort} }
dataThreads: ${dataThreads}
data: ./data
limits:
  upstreamConnectionsPerEndpoint: 16_384
  connectionsPerAddress: 16_384
`;
}

function itemRoutes({ upstreamPort, rules }: ProjectOptions): string {
  return `services:
  items:
    owner: bench@portunus.example
    endpoints: [{ url: "http://127.0.0.1:${upstreamPort}" }]
    timeouts: { connect: 1s, firstByte: 10s, idle: 1h, total: 1h }
routes:
${route('items', '/v1/items/{id}', rules)}${route('streams', '/v1/streams/{id}', rules)}`;
}

function generatedRoutes(first: number, count: number, rules: ProjectOptions['rules']): string {
  let text = 'routes:\n';
  for (let index = first; index < first + count; index++) {
    text += route(`generated-${index}`, generatedPath(index).replace('/42', '/{id}'), rules);
  }
  return text;
}

function route(name: string, path: string, rules: ProjectOptions['rules']): string {
  const auth = rules === 'governed' ? 'required' : 'none';
  return `  ${name}: { service: items, match: { methods: [GET, POST], path: "${path}" }, auth: ${auth} }\n`;
}

/** The consumer has no credentials: the gateway issues a first key at start. It is subscribed to every route. */
function tenants(generatedRoutes: number): string {
  const generated = Array.from({ length: generatedRoutes }, (_, index) => `          - generated-${index}\n`);
  return `tenants:
  acme:
    plan: team
    teams: { shop: {} }
    consumers:
      ${CONSUMER}:
        team: shop
        roles: [buyer]
        subscriptions:
          - items
          - streams
${generated.join('')}`;
}
