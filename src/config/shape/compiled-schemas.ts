import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import { LIMITS } from '../../base/limits.ts';
import type { FileKind } from '../kinds.ts';
import { KEYWORD_CHECKS } from './keyword-checks.ts';
import { limitsSchema } from './limits-schema.ts';
import { SCHEMAS } from './schemas.ts';

const compiled = new Map<FileKind, ValidateFunction>();

/**
 * The check that ajv makes of the schema of a kind. `build/bundle.ts` puts the same checks, made by ajv beforehand, in the
 * place of this module: making them took a tenth of the check of a small project.
 */
export function compiledSchema(kind: FileKind): ValidateFunction {
  let check = compiled.get(kind);
  if (check === undefined) {
    check = newAjv('values').compile(SCHEMAS[kind]);
    compiled.set(kind, check);
  }
  return check;
}

interface CodeOptions {
  readonly code: NonNullable<Options['code']>;
  readonly keywordChecks: typeof KEYWORD_CHECKS;
}

/** Tidying the generated code takes a third of the time to compile and gains nothing measurable. */
const CODE_AT_ONCE: CodeOptions = { code: { optimize: false }, keywordChecks: KEYWORD_CHECKS };

/** `schemas-too`: a mistake in a schema throws. For tests. */
export function newAjv(
  checks: 'values' | 'schemas-too',
  { code, keywordChecks }: CodeOptions = CODE_AT_ONCE,
): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    // Checking the schemas themselves would take two thirds of the time to compile; the test of the schemas does it.
    validateSchema: checks === 'schemas-too',
    code,
    // The alternatives of `oneOf` name fields that the schema around them defines.
    strictRequired: false,
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: keywordChecks.uniqueItems,
  });
  ajv.addKeyword({
    keyword: 'literal',
    type: ['string', 'number'],
    ...(checks === 'values' ? {} : { metaSchema: { type: 'object', required: ['of'] } }),
    compile: keywordChecks.literal,
  });
  ajv.addSchema(limitsSchema(LIMITS), 'limits.schema.json');
  // Providers are services too.
  ajv.addSchema(SCHEMAS.routes, 'routes.schema.json');
  return ajv;
}
