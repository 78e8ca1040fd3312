import { hash } from 'node:crypto';
import type { Route } from '../model/world.ts';

/** Of what is large and mostly the same as in the last version: plain data that nobody changes. */
const DIGESTS = new WeakMap<object, string>();

/** SHA-256 of its canonical JSON. */
export function digestOf(value: object): string {
  return keptDigest(value, canonicalJson);
}

export function digestOfRoute(route: Route): string {
  return keptDigest(route, routeJson);
}

function keptDigest<Value extends object>(value: Value, textOf: (value: Value) => string): string {
  let digest = DIGESTS.get(value);
  if (digest === undefined) {
    digest = digestOfText(textOf(value));
    DIGESTS.set(value, digest);
  }
  return digest;
}

/** In one call: a `Hash` object for each of 100,000 routes costs more than hashing them. */
export function digestOfText(text: string): string {
  return hash('sha256', text, 'base64');
}

/** Members of a route stand in the order in which our code writes them, and need no sorting; only a schema has an author's. */
function routeJson(route: Route): string {
  const { requestBody } = route;
  if (requestBody === null) return JSON.stringify(route);
  return `${JSON.stringify({ ...route, requestBody: null })} ${canonicalJson(requestBody)}`;
}

/** JSON with the keys of every object in order of code units. Values without a JSON form are not part of a bundle. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return writeArray(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  return writeObject(value as Readonly<Record<string, unknown>>);
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
