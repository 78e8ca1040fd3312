import { dirname, posix } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';

/** Any part of a document. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a file beside the document, by its path relative to the document's folder. Errors are sentences. */
export type ReadPart = (path: string) => Promise<Result<Json, string>>;

const FILES_MAX = 200;
/** Where other files are put, so that every reference leads into one document. */
const FILES = 'x-portunus-files';

/**
 * Joins the files that a document refers to with it: `$ref: ./pet.yaml#/Pet` becomes a reference into the document
 * itself. Only files are read; an address of the network is an error.
 */
export async function joinFiles(
  root: JsonObject,
  rootPath: string,
  read: ReadPart,
): Promise<Result<JsonObject, string>> {
  const parts = new Map<string, Json>();
  const waiting: string[] = [];
  const place = (path: string): string => {
    if (!parts.has(path)) {
      parts.set(path, null);
      waiting.push(path);
    }
    return `#/components/${FILES}/${escapePointer(path)}`;
  };
  const joined = withReferences(root, rootPath, rootPath, place);
  if (!joined.ok) return joined;
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (parts.size > FILES_MAX) return err(`The document refers to more than ${FILES_MAX} files.`);
    const value = await read(path);
    if (!value.ok) return value;
    const part = withReferences(value.value, path, rootPath, place);
    if (!part.ok) return part;
    parts.set(path, part.value);
  }
  if (parts.size === 0) return ok(joined.value as JsonObject);
  const document = joined.value as JsonObject;
  const components = isObject(document.components) ? document.components : {};
  return ok({ ...document, components: { ...components, [FILES]: Object.fromEntries(parts) } });
}

function withReferences(
  value: Json,
  path: string,
  rootPath: string,
  place: (path: string) => string,
): Result<Json, string> {
  let problem: string | null = null;
  const copy = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(copy);
    if (!isObject(part)) return part;
    const entries = Object.entries(part).map(([name, member]) => {
      if (name !== '$ref' || typeof member !== 'string') return [name, copy(member)];
      const target = targetOf(member, path, rootPath, place);
      if (!target.ok) problem ??= target.error;
      return [name, target.ok ? target.value : member];
    });
    return Object.fromEntries(entries);
  };
  const copied = copy(value);
  return problem === null ? ok(copied) : err(problem);
}

function targetOf(
  reference: string,
  path: string,
  rootPath: string,
  place: (path: string) => string,
): Result<string, string> {
  const [file = '', pointer = ''] = splitOnce(reference, '#');
  if (/^[a-z][a-z0-9+.-]*:/i.test(file) || file.startsWith('//') || file.startsWith('/')) {
    return err(
      `The reference "${shownReference(reference)}" leads out of the folder of the document; only files in it are read.`,
    );
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(file);
  } catch {
    return err(`The reference "${shownReference(reference)}" is no address.`);
  }
  const target = decoded === '' ? path : posix.normalize(posix.join(dirname(path), decoded));
  if (target === '..' || target.startsWith('../')) {
    return err(
      `The reference "${shownReference(reference)}" leads out of the folder of the document; only files in it are read.`,
    );
  }
  return ok(target === rootPath ? `#${pointer}` : `${place(target)}${pointer}`);
}

function shownReference(reference: string): string {
  return reference.length > 100 ? `${reference.slice(0, 100)}…` : reference;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function escapePointer(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** What a reference within the document leads to (RFC 6901); undefined when it leads nowhere. */
export function follow(root: JsonObject, reference: string): Json | undefined {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let value: Json | undefined = root;
  for (const step of reference.slice(2).split('/')) {
    const name = decodeStep(step);
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isObject(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}

const CHAIN_MAX = 32;

/** The object that is meant, through however many references; null when they lead nowhere or in a circle. */
export function resolved(root: JsonObject, value: Json | undefined): JsonObject | null {
  let part = value;
  for (let steps = 0; steps < CHAIN_MAX; steps++) {
    if (!isObject(part)) return null;
    if (typeof part.$ref !== 'string') return part;
    part = follow(root, part.$ref);
  }
  return null;
}

/**
 * How many values the document has with every reference written out; a reference back to what it stands in counts as
 * one. Tools that follow references need time in proportion to this, and twenty lines can make it 2^20.
 */
export function expandedSize(root: JsonObject): number {
  const sizes = new Map<Json, number>();
  const open = new Set<Json>();
  const size = (value: Json): number => {
    if (typeof value !== 'object' || value === null || open.has(value)) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    open.add(value);
    let sum = 1;
    for (const member of Array.isArray(value) ? value : Object.values(value)) sum += size(member);
    if (isObject(value) && typeof value.$ref === 'string') sum += size(follow(root, value.$ref) ?? null);
    open.delete(value);
    sizes.set(value, sum);
    return sum;
  };
  return size(root);
}
