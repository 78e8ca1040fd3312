import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameValue } from './same-value.ts';

test('values are the same as they are when written as JSON', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(value, value, (left, right) => {
      expect(sameValue(left, structuredClone(left))).toBe(true);
      expect(sameValue({ a: left }, { a: left, b: right })).toBe(false);
      expect(sameValue({ a: left, b: right }, { a: left })).toBe(false);
      expect(sameValue([left], [left, right])).toBe(false);
      expect(sameValue([left], { 0: left })).toBe(false);
      expect(sameValue({ a: undefined }, { b: undefined })).toBe(false);
    }),
  );
  expect(sameValue(Number.NaN, Number.NaN)).toBe(true);
  expect(sameValue('1', 1)).toBe(false);
  expect(sameValue(null, {})).toBe(false);
  const places = new Set(['span']);
  expect(sameValue([{ a: 1, span: 2 }], [{ a: 1, span: 3 }], places)).toBe(true);
  expect(sameValue([{ a: 1, span: 2 }], [{ a: 2, span: 2 }], places)).toBe(false);
  expect(sameValue({ a: 1, span: 2 }, { a: 1, b: 2 }, places)).toBe(false);
});

test('values shared a million times over are compared once', () => {
  const shared = (): unknown => Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], ['x']);
  expect(sameValue(shared(), shared())).toBe(true);
});
