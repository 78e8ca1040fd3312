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
  [{ type: 'number', maximum: -2.2 }, -2.5],
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
  const endless = { $ref: '#' };
  expect(instanceOf(endless, 'hi')).toBeNull();
});
