import { createHash } from 'node:crypto';

/** Of what is large and mostly the same as in the last version: plain data that nobody changes. */
const DIGESTS = new WeakMap<object, string>();

/** SHA-256 of its canonical JSON. */
export function digestOf(value: object): string {
  let digest = DIGESTS.get(value);
  if (digest === undefined) {
    digest = digestOfText(canonicalJson(value));
    DIGESTS.set(value, digest);
  }
  return digest;
}

export function digestOfText(text: string): string {
  return createHash('sha256').update(text).digest('base64');
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
