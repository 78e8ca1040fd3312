import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWhole, WIDE_BOUNDS } from './generated.cases.ts';
import { scanJson } from './scan.ts';

/** Letters that fold to others, of one byte and of several, and signs that differ from letters in one bit. */
const NAMED = fc.string({ unit: fc.constantFrom(...'akKsSiIſıİßé@`_[{ 0'.split(''), 'K'), maxLength: 4 });
const WANTED = fc.string({ unit: fc.constantFrom(...'akKsSi_0'.split('')), minLength: 1, maxLength: 4 });

function compared(written: string, wanted: string): string {
  const scanned = scanJson(new TextEncoder().encode(`{${written}:1}`), WIDE_BOUNDS);
  if (!scanned.ok) throw new Error(scanned.error.why);
  return scanned.value.compareName(scanned.value.first(scanned.value.root)!, wanted);
}

function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

describe('a name beside another', () => {
  it.each([
    ['"sku"', 'sku', 'same'],
    ['"Sku"', 'sku', 'unsure'],
    ['"ſku"', 'sku', 'unsure'],
    ['"s\\u006bu"', 'sku', 'unsure'],
    ['"sk"', 'sku', 'differs'],
    ['"skus"', 'sku', 'differs'],
    ['"sku "', 'sku', 'differs'],
    ['"price"', 'sku', 'differs'],
    ['""', 'sku', 'differs'],
  ])('%s is to %s: %s', (written, wanted, how) => {
    expect(compared(written, wanted)).toBe(how);
  });

  it('is the same only if it is, and differs only if it differs in more than capitals', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(NAMED, WANTED, fc.boolean(), (named, wanted, isNear) => {
        const name = isNear ? [...wanted].map((one, at) => (at === 1 ? named : one)).join('') : named;
        const how = compared(JSON.stringify(name), wanted);
        seen.add(how);
        if (how === 'same') expect(name).toBe(wanted);
        if (how === 'differs') expect(fold(name)).not.toBe(fold(wanted));
        if (name === wanted) expect(how).not.toBe('differs');
      }),
      { numRuns: 5_000 },
    );
    expect(seen.size).toBe(3);
  });
});

it('a document stays as it was read while others are read, refused, and larger', () => {
  const values = [
    { model: 'gpt', messages: [{ role: 'user', content: 'x' }] },
    Array.from({ length: 400 }, (_, index) => ({ index })),
    Array.from({ length: 2_000 }, (_, index) => index),
    'a text',
    {},
  ];
  const read = Array.from({ length: 60 }, (_, nth) => {
    const value = { nth, value: values[nth % values.length]! };
    const scanned = scanJson(new TextEncoder().encode(JSON.stringify(value)), WIDE_BOUNDS);
    scanJson(new TextEncoder().encode('{"a":[1,2,3'), WIDE_BOUNDS);
    if (!scanned.ok) throw new Error(scanned.error.why);
    return { value, document: scanned.value };
  });
  for (const { value, document } of read) expect(readWhole(document, document.root)).toEqual(value);
});

it.each([
  ['"model"', 'model', true],
  ['"m\\u006fdel"', 'model', true],
  ['"Model"', 'model', false],
  ['"Ã"', 'Ã', true],
  ['"Ã"', 'Ã\u0083', false],
  ['"😀"', '😀', true],
  ['"mode"', 'model', false],
  ['""', '', true],
])('%s is the text %j: %s', (written, text, is) => {
  const scanned = scanJson(new TextEncoder().encode(written), WIDE_BOUNDS);
  if (!scanned.ok) throw new Error(scanned.error.why);
  expect(scanned.value.isText(scanned.value.root, text)).toBe(is);
});
