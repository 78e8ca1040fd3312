import type { Accounting } from '../../model/money.ts';
import type { ErrorRule, LimitHeaders, Provider } from '../../model/pools.ts';
import type { Service } from '../../model/world.ts';
import type {
  ErrorRuleDocument,
  LimitHeadersDocument,
  ProviderDocument,
  ProvidersDocument,
} from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';
import { isShipped, SHIPPED_NAMES, shippedBaseUrl } from '../shape/shipped.ts';
import { buildFields } from './fields.ts';
import { durationMs } from './literals.ts';
import { checkReference, definitionsOf, type KnownNames, type NameTable } from './names.ts';
import { buildCalls, readEndpoint } from './services.ts';
import type { Files } from './sources.ts';
import { buildUsageFields } from './usage-fields.ts';

export interface ProviderContext {
  /** Of routes/, which providers share their names with: limits of endpoints and alerts speak of both. */
  readonly services: NameTable;
  readonly projectFolder: string;
  /** Null: it could not be read. */
  readonly accounting: Accounting | null;
  readonly report: Report;
}

const SHIPPED: KnownNames = { what: 'shipped description', names: new Set(SHIPPED_NAMES), complete: true };

export function buildProviders(
  files: Files<ProvidersDocument>,
  names: NameTable,
  context: ProviderContext,
): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>();
  for (const { name, here, definition } of definitionsOf(files, 'providers', names)) {
    checkServiceName(name, here, context);
    const provider = buildProvider(name, definition, here, context);
    if (provider !== null) providers.set(name, provider);
  }
  return providers;
}

function checkServiceName(name: string, here: Here, { services, report }: ProviderContext): void {
  const service = services.names.get(name);
  if (service === undefined) return;
  report({
    code: 'PT3202',
    message: `"${name}" is the name of a service and of a provider.`,
    target: keyAt(here),
    help: 'Give one of them another name: both are called, and are told apart by it.',
    related: [{ target: keyAt(service), message: 'the service' }],
  });
}

function buildProvider(
  name: string,
  document: ProviderDocument,
  here: Here,
  { projectFolder, accounting, report }: ProviderContext,
): Provider | null {
  const { extends: extended, dialect, baseUrl } = document;
  if (extended !== undefined && !isShipped(extended)) {
    checkReference(extended, SHIPPED, { ...below(here, 'extends'), part: 'value' }, report);
    return null;
  }
  if (!isInRegion(name, document, here, report)) return null;
  const service = buildService(name, document, here, projectFolder, report);
  if (dialect === undefined) reportMissing(name, 'dialect', 'openai, or anthropic', here, report);
  if (baseUrl === undefined)
    reportMissing(name, 'baseUrl', 'the URL that the paths of all calls are put behind', here, report);
  if (dialect === undefined || service === null) return null;
  return {
    name,
    dialect,
    service,
    region: document.region ?? null,
    auth: { header: document.auth.header.toLowerCase(), prefix: document.auth.prefix },
    headers: buildFields(document.headers, below(here, 'headers'), report),
    limitHeaders: document.limits.map(limitHeaders),
    retryHeaders: document.retry.map(({ header, format }) => ({ name: header.toLowerCase(), format })),
    errors: document.errors.map(errorRule),
    tokensCounted: document.tokensCounted,
    dailyZone: document.dailyLimitsZone ?? null,
    outputCapMember: document.outputCapMember,
    modelMembers: document.modelMembers,
    streamUsage: document.streamUsage,
    usage: buildUsageFields(document.usage, accounting),
    place: here.file.placeOf(here.path),
  };
}

/** Whether the provider is called where it is said to compute: an address of all regions is none of one of them. */
function isInRegion(name: string, document: ProviderDocument, here: Here, report: Report): boolean {
  const { extends: extended, region, regions, baseUrl } = document;
  for (const [each, url] of Object.entries(regions)) readEndpoint(url, below(here, 'regions', each), report);
  const names = Object.keys(regions);
  const isAddressOfAll = baseUrl === undefined || baseUrl === shippedBaseUrl(extended);
  if (region === undefined || names.length === 0 || names.includes(region) || !isAddressOfAll) return true;
  report({
    code: 'PT3201',
    message: `${extended ?? `"${name}"`} has no address in the region "${region}".`,
    target: valueAt(below(here, 'region')),
    help: `Write one of ${names.join(', ')}, or say where that is: baseUrl.`,
  });
  return false;
}

function buildService(
  name: string,
  document: ProviderDocument,
  here: Here,
  projectFolder: string,
  report: Report,
): Service | null {
  const calls = buildCalls(document, 'alone', here, projectFolder, report);
  if (document.baseUrl === undefined) return null;
  const endpoint = readEndpoint(document.baseUrl, below(here, 'baseUrl'), report);
  return endpoint === null ? null : { name, owner: null, endpoints: [{ ...endpoint, weight: 1 }], ...calls };
}

function reportMissing(name: string, field: string, what: string, here: Here, report: Report): void {
  report({
    code: 'PT3102',
    message: `"${name}" lacks the field "${field}".`,
    target: keyAt(here),
    help: `Add \`${field}:\` – ${what}.`,
  });
}

function limitHeaders({ unit, window, limit, remaining, reset, format }: LimitHeadersDocument): LimitHeaders {
  return {
    unit,
    windowMs: durationMs(window),
    limit: limit?.toLowerCase() ?? null,
    remaining: remaining.toLowerCase(),
    reset: reset?.toLowerCase() ?? null,
    resetFormat: format,
  };
}

function errorRule({ statuses = [], codes = [], message, means }: ErrorRuleDocument): ErrorRule {
  return { statuses, codes, messageContains: message?.toLowerCase() ?? null, means };
}
