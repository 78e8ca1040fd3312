import { createHash } from 'node:crypto';
import type { RuleBundle } from '../pipeline/program.ts';

/** SHA-256 over canonical JSON (keys of objects in order), first 16 hex digits. Equal content has an equal name. */
export function bundleHash(content: Omit<RuleBundle, 'hash'>): string {
  const hash = createHash('sha256');
  const canonical = canonicalWriter();
  for (const name of ['functions', 'rules', 'counters', 'services'] as const) {
    hash.update(`${name}:${canonical(content[name])}\n`);
  }
  // Ten thousand calls for short texts take longer than hashing them.
  let pending = '';
  for (const route of content.routes) {
    pending += `${canonical(route)}\n`;
    if (pending.length < UPDATE_UNITS) continue;
    hash.update(pending);
    pending = '';
  }
  hash.update(pending);
  return hash.digest('hex').slice(0, 16);
}

const UPDATE_UNITS = 256 * 1_024;

/** JSON with the keys of every object in order of code units. Values without a JSON form are not part of a bundle. */
export function canonicalJson(value: unknown): string {
  return canonicalWriter()(value);
}

/** Routes share their constants by reference, so texts of arrays are kept. Loops, not chains: 100,000 routes pass here. */
function canonicalWriter(): (value: unknown) => string {
  const arrays = new Map<readonly unknown[], string>();
  const write = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    if (!Array.isArray(value)) return writeObject(value as Readonly<Record<string, unknown>>, write);
    if (value.length === 0) return '[]';
    let text = arrays.get(value);
    if (text === undefined) {
      text = writeArray(value, write);
      arrays.set(value, text);
    }
    return text;
  };
  return write;
}

function writeArray(items: readonly unknown[], write: (value: unknown) => string): string {
  let text = '[';
  for (const item of items) text += text === '[' ? write(item) : `,${write(item)}`;
  return `${text}]`;
}

function writeObject(value: Readonly<Record<string, unknown>>, write: (value: unknown) => string): string {
  let text = '{';
  for (const name of Object.keys(value).sort()) {
    if (value[name] === undefined) continue;
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${write(value[name])}`;
  }
  return `${text}}`;
}
