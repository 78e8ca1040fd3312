import { _, type Code, stringify } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import type { AnyValidateFunction } from 'ajv/dist/types/index.js';
import { META_SCHEMA_ID, newMetaAjv } from '../src/config/meta-schema.ts';
import { newAjv } from '../src/config/shape/compiled-schemas.ts';
import { KEYWORD_CHECKS } from '../src/config/shape/keyword-checks.ts';
import { SCHEMAS } from '../src/config/shape/schemas.ts';

type KeywordCheck = ReturnType<(typeof KEYWORD_CHECKS)[keyof typeof KEYWORD_CHECKS]>;

/** The text of a module with the one function of `compiled-schemas.ts` that the program needs, all checks made beforehand. */
export function checksOfSchemas(): string {
  const codes = new Map<unknown, Code>();
  const recorded = <Check extends KeywordCheck>(check: Check, code: Code): Check => {
    codes.set(check, code);
    return check;
  };
  const ajv = newAjv('values', {
    code: { source: true, optimize: true },
    keywordChecks: {
      literal: (keyword) =>
        recorded(KEYWORD_CHECKS.literal(keyword), _`KEYWORD_CHECKS.literal(${stringify(keyword)})`),
      uniqueItems: () => recorded(KEYWORD_CHECKS.uniqueItems(), _`KEYWORD_CHECKS.uniqueItems()`),
    },
  });
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    writeDownKeywords(ajv.addSchema(schema, kind).getSchema(kind), codes);
  }
  const kinds = Object.fromEntries(Object.keys(SCHEMAS).map((kind) => [kind, kind]));
  return `import { KEYWORD_CHECKS } from './keyword-checks.js';
const exports = {};
// what ajv would call the checks of keywords on; ours ask nothing of it
const self = undefined;
${standalone.default(ajv, kinds)}
export function compiledSchema(kind) {
  return exports[kind];
}
`;
}

/** The same for `meta-schema.ts`. */
export function checkOfMetaSchema(): string {
  const ajv = newMetaAjv({ source: true, optimize: true });
  return `const exports = {};
export const META_SCHEMA_ID = ${JSON.stringify(META_SCHEMA_ID)};
${standalone.default(ajv, { metaSchema: META_SCHEMA_ID })}
export function compiledMetaSchema() {
  return exports.metaSchema;
}
`;
}

/** ajv knows how to write down everything but the checks of our own keywords. */
function writeDownKeywords(check: AnyValidateFunction | undefined, codes: ReadonlyMap<unknown, Code>): void {
  const { keyword = [], validate = [] } = check?.source?.scopeValues ?? {};
  for (const { value } of keyword) value!.code = codes.get(value!.ref)!;
  for (const { value } of validate) writeDownKeywords(value!.ref as AnyValidateFunction, codes);
}
