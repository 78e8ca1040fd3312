import shipped from '../../../providers/all.json' with { type: 'json' };
import { isDialect, OPERATION_TARGETS, type OperationName } from '../../model/pools.ts';
import type { FileKind } from '../kinds.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The files in `providers/`, each as one description (`npm run generate` makes this of them). */
const DESCRIPTIONS: Readonly<Record<string, Fields>> = shipped;
const PREFIX = 'builtin/';

/** What `extends` may name. */
export const SHIPPED_NAMES: readonly string[] = Object.keys(DESCRIPTIONS).map((name) => `${PREFIX}${name}`);

export function isShipped(name: string): boolean {
  return SHIPPED_NAMES.includes(name);
}

/** Where a shipped description is called that is not told in which region; undefined: it has no such address. */
export function shippedBaseUrl(extended: string | undefined): string | undefined {
  const { baseUrl } = descriptionOf(extended);
  return typeof baseUrl === 'string' ? baseUrl : undefined;
}

/**
 * Fills in what a file of providers takes from shipped descriptions, before its schema fills in defaults: maps field by field, lists as
 * a whole; of several addresses that of the region that a provider is said to be in. Changes `root`.
 */
export function fillFromShipped(kind: FileKind, root: unknown): void {
  if (kind !== 'providers' || !isMap(root) || !isMap(root.providers)) return;
  for (const provider of Object.values(root.providers)) {
    if (!isMap(provider)) continue;
    const description = descriptionOf(provider.extends);
    fillBaseUrl(provider, description);
    fill(provider, description);
  }
}

function fillBaseUrl(provider: Record<string, unknown>, description: Fields): void {
  const { baseUrl, region } = provider;
  if (baseUrl !== undefined || typeof region !== 'string') return;
  for (const regions of [provider.regions, description.regions]) {
    if (!isMap(regions) || !Object.hasOwn(regions, region)) continue;
    provider.baseUrl = regions[region];
    return;
  }
}

function descriptionOf(extended: unknown): Fields {
  return typeof extended === 'string' && isShipped(extended)
    ? DESCRIPTIONS[extended.slice(PREFIX.length)]!
    : {};
}

/** Where the SDKs of its dialect ask for what a route to models is for: what the route itself does not say of its match. */
export function fillMatches(kind: FileKind, root: unknown): void {
  if (kind !== 'routes' || !isMap(root) || !isMap(root.routes)) return;
  for (const route of Object.values(root.routes)) {
    if (!isMap(route) || typeof route.ai !== 'string') continue;
    if (!Object.hasOwn(route, 'match')) route.match = {};
    if (isMap(route.match)) fill(route.match, usualMatch(route.ai));
  }
}

function usualMatch(ai: string): Fields {
  if (isDialect(ai)) return { path: '/v1/{operation...}' };
  // Of a misspelt one it is not also said that its match is missing.
  const name = Object.hasOwn(OPERATION_TARGETS, ai) ? (ai as OperationName) : 'openai/chat';
  const { method, path } = OPERATION_TARGETS[name];
  return { methods: [method], path: `/v1${path}` };
}

function fill(target: Record<string, unknown>, from: Fields): void {
  for (const [name, value] of Object.entries(from)) {
    if (!Object.hasOwn(target, name)) target[name] = structuredClone(value);
    else if (isMap(target[name]) && isMap(value)) fill(target[name], value);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
