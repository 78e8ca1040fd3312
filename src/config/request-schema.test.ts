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
