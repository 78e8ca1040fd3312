/** Schemas that several families of routes use, and the few words to write one. Answers have all their members and no others. */
import type { JsonSchema } from '../model/request-body.ts';

/** An object with exactly these members. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

/** An object that may lack these members. */
export function objectOf(
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(required),
    properties: { ...required, ...optional },
  };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function mapOf(values: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: values };
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function oneOf(...schemas: readonly JsonSchema[]): JsonSchema {
  return { oneOf: schemas };
}

export const TEXT = { type: 'string' } as const;
export const WHOLE = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
export const NUMBER = { type: 'number' } as const;
/** Milliseconds since the Unix epoch. */
export const TIME_MS = {
  type: 'number',
  minimum: 0,
  // the last moment that a date can have
  maximum: 8_640_000_000_000_000,
  description: 'Milliseconds since the Unix epoch.',
} as const;

export function constant(value: string): JsonSchema {
  return { const: value };
}
