import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { areaDefines, areaPolicies, POLICIES_PER_AREA } from './company-policies.ts';

/**
 * A company with everything a real one has – areas with services, routes of several kinds, some with schemas, tenants of
 * three plans, policies of ten kinds – so that neither reading nor compiling it is a thousand times the same line.
 */
export interface CompanyOptions {
  readonly folder: string;
  readonly areas: number;
  /** Resources of each area, {@link RESOURCES_MIN} to 20; each has {@link ROUTES_PER_RESOURCE} routes. */
  readonly resources: number;
  readonly tenants: number;
  /** False: without the policies of the areas, for who writes policies of their own. */
  readonly policies: boolean;
}

export const ROUTES_PER_RESOURCE = 5;
/** With fewer, policies would speak of tags that no route has. */
export const RESOURCES_MIN = 5;
export const RESOURCES_MAX = 20;
const RESOURCES = [
  ...['orders', 'invoices', 'customers', 'users', 'shipments', 'returns', 'payments', 'refunds', 'coupons'],
  ...['carts', 'reviews', 'stores', 'suppliers', 'contracts', 'tickets', 'reports', 'exports', 'events'],
  ...['products', 'addresses'],
] as const;
const REGIONS = ['eu', 'us', 'apac'] as const;
const PLANS = ['free', 'team', 'enterprise'] as const;
const TENANTS_PER_FILE = 10;
const POLICIES_PER_FILE = 5;
/** Every so many areas have schemas for what is created in them. */
const AREAS_PER_SCHEMA = 4;

export function writeCompany({ folder, areas, resources, tenants, policies }: CompanyOptions): void {
  for (const name of ['routes', 'tenants', 'policies']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'portunus.yaml'), SETTINGS);
  for (let area = 0; area < areas; area++) {
    writeFileSync(join(folder, routesFile(area)), areaRoutes(area, resources));
    if (hasSchema(area)) writeFileSync(join(folder, 'routes', `area-${area}.schema.json`), schema(area));
    if (!policies) continue;
    for (let first = 0; first < POLICIES_PER_AREA; first += POLICIES_PER_FILE) {
      const text = policyText(area, first, tenants);
      writeFileSync(join(folder, policyFile(area, first)), text);
    }
  }
  for (let first = 0; first < tenants; first += TENANTS_PER_FILE) {
    const count = Math.min(TENANTS_PER_FILE, tenants - first);
    writeFileSync(
      join(folder, 'tenants', `tenants-${first}.yaml`),
      tenantsText(first, count, areas, resources),
    );
  }
}

/** Paths below the project folder. */
export function policyFile(area: number, first: number): string {
  return `policies/area-${area}-${first === 0 ? 'access' : 'rules'}.policy`;
}
export function routesFile(area: number): string {
  return `routes/area-${area}.yaml`;
}

export function hasSchema(area: number): boolean {
  return area % AREAS_PER_SCHEMA === 0;
}

/** One file of policies; `first` is 0 or {@link POLICIES_PER_FILE}. */
function policyText(area: number, first: number, tenants: number): string {
  const world = { area, edition: '', tenants, hasSchema: hasSchema(area) };
  const texts = areaPolicies(world).slice(first, first + POLICIES_PER_FILE);
  return `${FILE_HEAD}${first === 0 ? '' : areaDefines(area)}\n${texts.join('\n')}`;
}

/** A file of at least `bytes` bytes for a company of so many areas: several editions of the policies of each. */
export function largePolicyFile(bytes: number, areas: number, tenants: number): string {
  const parts = [FILE_HEAD, ...Array.from({ length: areas }, (_, area) => areaDefines(area))];
  let length = parts.join('').length;
  for (let at = 0; length < bytes; at++) {
    const area = at % areas;
    const edition = `-edition-${Math.floor(at / areas)}`;
    for (const text of areaPolicies({ area, edition, tenants, hasSchema: hasSchema(area) })) {
      if (length >= bytes) break;
      parts.push(`\n${text}`);
      length += text.length + 1;
    }
  }
  return parts.join('');
}

const FILE_HEAD = 'language 1\nzone Europe/Berlin\n';

const SETTINGS = `portunus: 1
zone: Europe/Berlin
attributes:
  tenant:
    region: { enum: [${REGIONS.join(', ')}], label: caller }
    models: { list: text, label: caller }
    trial_ends: { type: date, optional: true, label: caller }
  consumer:
    kind: { enum: [service, person], label: caller }
`;

