import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePathPattern } from './path-patterns.ts';

function shapeOf(pattern: string): string {
  const parsed = parsePathPattern(pattern);
  return 'fault' in parsed ? `fault: ${parsed.fault}` : parsed.shape;
}

describe('path patterns', () => {
  test.each([
    ['/', ''],
    ['/v1/orders', 'v1/orders'],
    ['/v1/orders/', 'v1/orders/'],
    ['/v1/{id}', 'v1/{}'],
    ['/v1/{order}/items/{item}', 'v1/{}/items/{}'],
    ['/files/{path...}', 'files/{...}'],
    ['/a%20b/c:d@e', 'a%20b/c:d@e'],
    ['/caf%C3%A9', 'caf%C3%A9'],
  ])('%s has the shape "%s"', (pattern, shape) => expect(shapeOf(pattern)).toBe(shape));

  test('names of parameters do not tell patterns apart, their kind does', () => {
    expect(shapeOf('/{a}')).toBe(shapeOf('/{b}'));
    expect(shapeOf('/{a}')).not.toBe(shapeOf('/{a...}'));
    expect(shapeOf('/a')).not.toBe(shapeOf('/A'));
  });

  test.each([
    ['v1', 'does not begin with /.'],
    ['', 'does not begin with /.'],
    ['/a//b', 'has two slashes in a row.'],
    ['/a/../b', 'has the dot segment "..", which never reaches a route.'],
    ['/a/.', 'has the dot segment ".", which never reaches a route.'],
    ['/{a...}/b', 'has {a...} before its end.'],
    ['/{a}/{a}', 'names {a} twice.'],
    ['/orders-{id}', 'has the segment "orders-{id}", which mixes a parameter with text or is not closed.'],
    ['/{id', 'has the segment "{id", which mixes a parameter with text or is not closed.'],
    ['/{}', 'has the segment "{}", which mixes a parameter with text or is not closed.'],
    ['/%41', 'has the segment "%41", which is not in its normal form.'],
    ['/%c3%a9', 'has the segment "%c3%a9", which is not in its normal form.'],
    ['/é', 'has the segment "é", which is not in its normal form.'],
    ['/a?b', 'has the segment "a?b", which is not in its normal form.'],
    ['/100%', 'has the segment "100%", which is not in its normal form.'],
  ])('%s %s', (pattern, fault) => expect(parsePathPattern(pattern)).toMatchObject({ fault }));

  test('what the help proposes is accepted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (segment) => {
        const parsed = parsePathPattern(`/${segment}`);
        const proposed = 'fault' in parsed ? /^Write "(.*)"\.$/s.exec(parsed.help)?.[1] : undefined;
        if (proposed !== undefined) expect(shapeOf(`/${proposed}`)).toBe(proposed);
      }),
      { numRuns: 2_000 },
    );
  });
});
