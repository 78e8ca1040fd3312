import { err, ok, type Result } from '../base/result.ts';
import type { AdminRoute, ParameterSchema, ParameterValues, PlacedFault } from './route.ts';

/** Reads the texts of path parameters as their schemas say. */
export function readPathParameters(
  { parameters = {} }: AdminRoute,
  texts: ReadonlyMap<string, string>,
): Result<ParameterValues, readonly PlacedFault[]> {
  return read(parameters, [...texts]);
}

/** Reads what stands behind the `?`: each parameter once, none that the route doesn't know. */
export function readQuery(
  { query = {} }: AdminRoute,
  text: string,
): Result<ParameterValues, readonly PlacedFault[]> {
  const values = read(query, [...new URLSearchParams(text)]);
  if (!values.ok) return values;
  const missing = Object.keys(query).filter(
    (name) => query[name]!.required && !Object.hasOwn(values.value, name),
  );
  if (missing.length > 0) return err(missing.map((place) => ({ place, why: 'is missing' })));
  const defaults = Object.entries(query).flatMap(([name, schema]) =>
    schema.type === 'integer' && schema.default !== undefined ? [[name, schema.default] as const] : [],
  );
  return ok({ ...Object.fromEntries(defaults), ...values.value });
}

function read(
  schemas: Readonly<Record<string, ParameterSchema>>,
  texts: readonly (readonly [string, string])[],
): Result<ParameterValues, readonly PlacedFault[]> {
  const values: Record<string, string | number | readonly string[]> = {};
  const faults: PlacedFault[] = [];
  for (const [name, text] of texts) {
    const schema = Object.hasOwn(schemas, name) ? schemas[name]! : null;
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    const why = schema === null ? 'is not a parameter of this operation' : faultOf(schema, text, before);
    if (why !== null) faults.push({ place: name, why });
    else values[name] = readValue(schema!, text, before);
  }
  return faults.length === 0 ? ok(values) : err(faults);
}

function readValue(
  schema: ParameterSchema,
  text: string,
  before: unknown,
): string | number | readonly string[] {
  if (schema.type === 'integer') return Number(text);
  return schema.many ? [...((before ?? []) as readonly string[]), text] : text;
}

const TEXT_LENGTH_MAX = 1_000;

function faultOf(schema: ParameterSchema, text: string, before: unknown): string | null {
  if (before !== undefined && !('many' in schema)) return 'is there twice';
  if (schema.type === 'integer') {
    const value = Number(text);
    const isWhole = /^\d{1,16}$/.test(text) && value >= schema.minimum && value <= schema.maximum;
    return isWhole ? null : `is not a whole number from ${schema.minimum} to ${schema.maximum}`;
  }
  const lengthMax = schema.maxLength ?? TEXT_LENGTH_MAX;
  if (text.length > lengthMax) return `is longer than ${lengthMax} characters`;
  if (schema.enum !== undefined && !schema.enum.includes(text)) return `is none of ${schema.enum.join(', ')}`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(text))
    return `does not match ${schema.pattern}`;
  return null;
}
