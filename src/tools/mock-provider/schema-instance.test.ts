import { expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../../base/limits.ts';
import { compileRequestSchema } from '../../config/request-schema.ts';
import type { JsonSchema } from '../../model/request-body.ts';
import { instanceOf } from './schema-instance.ts';

it.each([
  [{ type: 'string' }, 'hi'],
  [{ type: 'string', minLength: 4, maxLength: 5 }, 'hi..'],
  [{ type: 'string', maxLength: 1 }, 'h'],
  [{ type: 'string', format: 'uuid' }, '00000000-0000-4000-8000-000000000000'],
  [{ enum: ['b', 'a'] }, 'b'],
  [{ const: 7 }, 7],
  [{ type: 'integer', minimum: 3 }, 3],
  [{ type: 'integer', exclusiveMinimum: 3, multipleOf: 5 }, 10],
  [{ type: 'number', maximum: -2.2 }, -2.2],
  [{ type: 'number', minimum: 0.3, maximum: 0.4 }, 0.3],
  [{ type: 'number', exclusiveMinimum: 0.25, maximum: 0.75 }, 0.5],
  [{ type: 'number', exclusiveMinimum: 0 }, 0.5],
  [{ type: 'number', minimum: -1, exclusiveMaximum: 0 }, -0.5],
  [{ type: 'object', properties: { a: {}, b: {} }, anyOf: [{ required: ['b'] }] }, { b: 'hi' }],
  [
    {
      $defs: { part: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] } },
      allOf: [
        { $ref: '#/$defs/part', required: ['b'] },
        { properties: { a: { minimum: 2 }, b: { type: 'boolean' } } },
      ],
    },
    { a: 2, b: false },
  ],
  [{ type: ['null', 'string'] }, null],
  [{ type: 'boolean' }, false],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 0],
  [{ type: 'array', minItems: 2, items: { type: 'integer' } }, [0, 0]],
  [
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['b'] },
    { b: 0 },
  ],
  [
    {
      $defs: {
        node: {
          type: 'object',
          properties: { next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] } },
          required: ['next'],
        },
      },
      $ref: '#/$defs/node',
    },
    { next: null },
  ],
  [
    {
      allOf: [
        { properties: { a: { type: 'integer' } }, required: ['a'] },
        { properties: { b: {} }, required: ['b'] },
      ],
    },
    { a: 0, b: 'hi' },
  ],
])('%j allows %j', (schema, expected) => {
  const value = instanceOf(schema, 'hi');
  expect(value).toEqual(expected);
  const check = compileRequestSchema(schema as JsonSchema, LIMIT_DEFAULTS.regexInstructions);
  expect(check(value)).toBeNull();
});

it('ends where a schema does not', () => {
  expect(instanceOf({ $ref: '#' }, 'hi')).toBe('hi');
  const again = { $ref: '#' };
  expect(instanceOf({ allOf: [again, again] }, 'hi')).toBe('hi');
  const pair = { type: 'object', properties: { a: again, b: again }, required: ['a', 'b'] };
  expect(JSON.stringify(instanceOf(pair, 'hi')).length).toBeLessThan(1_000_000);
});
