import {
  Ajv2020,
  type ErrorObject,
  type FuncKeywordDefinition,
  type ValidateFunction,
} from 'ajv/dist/2020.js';
import enforcementSchema from '../../../schemas/enforcement.schema.json' with { type: 'json' };
import portunusSchema from '../../../schemas/portunus.schema.json' with { type: 'json' };
import routesSchema from '../../../schemas/routes.schema.json' with { type: 'json' };
import tenantsSchema from '../../../schemas/tenants.schema.json' with { type: 'json' };
import { LIMITS } from '../../base/limits.ts';
import type { FileKind } from '../kinds.ts';
import { limitsSchema } from './limits-schema.ts';
import { type LiteralFault, type LiteralKeyword, literalFault } from './literals.ts';

/** The schemas as published, by kind of file. */
export const SCHEMAS: Readonly<Record<FileKind, object>> = {
  portunus: portunusSchema,
  routes: routesSchema,
  tenants: tenantsSchema,
  enforcement: enforcementSchema,
};

/**
 * Checks a value against the schema of its kind and fills in defaults. Answers every error; `verbose`, so that each
 * carries the part of the schema and of the value that it is about.
 */
export function validate(kind: FileKind, value: unknown): readonly ErrorObject[] {
  const check = validatorOf(kind);
  return check(value) ? [] : (check.errors ?? []);
}

const compiled = new Map<FileKind, ValidateFunction>();

function validatorOf(kind: FileKind): ValidateFunction {
  let check = compiled.get(kind);
  if (check === undefined) {
    check = newAjv('values').compile(SCHEMAS[kind]);
    compiled.set(kind, check);
  }
  return check;
}

/** `schemas-too`: a mistake in a schema throws. For tests. */
export function newAjv(checks: 'values' | 'schemas-too'): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    // Checking the schemas themselves would take two thirds of the time to compile; the test of the schemas does it.
    validateSchema: checks === 'schemas-too',
    // Tidying the generated code takes a third of the time to compile and gains nothing measurable.
    code: { optimize: false },
    // The alternatives of `oneOf` name fields that the schema around them defines.
    strictRequired: false,
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword(UNIQUE_ITEMS);
  ajv.addKeyword({
    keyword: 'literal',
    type: ['string', 'number'],
    ...(checks === 'values' ? {} : { metaSchema: { type: 'object', required: ['of'] } }),
    compile: (keyword: LiteralKeyword) => {
      const check: LiteralValidator = (value) => {
        const fault = literalFault(keyword, value);
        check.errors =
          fault === null ? [] : [{ keyword: 'literal', params: { ...fault }, message: fault.message }];
        return fault === null;
      };
      return check;
    },
  });
  ajv.addSchema(limitsSchema(LIMITS), 'limits.schema.json');
  return ajv;
}

interface LiteralValidator {
  (value: unknown): boolean;
  errors?: { keyword: 'literal'; params: LiteralFault & Record<string, unknown>; message: string }[];
}

/**
 * JSON Schema's own keyword for lists of texts. ajv's compares each item with each other: 10,000 subscriptions took
 * four seconds.
 */
const UNIQUE_ITEMS: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  compile: () => {
    const check: UniqueItemsValidator = (items) => {
      const twice = firstTwice(items);
      check.errors = twice === null ? [] : [{ keyword: 'uniqueItems', params: { ...twice } }];
      return twice === null;
    };
    return check;
  },
};

interface UniqueItemsValidator {
  (items: readonly unknown[]): boolean;
  errors?: Partial<ErrorObject>[];
}

function firstTwice(items: readonly unknown[]): { readonly i: number; readonly j: number } | null {
  const places = new Map<unknown, number>();
  for (const [j, item] of items.entries()) {
    const i = places.get(item);
    if (i !== undefined) return { i, j };
    places.set(item, j);
  }
  return null;
}
