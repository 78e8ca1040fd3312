/** JSON Schemas of request bodies (draft 2020-12): compiled when the configuration is checked, and on the data threads. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parseDate } from '../model/literals.ts';
import { compileRegex } from '../model/regex.ts';
import type { CheckSchema, JsonSchema } from '../model/request-body.ts';
import { compiledMetaSchema, META_SCHEMA_ID } from './meta-schema.ts';
import { faultInWords } from './schema-faults.ts';

/**
 * The check of one schema. `regexInstructionsMax` is the limit `regexInstructions`. Throws, with a sentence, when it is none: unknown keywords and references out of the schema
 * are mistakes. Values are not changed, and the first fault ends the check.
 */
export function compileRequestSchema(schema: JsonSchema, regexInstructionsMax: number): CheckSchema {
  const text = `${regexInstructionsMax} ${JSON.stringify(schema)}`;
  let check = CHECKS.get(text);
  if (check === undefined) {
    if (CHECKS.size >= CHECKS_KEPT_MAX) CHECKS.clear();
    check = compile(schema, regexInstructionsMax);
    CHECKS.set(text, check);
  }
  return check;
}

/** By content: routes share schemas, and each version of the rules brings them anew; compiling one takes milliseconds. */
const CHECKS = new Map<string, CheckSchema>();
const CHECKS_KEPT_MAX = 1_000;

function compile(schema: JsonSchema, regexInstructionsMax: number): CheckSchema {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowUnionTypes: true,
    formats: { date: isDate, ...ANNOTATIONS },
    addUsedSchema: false,
    logger: false,
    code: { optimize: false, regExp: linearPatterns(regexInstructionsMax) },
    // each instance would make a check of the schema of schemas of its own, in more time than all else takes; it says
    // best, however, what is wrong with one that does not fit
    validateSchema: !fitsMetaSchema(schema),
  });
  for (const keyword of extensionsOf(schema)) ajv.addKeyword(keyword);
  const check = ajv.compile(schema);
  return (value) => {
    if (check(value)) return null;
    const { instancePath, keyword, params } = check.errors![0]!;
    return { pointer: instancePath, why: faultInWords(keyword, params) };
  };
}

function fitsMetaSchema(schema: JsonSchema): boolean {
  return isOfThisDraft(schema) && compiledMetaSchema()(schema) === true;
}

/** Whether a schema says of itself that it is of draft 2020-12, or nothing. */
function isOfThisDraft(schema: JsonSchema): boolean {
  return typeof schema === 'object' && (schema.$schema === undefined || schema.$schema === META_SCHEMA_ID);
}

/** `pattern` and `patternProperties` meet the caller's texts: RE2, in linear time, or no schema (JSON Schema Core, 6.4 leaves the dialect open). */
function linearPatterns(instructionsMax: number) {
  const compile = (pattern: string) => {
    const compiled = compileRegex(pattern, instructionsMax);
    if (!compiled.ok) throw new Error(`${compiled.error.why} ${compiled.error.help}`);
    return { test: compiled.value, toString: () => pattern };
  };
  return Object.assign(compile, { code: 'compileRegex' });
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseDate(text).ok;
}

/** Formats are remarks in draft 2020-12 (Validation, 7.2.1): only dates are read as values, and so held to theirs. */
const ANNOTATIONS = Object.fromEntries(
  (
    'date-time time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference iri iri-reference uuid ' +
    'uri-template json-pointer relative-json-pointer regex int32 int64 float double password byte binary'
  )
    .split(' ')
    .map((format) => [format, true as const]),
);

/** Keywords that begin with `x-`, wherever they stand, and those of OpenAPI that only explain. */
function extensionsOf(
  schema: unknown,
  found = new Set(['example', 'externalDocs', 'xml']),
): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return found;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith('x-')) found.add(keyword);
    extensionsOf(value, found);
  }
  return found;
}
