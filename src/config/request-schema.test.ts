import { describe, expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { compileRequestSchema } from './request-schema.ts';

const withPattern = (pattern: string) =>
  ({ type: 'object', properties: { a: { type: 'string', pattern } } }) as const;

const MAX = LIMIT_DEFAULTS.regexInstructions;

describe('pattern in the schema of a body', () => {
  it('is RE2: found anywhere in the text', () => {
    const check = compileRequestSchema(withPattern('^[a-z]+$'), MAX);
    expect(check({ a: 'abc' })).toBeNull();
    expect(check({ a: 'ab1' })).toMatchObject({ pointer: '/a' });
  });

  it('ends soon on a text that would hold a backtracking engine for years', () => {
    const check = compileRequestSchema(withPattern('^(a+)+$'), MAX);
    expect(check({ a: `${'a'.repeat(5_000)}!` })).toMatchObject({ pointer: '/a' });
  });

  it('that RE2 has not makes no schema', () => {
    expect(() => compileRequestSchema(withPattern('(a)\\1'), MAX)).toThrow('RE2 has no back-references');
  });
});

describe('what does not fit is said in plain words', () => {
  const SCHEMA = {
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      id: { type: ['string', 'null'], minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
      amount: { type: 'integer', minimum: 1, exclusiveMaximum: 9, multipleOf: 2 },
      unit: { enum: ['a', 'b'] },
      day: { type: 'string', format: 'date' },
      lines: { type: 'array', minItems: 1, maxItems: 2, uniqueItems: true },
      one: { oneOf: [{ minimum: 5 }, { minimum: 6 }] },
      tagged: { type: 'array', contains: { const: 'x' } },
    },
  } as const;
  const check = compileRequestSchema(SCHEMA, MAX);
  it.each([
    [[], '', 'is not an object'],
    [{}, '', 'has no member id'],
    [{ id: 'ab', other: 1 }, '', 'has a member that the schema does not allow: other'],
    [{ id: 5 }, '/id', 'is not a text or null'],
    [{ id: 'a' }, '/id', 'has fewer than 2 characters'],
    [{ id: 'abcde' }, '/id', 'has more than 4 characters'],
    [{ id: 'AB' }, '/id', 'does not have the form that the schema describes'],
    [{ id: 'ab', amount: 1.5 }, '/amount', 'is not a whole number'],
    [{ id: 'ab', amount: 0 }, '/amount', 'is less than 1'],
    [{ id: 'ab', amount: 9 }, '/amount', 'is not less than 9'],
    [{ id: 'ab', amount: 3 }, '/amount', 'is not a multiple of 2'],
    [{ id: 'ab', unit: 'c' }, '/unit', 'is none of the values that the schema names'],
    [{ id: 'ab', day: '2026-02-30' }, '/day', 'is not a date'],
    [{ id: 'ab', lines: [] }, '/lines', 'has fewer than 1 element'],
    [{ id: 'ab', lines: [1, 2, 3] }, '/lines', 'has more than 2 elements'],
    [{ id: 'ab', lines: [1, 1] }, '/lines', 'has an element twice'],
    [{ id: 'ab', one: 6 }, '/one', 'does not fit exactly one of the forms that the schema describes'],
    [{ id: 'ab', tagged: ['y'] }, '/tagged', 'lacks an element that the schema asks for'],
  ])('%j', (body, pointer, why) => {
    expect(check(body)).toEqual({ pointer, why });
  });
});

it('a schema is compiled once by content, and another one apart', () => {
  const first = compileRequestSchema(withPattern('^[a-z]+$'), MAX);
  expect(compileRequestSchema(withPattern('^[a-z]+$'), MAX)).toBe(first);
  expect(compileRequestSchema(withPattern('^[0-9]+$'), MAX)({ a: '7' })).toBeNull();
  expect(first({ a: '7' })).not.toBeNull();
});

it('a pattern is held to the limit of the project', () => {
  const long = withPattern('[a-z]{200}');
  expect(() => compileRequestSchema(long, 100)).toThrow('raise limits.regexInstructions');
  expect(compileRequestSchema(long, MAX)({ a: 'a'.repeat(200) })).toBeNull();
});
