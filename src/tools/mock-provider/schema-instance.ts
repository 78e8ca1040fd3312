/** A small value that a JSON Schema allows: what the mock provider answers with where a caller asks for one. The same for the same schema. */
import type { JsonObject } from './call.ts';

/** `text`: what texts of no other form say. Patterns are not followed. */
export function instanceOf(schema: unknown, text: string): unknown {
  return allowedBy(schema, { root: schema, text }, 0);
}

interface Asked {
  readonly root: unknown;
  readonly text: string;
}

function allowedBy(schema: unknown, asked: Asked, depth: number): unknown {
  if (!isObject(schema) || depth > DEPTH_MAX) return null;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const [other] = [schema.anyOf, schema.oneOf].filter(Array.isArray);
  if (typeof schema.$ref === 'string') return allowedBy(referred(schema.$ref, asked.root), asked, depth + 1);
  if (other !== undefined) return allowedBy(other[0], asked, depth + 1);
  if (Array.isArray(schema.allOf))
    return allowedBy(merged([{ ...schema, allOf: undefined }, ...schema.allOf]), asked, depth + 1);
  return ofType(schema, asked, depth);
}

function ofType(schema: JsonObject, asked: Asked, depth: number): unknown {
  switch (typeIn(schema)) {
    case 'object':
      return objectOf(schema, asked, depth);
    case 'array':
      return Array.from({ length: Math.min(ITEMS_MAX, numberIn(schema.minItems) ?? 0) }, () =>
        allowedBy(schema.items, asked, depth + 1),
      );
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return textOf(schema, asked.text);
  }
}

/** Of several the first. */
function typeIn({ type, properties, items }: JsonObject): unknown {
  const [first = type] = Array.isArray(type) ? (type as readonly unknown[]) : [];
  if (first !== undefined) return first;
  if (isObject(properties)) return 'object';
  return isObject(items) ? 'array' : 'string';
}

/** What it has to have, and nothing else. */
function objectOf({ required, properties }: JsonObject, asked: Asked, depth: number): JsonObject {
  const names = Array.isArray(required) ? (required as readonly unknown[]).map(String) : [];
  const described = isObject(properties) ? properties : {};
  return Object.fromEntries(names.map((name) => [name, allowedBy(described[name] ?? {}, asked, depth + 1)]));
}

function numberOf({
  type,
  minimum,
  exclusiveMinimum,
  maximum,
  exclusiveMaximum,
  multipleOf,
}: JsonObject): number {
  const step = numberIn(multipleOf) ?? (type === 'integer' ? 1 : 0.5);
  const above = numberIn(exclusiveMinimum);
  const below = numberIn(exclusiveMaximum);
  const least = numberIn(minimum) ?? (above === null ? null : above + step);
  const most = numberIn(maximum) ?? (below === null ? null : below - step);
  if (least !== null && least > 0) return Math.ceil(least / step) * step;
  return most !== null && most < 0 ? Math.floor(most / step) * step : 0;
}

function textOf({ format, minLength, maxLength }: JsonObject, text: string): string {
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  const least = Math.min(TEXT_MAX, numberIn(minLength) ?? 0);
  return known ?? text.padEnd(least, '.').slice(0, numberIn(maxLength) ?? TEXT_MAX);
}

const FORMATS: Readonly<Partial<Record<string, string>>> = {
  'date-time': '2026-11-30T12:00:00Z',
  date: '2026-11-30',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'somebody@mail.example',
  hostname: 'host.example',
  uri: 'https://host.example/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** Within the same schema: `#/$defs/name`. */
function referred(reference: string, root: unknown): unknown {
  let found = root;
  for (const step of reference.split('/').slice(1)) {
    if (!isObject(found)) return null;
    found = found[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}

function merged(schemas: readonly unknown[]): JsonObject {
  const all = schemas.filter(isObject);
  return {
    ...Object.assign({}, ...all),
    allOf: undefined,
    properties: Object.assign({}, ...all.map(({ properties }) => properties)),
    required: all.flatMap(({ required }) => (Array.isArray(required) ? required : [])),
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

const DEPTH_MAX = 32;
const ITEMS_MAX = 100;
const TEXT_MAX = 10_000;
