import type { ErrorObject } from 'ajv/dist/2020.js';
import type { DocumentPath, Finding, Located } from '../finding.ts';
import type { FileKind } from '../kinds.ts';
import { explain, fieldMeant, KEYWORD_RANKS } from './explain.ts';
import { pathOf } from './pointer.ts';
import { fillFromShipped, fillMatches } from './shipped.ts';
import { validate } from './validators.ts';

export interface Shape {
  readonly findings: readonly Finding[];
  /** Findings beyond `findingsMax`. */
  readonly omitted: number;
  /** Whether nothing at or below a path is wrong. */
  sound(path: DocumentPath): boolean;
}

/** Checks a value against the schema of its kind, fills in defaults, and says in plain words what does not fit. */
export function checkShape(kind: FileKind, value: unknown, file: Located, findingsMax: number): Shape {
  fillFromShipped(kind, value);
  fillMatches(kind, value);
  const errors = withoutRests(distinct(validate(kind, value)));
  const broken = new Set<string>();
  for (const { path } of errors) {
    for (let length = 0; length <= path.length; length++) broken.add(keyOf(path.slice(0, length)));
  }
  return {
    findings: errors.slice(0, findingsMax).map(({ error, path }) => explain(error, path, file)),
    omitted: Math.max(0, errors.length - findingsMax),
    sound: (path) => !broken.has(keyOf(path)),
  };
}

interface PlacedError {
  readonly error: ErrorObject;
  readonly path: DocumentPath;
}

/**
 * Of the errors about one value only the one that says most: a duration without a unit is a wrong literal, not also a
 * wrong type and a wrong pattern. Errors inside `oneOf` are told by it, those of
 * `propertyNames` by what is wrong with the name.
 */
function distinct(errors: readonly ErrorObject[]): readonly PlacedError[] {
  const best = new Map<string, PlacedError>();
  for (const error of errors) {
    if (error.keyword === 'propertyNames' || error.schemaPath.includes('/oneOf/')) continue;
    const path = pathOf(error.instancePath);
    const key = `${error.instancePath}\u0000${subjectOf(error)}`;
    const known = best.get(key);
    if (known === undefined || rank(error) < rank(known.error)) best.set(key, { error, path });
  }
  return withoutMisspelt([...best.values()]);
}

/** A misspelt field is one mistake: that the right one is missing then follows from it. */
function withoutMisspelt(errors: readonly PlacedError[]): readonly PlacedError[] {
  const meant = new Set(
    errors.flatMap(({ error }) => {
      if (error.keyword !== 'additionalProperties') return [];
      const name = fieldMeant(error.params, error.parentSchema);
      return name === null ? [] : [`${error.instancePath}\u0000${name}`];
    }),
  );
  return errors.filter(({ error }) =>
    missing(error).every((name) => !meant.has(`${error.instancePath}\u0000${name}`)),
  );
}

/** The fields that are asked for and not there. */
function missing({ keyword, params, schema }: ErrorObject): readonly string[] {
  if (keyword === 'required') return [String(params.missingProperty)];
  return keyword === 'oneOf'
    ? (schema as readonly { readonly required: readonly string[] }[]).flatMap(({ required }) => required)
    : [];
}

/** `tags: a, b` within `{ }` is one mistake: that `b` is no field follows from it. */
function withoutRests(errors: readonly PlacedError[]): readonly PlacedError[] {
  const wrong = new Set(errors.map(({ path }) => keyOf(path)));
  return errors.filter(({ error, path }) => {
    if (error.keyword !== 'additionalProperties') return true;
    const fields = error.data as Readonly<Record<string, unknown>>;
    const name = String(error.params.additionalProperty);
    const names = Object.keys(fields);
    const before = names[names.indexOf(name) - 1];
    return fields[name] !== null || before === undefined || !wrong.has(keyOf([...path, before]));
  });
}

/** Errors about an entry of a map are told apart by its name; all others are about the value itself. */
function subjectOf({ keyword, params, propertyName }: ErrorObject): string {
  if (propertyName !== undefined) return `name ${propertyName}`;
  if (keyword === 'additionalProperties') return `unknown ${params.additionalProperty}`;
  if (keyword === 'required') return `missing ${params.missingProperty}`;
  return '';
}

function rank({ keyword }: ErrorObject): number {
  return KEYWORD_RANKS.get(keyword) ?? KEYWORD_RANKS.size;
}

function keyOf(path: DocumentPath): string {
  return path.join('\u0000');
}
