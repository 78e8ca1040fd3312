import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex, regexTest } from './regex.ts';

/** Parts that mean the same to RE2 and to JavaScript. */
const piece = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ä',
    '\u{1f600}',
    '.',
    '[ab]',
    '[^a]',
    '\\d',
    '\\.',
    '^',
    '$',
    '(?:a|b)',
    '(ab|a)',
  ),
  fc
    .tuple(
      fc.constantFrom('a', '.', '[ab]', '(?:ab)', '(?:a|b)'),
      fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?'),
    )
    .map((parts) => parts.join('')),
);
const source = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc.array(piece, { minLength: 2, maxLength: 4 }).map((pieces) => pieces.join('|')),
);
const text = fc
  .array(fc.constantFrom('a', 'b', 'ä', '1', '.', '\u{1f600}'), { maxLength: 12 })
  .map((all) => all.join(''));

describe('a regular expression', () => {
  it('fits what JavaScript says it fits, wherever both have the same syntax', () => {
    fc.assert(
      fc.property(source, text, (one, of) => {
        expect(regexTest(one)(of)).toBe(new RegExp(one, 'u').test(of));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is the same when it is compiled anew', () => {
    fc.assert(
      fc.property(source, text, (one, of) => {
        const compiled = compileRegex(one, 1_000);
        expect(compiled.ok && compiled.value(of)).toBe(regexTest(one)(of));
      }),
      { numRuns: 300 },
    );
  });

  it('of any text is compiled or refused in words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (one) => {
        const compiled = compileRegex(one, 1_000);
        if (!compiled.ok) expect(compiled.error.why).toMatch(/\.$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['(a', 'a `)` is missing'],
    ['[a', 'a `]` is missing'],
    ['a)', 'a `)` closes nothing'],
    ['*a', '`*` has nothing to repeat'],
    ['a**', '`**` repeats a repetition'],
    ['[b-a]', 'invalid character class range (`b-a`)'],
    ['('.repeat(2_000) + ')'.repeat(2_000), 'expression nests too deeply'],
  ])('%.20s is refused: %s', (one, why) => {
    const compiled = compileRegex(one, 1_000);
    expect(compiled.ok ? null : compiled.error.why).toContain(why);
  });

  it('is refused before it is read when it is far too long', () => {
    const compiled = compileRegex('a'.repeat(9_000), 1_000);
    expect(compiled.ok ? null : compiled.error.why).toBe(
      'This regular expression is too large: it has 9000 characters, and the limit is 8000.',
    );
  });
});
