import fc from 'fast-check';
import * as reference from 'structured-headers';
import { describe, expect, it } from 'vitest';
import {
  isInnerList,
  type Member,
  parseDictionary,
  parseItem,
  parseList,
  serializeInnerList,
  serializeItem,
  Token,
} from './structured-fields.ts';

describe('what is read', () => {
  it.each([
    ['a', new Token('a')],
    ['*a/b:c', new Token('*a/b:c')],
    ['-17', -17],
    ['"a \\"b\\" \\\\"', 'a "b" \\'],
    ['?0', false],
    [':aGk=:', Buffer.from('hi')],
    ['::', Buffer.alloc(0)],
    ['  1  ', 1],
  ])('%s', (text, value) => {
    expect(parseItem(text)).toEqual({ value, parameters: new Map() });
  });

  it('keeps parameters in their order, flags as true', () => {
    expect([...parseItem('a; b=1;c')!.parameters]).toEqual([
      ['b', 1],
      ['c', true],
    ]);
  });

  it.each([
    ['sig=("@method"  "date";bs );created=1;keyid="k"', '("@method" "date";bs);created=1;keyid="k"'],
    ['sig=()', '()'],
  ])('an inner list is written in its one spelling: %s', (text, canonical) => {
    expect(serializeInnerList(parseDictionary(text)!.get('sig') as never)).toBe(canonical);
  });

  it('takes nothing as an empty list, and as an empty dictionary', () => {
    expect(parseList('')).toEqual([]);
    expect(parseDictionary(' ')).toEqual(new Map());
  });
});

describe('what is refused', () => {
  it.each([
    '',
    '1.5',
    '@1',
    '%"x"',
    '1234567890123456',
    '"a',
    '"\u00e4"',
    '"a\\n"',
    ':aGk:',
    ':aGl=:',
    ':aGk==:',
    ':aGk=',
    ':a Gk=:',
    '?2',
    'a b',
    'a;B',
    'a;b=1;b=2',
    'a;',
    '(a)',
    'a\tb',
  ])('as an item: %j', (text) => {
    expect(parseItem(text)).toBeNull();
  });

  it.each(['a,', ',a', 'a b', '(a', '(a"b")', '(a;b=1;b=1)', 'a,,b'])('as a list: %j', (text) => {
    expect(parseList(text)).toBeNull();
  });

  it.each(['a=1,a=2', 'a=1,', 'A=1', 'a=', 'a=(', '1=a', 'a=1;b;b'])('as a dictionary: %j', (text) => {
    expect(parseDictionary(text)).toBeNull();
  });
});

describe('against another implementation', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          ...[
            'a',
            'b=1',
            'sig=',
            '("@path" "date";bs)',
            '("x")',
            ';created=12',
            ';keyid="k"',
            ', ',
            ',',
            ' ',
          ],
          ...['?1', '?0', ':aGk=:', '"q\\""', '*t/x', '-5', '\t', '(', ')', ';', '=', '1.5', '"'],
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  );

  it('what it reads, others read alike; whatever comes, nothing is thrown', () => {
    fc.assert(
      fc.property(text, (written) => {
        const pairs = [
          [parseItem, reference.parseItem],
          [parseList, reference.parseList],
          [parseDictionary, reference.parseDictionary],
        ] as const;
        for (const [own, others] of pairs) {
          const read = own(written);
          if (read !== null) expect(plain(read)).toEqual(plainReference(others(written)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads what others write', () => {
    const bare = fc.oneof(
      fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
      fc.stringMatching(/^[ -~]*$/),
      fc.boolean(),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.buffer as ArrayBuffer),
      fc.constantFrom('x', '*y/z').map((word) => new reference.Token(word)),
    );
    const parameters = fc
      .dictionary(fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,5}$/), bare, { maxKeys: 3 })
      .map((entries) => new Map(Object.entries(entries)));
    const item = fc.tuple(bare, parameters);
    fc.assert(
      fc.property(fc.tuple(fc.array(item, { maxLength: 4 }), parameters), (list) => {
        const written = reference.serializeInnerList(list as never);
        const read = parseList(written)![0]!;
        expect(isInnerList(read) && serializeInnerList(read)).toBe(written);
        for (const each of list[0]) {
          const one = reference.serializeItem(each as never);
          expect(serializeItem(parseItem(one)!)).toBe(one);
        }
      }),
    );
  });
});

function plain(read: object): unknown {
  if (read instanceof Map) return [...read].map(([key, member]) => [key, plainMember(member as Member)]);
  return Array.isArray(read) ? read.map(plainMember) : plainMember(read as Member);
}

function plainMember(member: Member): unknown {
  const parameters = [...member.parameters].map(([key, value]) => [key, plainValue(value)]);
  return [isInnerList(member) ? member.items.map(plainMember) : plainValue(member.value), parameters];
}

function plainReference(read: unknown): unknown {
  if (read instanceof Map) return [...read].map(([key, value]) => [key, plainReference(value)]);
  if (read instanceof reference.Token) return { token: read.toString() };
  if (read instanceof ArrayBuffer) return { bytes: Buffer.from(read).toString('hex') };
  return Array.isArray(read) ? read.map(plainReference) : read;
}

function plainValue(value: unknown): unknown {
  if (value instanceof Token) return { token: value.text };
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : value;
}
