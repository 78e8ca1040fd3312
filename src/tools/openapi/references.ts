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
 * itself. Only files are read, never an address of the network. A reference that can't be followed is marked where it
 * stands (`whyUnread`); one that leads out of the document's folder is an error.
 */
export async function joinFiles(
  root: JsonObject,
  rootPath: string,
  read: ReadPart,
): Promise<Result<JsonObject, string>> {
  const files: Files = { rootPath, parts: new Map(), waiting: [], unreadable: new Map(), written: new Map() };
  const joined = withReferences(root, rootPath, files);
  if (!joined.ok) return joined;
  const { parts, waiting } = files;
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (parts.size > FILES_MAX) return err(`The document refers to more than ${FILES_MAX} files.`);
    const value = await read(path);
    if (!value.ok) {
      files.unreadable.set(placeOf(path), value.error);
      continue;
    }
    const part = withReferences(value.value, path, files);
    if (!part.ok) return part;
    parts.set(path, part.value);
  }
  const document = joined.value as JsonObject;
  if (parts.size === 0) return ok(withMarks(document, files));
  const components = isObject(document.components) ? document.components : {};
  const whole = { ...document, components: { ...components, [FILES]: Object.fromEntries(parts) } };
  return ok(withMarks(whole, files));
}

/** The files that belong to a document, while they are gathered. */
interface Files {
  readonly rootPath: string;
  readonly parts: Map<string, Json>;
  readonly waiting: string[];
  /** Why a file was not read, by its place in the document. */
  readonly unreadable: Map<string, string>;
  /** References as somebody wrote them, by what they became. */
  readonly written: Map<string, string>;
}

function placeOf(path: string): string {
  return `#/components/${FILES}/${escapePointer(path)}`;
}

function withReferences(value: Json, path: string, files: Files): Result<Json, string> {
  let problem: string | null = null;
  const copy = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(copy);
    if (!isObject(part)) return part;
    const entries = Object.entries(part).map(([name, member]) => {
      if (name !== '$ref' || typeof member !== 'string') return [name, copy(member)];
      const target = targetOf(member, path, files);
      if (target.kind === 'forbidden') problem ??= target.why;
      if (target.kind === 'unread') return [UNREAD, target.why];
      return [name, target.kind === 'place' ? target.reference : member];
    });
    return Object.fromEntries(entries);
  };
  const copied = copy(value);
  return problem === null ? ok(copied) : err(problem);
}

type Target =
  | { readonly kind: 'place'; readonly reference: string }
  | { readonly kind: 'unread'; readonly why: string }
  | { readonly kind: 'forbidden'; readonly why: string };

function targetOf(reference: string, path: string, files: Files): Target {
  const [file = '', pointer = ''] = splitOnce(reference, '#');
  const shown = `the reference "${shownReference(reference)}"`;
  const forbidden: Target = {
    kind: 'forbidden',
    why: `T${shown.slice(1)} leads out of the folder of the document; only files in it are read.`,
  };
  if (/^file:/i.test(file) || /^\/(?!\/)/.test(file)) return forbidden;
  if (/^[a-z][a-z0-9+.-]*:/i.test(file) || file.startsWith('//')) {
    return { kind: 'unread', why: `${shown} is an address; only files beside the document are read.` };
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(file);
  } catch {
    return { kind: 'unread', why: `${shown} is not written as an address is.` };
  }
  const target = decoded === '' ? path : posix.normalize(posix.join(dirname(path), decoded));
  if (target === '..' || target.startsWith('../')) return forbidden;
  const place = target === files.rootPath ? '#' : placeOf(target);
  if (place !== '#' && !files.parts.has(target)) {
    files.parts.set(target, null);
    files.waiting.push(target);
  }
  const become = `${place}${pointer}`;
  if (!files.written.has(become)) files.written.set(become, reference);
  return { kind: 'place', reference: become };
}

/** Stands in place of a `$ref` that can't be followed, with the reason; an extension, so that a schema may have it. */
const UNREAD = 'x-portunus-unread';

/** Why what should stand here was not read; null when it was. */
export function whyUnread(part: Json | undefined): string | null {
  const why = isObject(part) ? part[UNREAD] : null;
  return typeof why === 'string' ? why : null;
}

/** Whether a member of a part is the mark of a reference that can't be followed. */
export function isMark(name: string): boolean {
  return name === UNREAD;
}

/** Why anything in a value was not read, each reason once; references in it are not followed. */
export function reasonsUnread(value: Json): readonly string[] {
  const reasons = new Set<string>();
  const visit = (part: Json): void => {
    if (typeof part !== 'object' || part === null) return;
    const why = whyUnread(part);
    if (why !== null) reasons.add(why);
    for (const member of Object.values(part)) visit(member);
  };
  visit(value);
  return [...reasons];
}

/** Marks the references that lead nowhere, in a circle, or to a file or a mark that was not read. */
function withMarks(root: JsonObject, files: Files): JsonObject {
  const known = new Map<string, string | null>();
  const whyNot = (reference: string): string | null => {
    if (!known.has(reference)) known.set(reference, whyNotFollowed(root, reference, files));
    return known.get(reference)!;
  };
  const copy = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(copy);
    if (!isObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part).map(([name, member]) => {
        const why = name === '$ref' && typeof member === 'string' ? whyNot(member) : null;
        return why === null ? [name, copy(member)] : [UNREAD, why];
      }),
    );
  };
  return copy(root) as JsonObject;
}

function whyNotFollowed(root: JsonObject, reference: string, files: Files): string | null {
  const shown = (one: string) => `the reference "${shownReference(files.written.get(one) ?? one)}"`;
  let at = reference;
  for (let steps = 0; steps < CHAIN_MAX; steps++) {
    const unreadable = files.unreadable.get(at.split('/', 4).join('/'));
    if (unreadable !== undefined) return `${shown(at)} can't be followed: ${unreadable}`;
    const value = follow(root, at);
    if (value === undefined) return `${shown(at)} leads nowhere.`;
    const why = whyUnread(value);
    if (why !== null) return why;
    if (!isObject(value) || typeof value.$ref !== 'string') return null;
    at = value.$ref;
  }
  return `${shown(reference)} leads in a circle.`;
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
