import { createHash } from 'node:crypto';
import type { RouteProgram, RuleBundle } from '../pipeline/program.ts';

/** SHA-256 over digests of the parts, each of its canonical JSON; first 16 hex digits. Equal content has an equal name. */
export function bundleHash(content: Omit<RuleBundle, 'hash'>): string {
  const hash = createHash('sha256');
  for (const name of ['functions', 'rules', 'counters', 'services'] as const) {
    hash.update(`${name}:${content[name].map(canonicalPart).join(',')}\n`);
  }
  let routes = '';
  for (const route of content.routes) routes += `${routeText(route)}\n`;
  return hash.update(routes).digest('hex').slice(0, 16);
}

/** Short texts for what is large and mostly the same as in the last version: plain data that nobody changes. */
const DIGESTS = new WeakMap<object, string>();
const ROUTE_TEXTS = new WeakMap<RouteProgram, string>();

function routeText(program: RouteProgram): string {
  let text = ROUTE_TEXTS.get(program);
  if (text === undefined) {
    const { route, constants, ...others } = program;
    text = `${digestOf(route)} ${constants.map(canonicalPart).join()} ${canonicalJson(others)}`;
    ROUTE_TEXTS.set(program, text);
  }
  return text;
}

function canonicalPart(value: unknown): string {
  return typeof value === 'object' && value !== null ? digestOf(value) : canonicalJson(value);
}

function digestOf(value: object): string {
  let digest = DIGESTS.get(value);
  if (digest === undefined) {
    digest = createHash('sha256').update(canonicalJson(value)).digest('base64');
    DIGESTS.set(value, digest);
  }
  return digest;
}

/** JSON with the keys of every object in order of code units. Values without a JSON form are not part of a bundle. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return Array.isArray(value) ? writeArray(value) : writeObject(value as Readonly<Record<string, unknown>>);
}

/** Loops, not chains: 100,000 routes pass here. */
function writeArray(items: readonly unknown[]): string {
  let text = '[';
  for (const item of items) text += text === '[' ? canonicalJson(item) : `,${canonicalJson(item)}`;
  return `${text}]`;
}

function writeObject(value: Readonly<Record<string, unknown>>): string {
  let text = '{';
  for (const name of Object.keys(value).sort()) {
    if (value[name] === undefined) continue;
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(value[name])}`;
  }
  return `${text}}`;
}
