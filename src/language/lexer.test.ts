import type { Lexer, TokenType } from 'chevrotain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../diagnostics/source.ts';
import { lex, newLexer } from './lexer.ts';
import { LEXED_TOKENS } from './tokens.ts';

const ignore = (): void => {};

function tokens(text: string): string[] {
  return lex(new SourceText('a.policy', text), 64, ignore).tokens.map(
    ({ tokenType, image }) => `${tokenType.name} ${image}`,
  );
}

describe('tokens', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['1m 1ms 1d', ['DurationLiteral 1m', 'DurationLiteral 1ms', 'DurationLiteral 1d']],
    ['1MiB 5B', ['SizeLiteral 1MiB', 'SizeLiteral 5B']],
    [
      '9_000 1.5 15% 0.5%',
      ['NumberLiteral 9_000', 'NumberLiteral 1.5', 'PercentLiteral 15%', 'PercentLiteral 0.5%'],
    ],
    ['2027-03-31 08:00', ['DateLiteral 2027-03-31', 'TimeLiteral 08:00']],
    ['$2_000', ['MoneyLiteral $2_000']],
    ['Etc/GMT+1 UTC Europe/Berlin', ['ZoneName Etc/GMT+1', 'ZoneName UTC', 'ZoneName Europe/Berlin']],
    ['tenant.limit.each', ['tenant tenant', 'Member .limit', 'Member .each']],
    ['total to tot', ['total total', 'to to', 'Name tot']],
    ['day days', ['day day', 'days days']],
    ['waiver', ['Later waiver']],
    ['<= < >= >', ['<= <=', '< <', '>= >=', '> >']],
    ['"a\\"b" "c"', ['Text "a\\"b"', 'Text "c"']],
    ['a#"x"\nb', ['Name a', 'Name b']],
    ['"open\nnext', ['Text "open', 'Name next']],
    ['Forbid on-call', ['forbid Forbid', 'Name on-call']],
    ['5M 1_00', ['NumberLiteral 5', 'NumberLiteral 1']],
    ['== && !', ['is ==', 'and &&', 'not !']],
  ];
  it.each(cases)('%s', (text, expected) => {
    expect(tokens(text)).toEqual(expected);
  });

  it('know where they begin and end', () => {
    const source = new SourceText('a.policy', 'permit  when # x\n true');
    const found = lex(source, 64, ignore).tokens.map(({ startOffset, endOffset }) =>
      source.text.slice(startOffset, endOffset! + 1),
    );
    expect(found).toEqual(['permit', 'when', 'true']);
  });

  it('keep comments beside the tokens', () => {
    const { comments } = lex(new SourceText('a.policy', '# one\npermit # two'), 64, ignore);
    expect(comments.map(({ image }) => image)).toEqual(['# one', '# two']);
  });
});

describe('the lexer itself', () => {
  it('has tokens that chevrotain finds nothing wrong with', () => {
    expect(() => newLexer('tokens-too')).not.toThrow();
  });

  it('finds the same tokens when it works out how patterns begin as by the hints', () => {
    const slow = withoutHints();
    const fast = newLexer('texts');
    const pieces = fc.constantFrom(
      ...'aZz_09.-+/#"\'=<>!&|;$€£%:{}()[], \tÄ\n',
      'GET /a',
      '2027-03-31',
      'as USD',
      '5ms',
    );
    fc.assert(
      fc.property(fc.string({ unit: pieces, maxLength: 40 }), (text) => {
        const [a, b] = [fast, slow].map((lexer) => {
          const { tokens, groups, errors } = lexer.tokenize(text);
          return [tokens, groups.comments, errors]
            .flat()
            .map((found) =>
              found === undefined
                ? []
                : 'image' in found
                  ? [found.tokenType.name, found.image, found.startOffset]
                  : [found.offset, found.length],
            );
        });
        expect(a).toEqual(b);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Patterns that are functions need theirs. Tokens know each other as objects, so these are the same ones. */
function withoutHints(): Lexer {
  const types: TokenType[] = LEXED_TOKENS.filter(({ PATTERN }) => PATTERN instanceof RegExp);
  const hints = types.map((type) => type.START_CHARS_HINT);
  for (const type of types) delete type.START_CHARS_HINT;
  const lexer = newLexer('tokens-too');
  types.forEach((type, index) => {
    const hint = hints[index];
    if (hint !== undefined) type.START_CHARS_HINT = hint;
  });
  return lexer;
}

describe('a megabyte', () => {
  const line = '    limit "pace" at most 60 requests in any 1m  for each consumer  # why\n';
  const text = line.repeat(Math.ceil(1_048_576 / line.length));

  it('has as many tokens as its lines, and no more work than that', () => {
    const problems: unknown[] = [];
    const { tokens: found, comments } = lex(new SourceText('a.policy', text), 64, (one) =>
      problems.push(one),
    );
    const lines = text.split('\n').length - 1;
    expect(found).toHaveLength(lines * 12);
    expect(comments).toHaveLength(lines);
    expect(problems).toEqual([]);
  });
});
