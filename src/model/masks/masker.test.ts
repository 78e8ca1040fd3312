import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND_CASES } from './kinds.cases.ts';
import { MASK_KINDS, type Mask, type MaskKind } from './kinds.ts';
import { Masker } from './masker.ts';

const KINDS = Object.keys(MASK_KINDS) as MaskKind[];
const of = (kinds: readonly MaskKind[], patterns: readonly string[] = [], text = '*'): Mask => ({
  kinds,
  patterns,
  text,
});

describe.each(KINDS)('%s', (kind) => {
  it.each(KIND_CASES[kind])('%s', (marked) => {
    const masked = new Masker([of([kind])]).mask(marked.replaceAll(/[«»]/g, ''));
    expect(masked).toBe(marked.replaceAll(/«[^»]*»/g, '*'));
  });
});

describe('patterns', () => {
  it.each([
    ['ORD-[0-9]{4}', 'an ORD-1234 and ORD-12345', 'an * and *5'],
    ['\\bORD-[0-9]{4}\\b', 'an ORD-1234 and ORD-12345', 'an * and ORD-12345'],
    ['^abc', 'abcabc', '*abc'],
    ['abc$', 'abcabc', 'abc*'],
    ['(?i)secret', 'SeCrEt secret', '* *'],
    ['[0-9]{2}', '123456', '*'],
  ])('/%s/', (pattern, text, masked) => {
    expect(new Masker([of([], [pattern])]).mask(text)).toBe(masked);
  });
});

describe('masks together', () => {
  it('what overlaps is removed as one, with the text of the one that begins first', () => {
    const masks = [of([], ['abcd'], '1'), of([], ['cdef'], '2'), of([], ['zz'], '3')];
    for (const order of [masks, masks.toReversed()])
      expect(new Masker(order).mask('xabcdefyzz')).toBe('x1y3');
  });

  it('of two that begin together the longer one has its text there, else the first by code units', () => {
    const masks = [of([], ['ab'], 'b'), of([], ['abc'], 'c'), of([], ['xy'], '2'), of([], ['xy'], '1')];
    for (const order of [masks, masks.toReversed()]) expect(new Masker(order).mask('abcd xy')).toBe('cd 1');
  });

  it('a text in which nothing is found is the same text', () => {
    const text = 'nothing to see';
    expect(new Masker([of(KINDS)]).mask(text)).toBe(text);
  });
});

/** Of what is found, beginnings and ends of it, and what stands between. */
const PIECES = [
  ...KINDS.flatMap((kind) => KIND_CASES[kind].map((text) => text.replaceAll(/[«»]/g, ''))),
  ...[
    '@',
    '.',
    ' ',
    '-',
    '+',
    ':',
    '::',
    'a',
    'DE89',
    '4',
    '4111',
    ' 1111',
    'sk-',
    '----',
    '-BEGIN ',
    'é',
    '😀',
    '\\',
    '\\n',
    '\\u0040',
    '\\u00',
    '\\\\',
    '\\"',
    '\\\\n',
    '\\u005c',
    '\\\\u0040',
  ],
];
const anyText = fc
  .array(fc.tuple(fc.constantFrom(...PIECES), fc.nat(30), fc.nat(60)), { maxLength: 6 })
  .map((parts) =>
    parts.map(([piece, from, length]) => piece.slice(from % 7 === 0 ? 0 : from, length + 5)).join(''),
  );
const MASKS = [
  of(KINDS),
  of(['email', 'secret'], ['[a-z]{2,9}[0-9]', '\\b1+1{0,3}$'.replace('1+', '1')], '#'),
  of(['card', 'phone'], ['1{3}', '@.{1,20}@']),
];

