import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { IToken } from 'chevrotain';
import { beforeAll, describe, expect, it } from 'vitest';
import oniguruma from 'vscode-oniguruma';
import textmate, { type IGrammar } from 'vscode-textmate';
import { SourceText } from '../../src/diagnostics/source.ts';
import { lex } from '../../src/language/lexer.ts';
import {
  CurrencyCode,
  DateLiteral,
  DurationLiteral,
  KEYWORD,
  Later,
  Member,
  Method,
  MoneyLiteral,
  Name,
  NumberLiteral,
  PercentLiteral,
  Period,
  Regex,
  RouteHead,
  SIGN,
  SizeLiteral,
  TEST_WORD,
  Text,
  TimeLiteral,
  tokenGroup,
  Unit,
  UrlPath,
  WeekdayWord,
  ZoneName,
} from '../../src/language/tokens.ts';
import { Choices } from '../compiler/choices.ts';
import { DECLARATIONS, drawnNumbers, randomSentence, withRandomGaps } from '../language/random-sentences.ts';
import { textMateGrammar } from './textmate-grammar.ts';

let grammar: IGrammar;
beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm');
  await oniguruma.loadWASM(new Uint8Array(readFileSync(wasm)).buffer);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(textMateGrammar(), 'portunus.tmLanguage.json'),
  });
  grammar = (await registry.loadGrammar('source.portunus'))!;
});

interface Scoped {
  readonly start: number;
  readonly end: number;
  readonly scopes: readonly string[];
}

/** Everything an editor would colour, by offset in the text. */
function scopesOf(text: string): readonly Scoped[] {
  const found: Scoped[] = [];
  let stack = textmate.INITIAL;
  let start = 0;
  for (const line of text.split('\n')) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    for (const { startIndex, endIndex, scopes } of tokens) {
      found.push({ start: start + startIndex, end: start + endIndex, scopes: scopes.slice(1) });
    }
    stack = ruleStack;
    start += line.length + 1;
  }
  return found;
}

/** What the category of a token demands; words of tests are names elsewhere. */
function demandedScope(token: IToken, place: 'test' | 'elsewhere'): string {
  const type = token.tokenType;
  const fixed = FIXED_SCOPES.get(type);
  if (fixed !== undefined) return fixed;
  const group = tokenGroup(type);
  if (Object.values(TEST_WORD).includes(type))
    return place === 'test' ? 'keyword.other.test' : 'variable.other.name';
  if (group !== null) return GROUP_SCOPES[group];
  if (type.CATEGORIES?.includes(Unit) || type.CATEGORIES?.includes(Period)) return 'keyword.other.unit';
  if (type.CATEGORIES?.includes(WeekdayWord)) return 'constant.language.weekday';
  if (Object.values(SIGN).includes(type))
    return /^[<>=+*/-]/.test(token.image) ? 'keyword.operator' : 'punctuation';
  return 'support.variable.fact';
}

const FIXED_SCOPES = new Map([
  [Text, 'string.quoted.double'],
  [Regex, 'string.regexp'],
  [UrlPath, 'string.unquoted.path'],
  [Method, 'support.constant.method'],
  [Member, 'variable.other.member'],
  [Name, 'variable.other.name'],
  [ZoneName, 'constant.other.timezone'],
  [CurrencyCode, 'constant.other.currency'],
  [DateLiteral, 'constant.numeric.date'],
  [TimeLiteral, 'constant.numeric.time'],
  [MoneyLiteral, 'constant.numeric.money'],
  [DurationLiteral, 'constant.numeric.duration'],
  [SizeLiteral, 'constant.numeric.size'],
  [PercentLiteral, 'constant.numeric.percent'],
  [NumberLiteral, 'constant.numeric.number'],
  [Later, 'invalid.deprecated.later'],
  // editors colour words one by one: what follows `route` may stand on the next line
  [RouteHead, 'support.variable.fact'],
]);
const GROUP_SCOPES = {
  declaration: 'storage.type.declaration',
  header: 'keyword.other.header',
  rule: 'keyword.control.rule',
  clause: 'keyword.control.clause',
  word: 'keyword.other.word',
  test: 'keyword.other.test',
};
/** Words of the language that read as operators or values. */
const WORD_SCOPES: Readonly<Record<string, string>> = {
  true: 'constant.language.boolean',
  false: 'constant.language.boolean',
  ...Object.fromEntries(
    ['and', 'or', 'not', 'is', 'contains', 'like', 'has', 'otherwise', 'matches'].map((word) => [
      word,
      'keyword.operator.word',
    ]),
  ),
};