function areaRoutes(area: number, resources: number): string {
  const services = ['core', 'batch'].map(
    (part) => `  area-${area}-${part}:
    owner: area-${area}@acme.example
    endpoints:
      - { url: "http://10.0.${area % 250}.1:9001", weight: 2 }
      - { url: "http://10.0.${area % 250}.2:9001" }
    timeouts: { connect: 1s, firstByte: 10s, idle: 30s, total: 60s }
`,
  );
  const routes = RESOURCES.slice(0, resources).flatMap((resource, at) => resourceRoutes(area, resource, at));
  return `# What area ${area} offers.\nservices:\n${services.join('')}\nroutes:\n${routes.join('')}`;
}

/** {@link ROUTES_PER_RESOURCE} routes. */
function resourceRoutes(area: number, resource: string, at: number): readonly string[] {
  const version = at % 5 === 4 ? 'v1' : 'v2';
  const base = `/${version}/area-${area}/${resource}`;
  const tags = [`area-${area}`, resource, version];
  const service = `area-${area}-${at % 3 === 2 ? 'batch' : 'core'}`;
  const body = hasSchema(area) && at % 2 === 0 ? `schema: ./area-${area}.schema.json, ` : '';
  const one = [...tags, resource === 'customers' || resource === 'addresses' ? 'personal' : 'plain'];
  const state = version === 'v1' ? '    state: deprecated\n' : '';
  const route = (verb: string, method: string, path: string, itsTags: readonly string[], more = ''): string =>
    `  ${routeName(area, verb, resource)}:
    service: ${service}
    match: { methods: [${method}], path: "${path}" }
    tags: [${itsTags.join(', ')}]
${state}${more}    docs: { summary: "${verb} ${resource} of area ${area}" }
`;
  return [
    route('list', 'GET', base, tags, at % 7 === 3 ? '    auth: optional\n' : ''),
    route('get', 'GET', `${base}/{id}`, one, `    upstreamPath: "/internal/${resource}/{id}"\n`),
    route('create', 'POST', base, [...tags, 'write'], `    request: { ${body}maxBody: 256KiB }\n`),
    route('change', 'PUT', `${base}/{id}`, [...one, 'write']),
    route('export', 'GET', `${base}/{id}/export`, [...tags, 'heavy'], '    version: 1.2.0\n'),
  ];
}

export function routeName(area: number, verb: string, resource: string): string {
  return `area-${area}-${verb}-${resource}`;
}

function schema(area: number): string {
  const text = (maxLength: number) => ({ type: 'string', maxLength });
  return JSON.stringify(
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['number', 'amount'],
      properties: {
        number: text(40 + (area % 10)),
        amount: { type: 'number', minimum: 0 },
        currency: { enum: ['EUR', 'USD', 'GBP'] },
        reason: text(500),
        customer: { type: 'object', properties: { name: text(200), country: text(2) } },
        positions: {
          type: 'array',
          maxItems: 500,
          items: { type: 'object', properties: { product: text(80), count: { type: 'integer' } } },
        },
      },
    },
    null,
    2,
  );
}

function tenantsText(first: number, count: number, areas: number, resources: number): string {
  const texts = Array.from({ length: count }, (_, at) => tenant(first + at, areas, resources));
  return `tenants:\n${texts.join('')}`;
}

function tenant(index: number, areas: number, resources: number): string {
  const area = index % areas;
  const subscribed = RESOURCES.slice(0, Math.min(resources, 10)).flatMap((resource) =>
    ['list', 'get', 'create'].map((verb) => routeName(area, verb, resource)),
  );
  const trial = PLANS[index % 3] === 'free' ? ', trial_ends: 2027-01-31' : '';
  return `  tenant-${index}:
    plan: ${PLANS[index % 3]}
    attributes: { region: ${REGIONS[index % 7 === 0 ? 1 : 0]}, models: [small, large]${trial} }
    teams: { shop: {}, office: {} }
    consumers:
      web-${index}:
        team: shop
        attributes: { kind: service }
        subscriptions: [${subscribed.join(', ')}]
      desk-${index}:
        team: office
        roles: [support, ${index % 2 === 0 ? 'finance' : 'admin'}]
        attributes: { kind: person }
        subscriptions: [${subscribed.slice(0, 6).join(', ')}]
`;
}
