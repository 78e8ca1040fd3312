import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementPath, isElementPath, listOf } from './facts.ts';
import {
  isBelow,
  isBodyPath,
  isWritableName,
  joinedPath,
  memberNames,
  memberPath,
  pathBelow,
} from './member-path.ts';

const odd = fc.constantFrom(
  'order-id',
  '@type',
  'a.b',
  '[]',
  '"',
  '\\',
  '{x}',
  '',
  '__proto__',
  'Größe',
  '\n',
);
const name = fc.oneof(odd, fc.constantFrom('amount', 'x_1'), fc.string({ unit: 'grapheme' }));
const names = fc.array(name, { minLength: 1, maxLength: 4 });
const pathOf = (steps: readonly string[], owner = '') => steps.reduce(memberPath, owner);

describe('the path of a member', () => {
  it.each([
    [['order', 'amount'], 'order.amount'],
    [['order-id'], '["order-id"]'],
    [['order', 'unit price', 'x'], 'order["unit price"].x'],
    [['a"b\\c'], '["a\\"b\\\\c"]'],
    [['a[]}'], '["a\\u{5b}\\u{5d}\\u{7d}"]'],
    [['_x'], '["_x"]'],
    [['e\u0301'], '["e\\u{301}"]'],
  ])('%j is %s', (steps, path) => {
    expect(pathOf(steps)).toBe(path);
  });

  it('leads back to the names', () => {
    fc.assert(
      fc.property(names, (steps) => {
        expect(memberNames(pathOf(steps))).toEqual(steps);
      }),
    );
  });

  it('has an element only where a list has one', () => {
    fc.assert(
      fc.property(names, names, (list, inner) => {
        const path = pathOf(list);
        expect(isElementPath(path)).toBe(false);
        expect(listOf(pathOf(inner, elementPath(path)))).toBe(path);
      }),
    );
  });

  it('is put behind that of its owner and taken off again', () => {
    fc.assert(
      fc.property(names, names, (outer, inner) => {
        const [owner, below] = [pathOf(outer, 'request.body'), pathOf(inner)];
        expect(joinedPath(owner, below)).toBe(pathOf(inner, owner));
        expect(pathBelow(joinedPath(owner, below), owner)).toBe(below);
        expect([isBelow(joinedPath(owner, below), owner), isBodyPath(owner)]).toEqual([true, true]);
      }),
    );
  });

  it('is not below what only begins alike', () => {
    expect([isBelow('items2', 'items'), isBodyPath('request.bodyguard'), isBelow('a', 'a')]).toEqual([
      ...[false, false, false],
    ]);
  });

  it('is normal and without what hides, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        if (!isWritableName(any)) return;
        const text = pathOf([any]);
        expect(text).toBe(text.normalize('NFC'));
        expect(text).not.toMatch(/\p{C}/u);
      }),
    );
  });

  it('cannot be written with half a character', () => {
    expect([isWritableName('\ud800'), isWritableName('\u{1f600}')]).toEqual([false, true]);
  });
});
