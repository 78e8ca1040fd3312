/** A small value that a JSON Schema allows: what the mock provider answers with where a caller asks for one. The same for the same schema. */
import type { JsonObject } from './call.ts';

/** `text`: what texts of no other form say. Patterns are not followed. */
export function instanceOf(schema: unknown, text: string): unknown {
  return allowedBy(schema, { root: schema, text, left: VALUES_MAX }, 0);
}

interface Asked {
  readonly root: unknown;
  readonly text: string;
  /** Further values that are made: a schema may ask for more than there is room for. */
  left: number;
}

function allowedBy(schema: unknown, asked: Asked, depth: number): unknown {
  if (!isObject(schema) || depth > DEPTH_MAX || asked.left-- <= 0) return null;
  const whole = merged(partsOf(schema, asked.root, new Set()));
  if ('const' in whole) return whole.const;
  return Array.isArray(whole.enum) ? whole.enum[0] : ofType(whole, asked, depth);
}

/** A schema, and all that has to hold beside it; of alternatives the first. `followed`: references, each of them once. */
function partsOf(schema: unknown, root: unknown, followed: Set<string>): readonly JsonObject[] {
  if (!isObject(schema)) return [];
  const { $ref, allOf, anyOf, oneOf, ...own } = schema;
  const others = [allOf, firstOf(anyOf), firstOf(oneOf)].flatMap((each) => (Array.isArray(each) ? each : []));
  if (typeof $ref === 'string' && !followed.has($ref)) {
    followed.add($ref);
    others.unshift(referred($ref, root));
  }
  return [own, ...others.flatMap((other) => partsOf(other, root, followed))];
}

function firstOf(alternatives: unknown): unknown {
  return Array.isArray(alternatives) ? alternatives.slice(0, 1) : [];
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

/** The nearest to zero. */
function numberOf(schema: JsonObject): number {
  const { type, multipleOf } = schema;
  const step = numberIn(multipleOf) ?? (type === 'integer' ? 1 : null);
  const [minimum, maximum] = [numberIn(schema.minimum), numberIn(schema.maximum)];
  const [above, below] = [numberIn(schema.exclusiveMinimum), numberIn(schema.exclusiveMaximum)];
  if (step === null) {
    const [upper, lower] = [maximum ?? below, minimum ?? above];
    if (above !== null && above >= Math.max(0, minimum ?? 0)) return between(above, upper ?? above + 1);
    if (minimum !== null && minimum > 0) return minimum;
    if (below !== null && below <= Math.min(0, maximum ?? 0)) return between(lower ?? below - 1, below);
    return maximum !== null && maximum < 0 ? maximum : 0;
  }
  const least = minimum ?? (above === null ? null : above + step);
  const most = maximum ?? (below === null ? null : below - step);
  if (least !== null && least > 0) return Math.ceil(least / step) * step;
  return most !== null && most < 0 ? Math.floor(most / step) * step : 0;
}

function between(lower: number, upper: number): number {
  return (lower + upper) / 2;
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

/** Of a word that several say the last counts; of `required` and `properties` all do. */
function merged(schemas: readonly JsonObject[]): JsonObject {
  const properties: Record<string, unknown> = Object.create(null);
  for (const [name, schema] of schemas.flatMap((each) => Object.entries(each.properties ?? {})))
    properties[name] = name in properties ? { allOf: [properties[name], schema] } : schema;
  const required = schemas.flatMap((each) => (Array.isArray(each.required) ? each.required : []));
  const described = schemas.some((each) => isObject(each.properties)) ? { properties } : {};
  return { ...Object.assign({}, ...schemas), ...described, required: [...new Set(required)] };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

const DEPTH_MAX = 32;
const VALUES_MAX = 10_000;
const ITEMS_MAX = 100;
const TEXT_MAX = 10_000;
