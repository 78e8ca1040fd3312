/** What a value that does not fit a JSON Schema lacks, in plain words. */

type Params = Readonly<Record<string, unknown>>;

/** `keyword` of the schema, with what the validator says of it. Follows the place of the value: `is not a number`. */
export function faultInWords(keyword: string, params: Params): string {
  return FAULTS[keyword]?.(params) ?? `does not fit what the schema says (${keyword})`;
}

const FAULTS: Readonly<Record<string, (params: Params) => string>> = {
  type: ({ type }) => `is not ${[type].flat().map(typeInWords).join(' or ')}`,
  required: ({ missingProperty }) => `has no member ${missingProperty}`,
  dependentRequired: ({ property, missingProperty }) => `has ${property}, but no member ${missingProperty}`,
  additionalProperties: ({ additionalProperty }) => unnamed(additionalProperty),
  unevaluatedProperties: ({ unevaluatedProperty }) => unnamed(unevaluatedProperty),
  propertyNames: ({ propertyName }) => unnamed(propertyName),
  enum: () => 'is none of the values that the schema names',
  const: () => 'is not the value that the schema names',
  minimum: ({ limit }) => `is less than ${limit}`,
  maximum: ({ limit }) => `is more than ${limit}`,
  exclusiveMinimum: ({ limit }) => `is not more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `is not less than ${limit}`,
  multipleOf: ({ multipleOf }) => `is not a multiple of ${multipleOf}`,
  minLength: ({ limit }) => `has fewer than ${counted(limit, 'character')}`,
  maxLength: ({ limit }) => `has more than ${counted(limit, 'character')}`,
  pattern: () => 'does not have the form that the schema describes',
  format: ({ format }) => `is not a ${format}`,
  minItems: ({ limit }) => `has fewer than ${counted(limit, 'element')}`,
  maxItems: ({ limit }) => `has more than ${counted(limit, 'element')}`,
  uniqueItems: () => 'has an element twice',
  contains: () => 'lacks an element that the schema asks for',
  minProperties: ({ limit }) => `has fewer than ${counted(limit, 'member')}`,
  maxProperties: ({ limit }) => `has more than ${counted(limit, 'member')}`,
  anyOf: () => 'fits none of the forms that the schema describes',
  oneOf: () => 'does not fit exactly one of the forms that the schema describes',
  not: () => 'has a form that the schema excludes',
  'false schema': () => 'has a place where the schema allows nothing',
};

function unnamed(property: unknown): string {
  return `has a member that the schema does not allow: ${property}`;
}

function typeInWords(type: unknown): string {
  return TYPES[String(type)] ?? String(type);
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

function counted(limit: unknown, what: string): string {
  return `${limit} ${what}${limit === 1 ? '' : 's'}`;
}
