/** What rules may read of a body that fits a schema: members whose type and presence the schema settles. */
import { elementPath } from '../../model/facts.ts';
import { isWritableName, memberPath } from '../../model/member-path.ts';
import type { BodyMember, JsonSchema, ValueBounds } from '../../model/request-body.ts';
import { isListOfObjects, type ValueType } from '../../model/types.ts';

/**
 * By path, as rules write it; `items[].price` is a member of each element of a list. Members that only `oneOf`, `anyOf`,
 * conditions or patterns speak of are left out, as are lists of lists. Bounded in depth,
 * for schemas that contain themselves.
 */
export function bodyMembers(schema: JsonSchema): Readonly<Record<string, BodyMember>> {
  const members: Record<string, BodyMember> = {};
  const root = partsOf(schema, schema);
  if (typesOf(root).join() === 'object')
    collect(root, schema, { owner: '', certain: true, depth: 0 }, members);
  return members;
}

interface Place {
  readonly owner: string;
  /** Whether the object itself is always there. */
  readonly certain: boolean;
  readonly depth: number;
}

/** The schemas that a value must all fit: a schema, what it refers to, and its `allOf`. */
type Parts = readonly { readonly [keyword: string]: unknown }[];

function collect(object: Parts, root: JsonSchema, place: Place, members: Record<string, BodyMember>): void {
  const required = new Set(object.flatMap((part) => (Array.isArray(part.required) ? part.required : [])));
  const names = new Set(object.flatMap((part) => Object.keys((part.properties as object | undefined) ?? {})));
  for (const name of names) {
    if (!isWritableName(name) || Object.keys(members).length >= MEMBERS_MAX) continue;
    const parts = object.flatMap((part) => propertyOf(part, name, root));
    const types = typesOf(parts);
    const certain = place.certain && required.has(name) && !types.includes('null');
    const path = memberPath(place.owner, name);
    const [type, ...others] = types.filter((each) => each !== 'null');
    if (type === undefined || others.length > 0) continue;
    const value = valueType(type, parts, root);
    const depth = place.depth + 1;
    const bounds = boundsOf(type, parts);
    if (value !== null)
      members[path] = {
        type: value,
        absence: certain ? 'never' : 'always',
        ...(bounds === null ? {} : { bounds }),
      };
    else if (type === 'object' && depth <= DEPTH_MAX)
      collect(parts, root, { owner: path, certain, depth }, members);
    if (value !== null && isListOfObjects(value) && depth <= DEPTH_MAX)
      collect(itemsOf(parts, root), root, { owner: elementPath(path), certain: true, depth }, members);
  }
}

function itemsOf(list: Parts, root: JsonSchema): Parts {
  return list.flatMap((part) => partsOf(part.items, root));
}

function propertyOf(part: Parts[number], name: string, root: JsonSchema): Parts {
  const { properties } = part as { properties?: Record<string, JsonSchema> };
  return properties !== undefined && Object.hasOwn(properties, name) ? partsOf(properties[name]!, root) : [];
}

function partsOf(schema: unknown, root: JsonSchema, depth = 0): Parts {
  if (typeof schema !== 'object' || schema === null || depth > DEPTH_MAX) return [];
  const part = schema as Parts[number];
  const referred = typeof part.$ref === 'string' ? partsOf(refersTo(part.$ref, root), root, depth + 1) : [];
  const all = Array.isArray(part.allOf) ? part.allOf.flatMap((each) => partsOf(each, root, depth + 1)) : [];
  return [part, ...referred, ...all];
}

/** What a reference within the schema leads to: a JSON Pointer (RFC 6901). Anchors are left to the check. */
function refersTo(reference: string, root: JsonSchema): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return null;
  let found: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return null;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** The types that all parts allow; empty when none of them says. */
function typesOf(parts: Parts): readonly string[] {
  const said = parts.flatMap((part) => {
    if (part.type !== undefined) return [[part.type].flat() as string[]];
    const values = 'const' in part ? [part.const] : part.enum;
    return Array.isArray(values) ? [[...new Set(values.map(jsonType))]] : [];
  });
  const [first = [], ...others] = said;
  return first.filter((type) => others.every((types) => types.includes(type)));
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function valueType(type: string, parts: Parts, root: JsonSchema): ValueType | null {
  switch (type) {
    case 'string':
      return textType(parts);
    case 'integer':
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'array': {
      const items = itemsOf(parts, root);
      const [of, ...others] = typesOf(items);
      if (of === undefined || others.length > 0 || parts.some((part) => 'prefixItems' in part)) return null;
      const item = of === 'array' ? null : of === 'object' ? OBJECT : valueType(of, items, root);
      return item === null ? null : { kind: 'list', of: item };
    }
    default:
      return null;
  }
}

const OBJECT: ValueType = { kind: 'object' };

function textType(parts: Parts): ValueType {
  const values = parts.flatMap((part) =>
    'const' in part ? [[part.const]] : Array.isArray(part.enum) ? [part.enum] : [],
  );
  const texts = values[0]?.filter((value) => typeof value === 'string');
  if (texts !== undefined && texts.length > 0) return { kind: 'enum', values: texts };
  return { kind: parts.some((part) => part.format === 'date') ? 'date' : 'text' };
}

/** Null where nothing is said. */
function boundsOf(type: string, parts: Parts): ValueBounds | null {
  const said = (...keywords: readonly string[]): number[] =>
    parts.flatMap((part) => keywords.flatMap((name) => (typeof part[name] === 'number' ? [part[name]] : [])));
  const isNumber = type !== 'string';
  const numbers = (...keywords: readonly string[]) => (isNumber ? said(...keywords) : []);
  const lengths = (keyword: string) => (isNumber ? [] : said(keyword));
  const bounds = {
    least: outermost(Math.max, numbers('minimum')),
    most: outermost(Math.min, numbers('maximum')),
    above: outermost(Math.max, numbers('exclusiveMinimum')),
    below: outermost(Math.min, numbers('exclusiveMaximum')),
    whole: type === 'integer',
    multipleOf: numbers('multipleOf'),
    lengthMin: outermost(Math.max, lengths('minLength')),
    lengthMax: outermost(Math.min, lengths('maxLength')),
    patterns: isNumber
      ? []
      : parts.flatMap((part) => (typeof part.pattern === 'string' ? [part.pattern] : [])),
  };
  const isOpen = Object.values(bounds).every((bound) => bound === null || bound === false || isEmpty(bound));
  return isOpen ? null : bounds;
}

function isEmpty(bound: number | boolean | readonly unknown[]): boolean {
  return typeof bound === 'object' && bound.length === 0;
}

function outermost(pick: (...numbers: readonly number[]) => number, said: readonly number[]): number | null {
  return said.length === 0 ? null : pick(...said);
}

const DEPTH_MAX = 8;
const MEMBERS_MAX = 1_000;
