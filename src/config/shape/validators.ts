import type { ErrorObject } from 'ajv/dist/2020.js';
import type { FileKind } from '../kinds.ts';
import { compiledSchema } from './compiled-schemas.ts';

/**
 * Checks a value against the schema of its kind and fills in defaults. Answers every error; `verbose`, so that each
 * carries the part of the schema and of the value that it is about.
 */
export function validate(kind: FileKind, value: unknown): readonly ErrorObject[] {
  const check = compiledSchema(kind);
  return check(value) ? [] : (check.errors ?? []);
}