/** Tokens and comments whose every character must have the scope of their category, and do not. */
function wrongScopes(text: string): readonly string[] {
  const scoped = scopesOf(text);
  const { tokens, comments } = lex(new SourceText('a.policy', text), 64, ({ message }) => {
    throw new Error(message);
  });
  let place: 'test' | 'elsewhere' = 'elsewhere';
  const demands = tokens.map((token) => {
    if (token.tokenType === KEYWORD.test) place = 'test';
    const demand = { token, scope: WORD_SCOPES[token.image] ?? demandedScope(token, place) };
    if (token.tokenType === SIGN['}']) place = 'elsewhere';
    return demand;
  });
  const all = [...demands, ...comments.map((token) => ({ token, scope: 'comment.line.number-sign' }))];
  all.sort((a, b) => a.token.startOffset - b.token.startOffset);
  let at = 0;
  return all.flatMap(({ token, scope }) => {
    const end = token.startOffset + token.image.trimEnd().length;
    while (scoped[at] !== undefined && scoped[at]!.end <= token.startOffset) at++;
    const parts: Scoped[] = [];
    for (let next = at; scoped[next] !== undefined && scoped[next]!.start < end; next++)
      parts.push(scoped[next]!);
    const isRight =
      parts.length > 0 && parts.every(({ scopes }) => scopes.some((one) => one.startsWith(scope)));
    return isRight
      ? []
      : [`${token.image}: ${scope}, not ${parts.map(({ scopes }) => scopes.join(' ')).join(' | ')}`];
  });
}

describe('the TextMate grammar gives every token of the lexer the scope of its category', () => {
  const folder = new URL('../../policies', import.meta.url).pathname;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.policy'),
  );

  it.each(files)('in policies/%s', (file) => {
    expect(wrongScopes(readFileSync(join(folder, file), 'utf8'))).toEqual([]);
  });

  it.each(DECLARATIONS)('in random sentences of %s', (rule) => {
    for (let seed = 1; seed <= 150; seed++) {
      const choices = new Choices(drawnNumbers(seed * 31 + DECLARATIONS.indexOf(rule), 3_000));
      const text = withRandomGaps(randomSentence(rule, { choices }), choices);
      expect({ text, wrong: wrongScopes(text) }).toEqual({ text, wrong: [] });
    }
  });

  it.each([
    ['tenant.limit.each', ['support.variable.fact', 'variable.other.member', 'variable.other.member']],
    [
      '"a \\"b\\" # c" # d',
      [
        'string.quoted',
        'constant.character.escape',
        'string.quoted',
        'constant.character.escape',
        'string.quoted',
        'comment.line',
      ],
    ],
    [
      'because "a {tenant.name} b"',
      [
        'keyword.control.clause',
        'string.quoted',
        'punctuation.section.interpolation.begin',
        'variable.other.hole',
        'punctuation.section.interpolation.end',
        'string.quoted',
      ],
    ],
    ['code "a {tenant.name} b"', ['keyword.control.clause', 'string.quoted']],
    ['5M', ['invalid.illegal.number']],
    ['Forbid on-call', ['invalid.illegal.word', 'invalid.illegal.word']],
    ['a == b', ['variable.other.name', 'invalid.illegal.sign', 'variable.other.name']],
    ['waiver', ['invalid.deprecated.later']],
    ['"unclosed', ['invalid.illegal.unclosed']],
  ])('%s', (text, scopes) => {
    const innermost = scopesOf(text)
      .map((one) => one.scopes.at(-1))
      .filter((scope) => scope !== undefined);
    expect(innermost).toEqual(scopes.map((scope) => expect.stringContaining(scope)));
  });
});
