import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';

export const META_SCHEMA_ID = 'https://json-schema.org/draft/2020-12/schema';

let compiled: ValidateFunction | undefined;

/**
 * The check that ajv makes of the schema of schemas (draft 2020-12). `build/bundle.ts` puts the same check, made by ajv
 * beforehand, in the place of this module.
 */
export function compiledMetaSchema(): ValidateFunction {
  compiled ??= newMetaAjv().getSchema(META_SCHEMA_ID) as ValidateFunction;
  return compiled;
}

/** Formats are remarks in the schema of schemas too: no schema fails for them. */
export function newMetaAjv(code: NonNullable<Options['code']> = { optimize: false }): Ajv2020 {
  return new Ajv2020({ strict: false, validateFormats: false, logger: false, code });
}