describe('JSON within a text', () => {
  it.each([
    [String.raw`{"t":"a\nDE89370400440532013000"}`, String.raw`{"t":"a\n*"}`],
    [String.raw`{"t":"call\n+49 30 901820, or \u002B49 30 901820"}`, String.raw`{"t":"call\n*, or *"}`],
    [String.raw`{"t":"hello\nann@mail.example"}`, String.raw`{"t":"hello\n*"}`],
    [String.raw`{"t":"ann\u0040mail.example"}`, '{"t":"*"}'],
    [String.raw`{"t":"jos\u00e9@mail.example"}`, '{"t":"*"}'],
    [String.raw`{"t":"\\ann@mail.example"}`, String.raw`{"t":"\\*"}`],
    [String.raw`C:\temp and \q`, String.raw`C:\temp and \q`],
    // JSON in it once more
    [String.raw`{"t":"{\"t\":\"a\\nDE89370400440532013000\"}"}`, String.raw`{"t":"{\"t\":\"a\\n*\"}"}`],
    [String.raw`{"t":"{\"t\":\"a\\nann@mail.example\"}"}`, String.raw`{"t":"{\"t\":\"a\\n*\"}"}`],
    [String.raw`{"t":"{\"t\":\"ann\\u0040mail.example\"}"}`, String.raw`{"t":"{\"t\":\"*\"}"}`],
    [String.raw`{\"k\":\"-----BEGIN PRIVATE KEY-----\\nMIIB\"}`, String.raw`{\"k\":\"*\"}`],
    // none at all
    [String.raw`CORP\bob@mail.example`, 'CORP*'],
    [String.raw`\u0041nn@mail.example`, '*'],
  ])('%s', (text, masked) => {
    expect(new Masker([of(KINDS)]).mask(text)).toBe(masked);
  });

  it('lets no half of an escape pass before what is found within it', () => {
    const stream = new Masker([of(['email'])]).stream();
    const text = String.raw`to \u0020nn@mail.example now`;
    expect([...text, ''].map((unit, at) => stream.push(unit, at === text.length)).join('')).toBe('to * now');
  });

  it('finds what a pattern says of the text as it stands', () => {
    expect(new Masker([of([], [String.raw`ACME\\[a-z]{2,8}`])]).mask(String.raw`ACME\bob`)).toBe('*');
    expect(new Masker([of([], ['"id":1'])]).mask(String.raw`{\"id\":1}`)).toBe('{*}');
  });

  const SECRETS = ['ann@mail.example', 'DE89370400440532013000', `sk-${'a1B2'.repeat(8)}`, '+49 30 901820'];
  const nested = fc.tuple(
    fc.array(
      fc.tuple(fc.constantFrom('\n', '\t', '"', '\\', 'é', ' ', '\u0001', '/'), fc.constantFrom(...SECRETS)),
      { minLength: 1, maxLength: 4 },
    ),
    fc.integer({ min: 0, max: 4 }),
    fc.boolean(),
  );

  it('is masked however deep it is, and stays JSON', () => {
    fc.assert(
      fc.property(nested, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }), (said, lengths) => {
        const [items, depth, isAscii] = said;
        let text = items.map(([before, secret]) => `${before}${secret}`).join(' ;');
        for (let level = 0; level < depth; level++) {
          text = JSON.stringify({ t: text });
          if (isAscii) text = text.replaceAll(/[@+é]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
        }
        const masker = new Masker([of(KINDS)]);
        const masked = masker.mask(text);
        let read = masked;
        for (let level = 0; level < depth; level++) read = (JSON.parse(read) as { t: string }).t;
        for (const secret of SECRETS) expect(read).not.toContain(secret);
        expect(read.split(';')).toHaveLength(items.length);
        const stream = masker.stream();
        let passed = '';
        let at = 0;
        for (const length of lengths) {
          passed += stream.push(text.slice(at, at + length), false);
          at = Math.min(text.length, at + length);
        }
        expect(passed + stream.push(text.slice(at), true)).toBe(masked);
      }),
      { numRuns: Number(process.env.MASK_RUNS ?? 60) },
    );
  });
});

describe('in pieces', () => {
  it.each(KINDS.flatMap((kind) => KIND_CASES[kind]).filter((text) => text.length < 200))(
    'cut anywhere: %s',
    (marked) => {
      const text = `${marked.replaceAll(/[«»]/g, '')} `;
      const masker = new Masker(MASKS);
      const whole = masker.mask(text);
      for (let cut = 0; cut <= text.length; cut++) {
        const stream = masker.stream();
        expect(stream.push(text.slice(0, cut), false) + stream.push(text.slice(cut), true)).toBe(whole);
      }
      const byUnit = masker.stream();
      expect([...text.split(''), ''].map((unit, at) => byUnit.push(unit, at === text.length)).join('')).toBe(
        whole,
      );
    },
  );

  it('comes out as it would in one', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.nat(12), { maxLength: 60 }),
        fc.subarray(MASKS, { minLength: 1 }),
        (text, lengths, masks) => {
          const masker = new Masker(masks);
          const stream = masker.stream();
          let passed = '';
          let at = 0;
          for (const length of lengths) {
            passed += stream.push(text.slice(at, at + length), false);
            at = Math.min(text.length, at + length);
          }
          passed += stream.push(text.slice(at), true);
          expect(passed).toBe(masker.mask(text));
        },
      ),
      { numRuns: Number(process.env.MASK_RUNS ?? 60) },
    );
  });

  it('no more is held back than the longest that is looked for', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const stream = new Masker([of(KINDS, ['[a-z]{3,50}x'])]).stream();
        for (const unit of text) {
          stream.push(unit, false);
          expect(stream.heldUnits).toBeLessThanOrEqual(MASK_KINDS.email.unitsMost);
        }
      }),
      { numRuns: 30 },
    );
  });
});
