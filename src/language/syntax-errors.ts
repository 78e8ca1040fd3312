import { EOF, type IRecognitionException, type IToken, type TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../diagnostics/source.ts';
import { nearest } from '../diagnostics/suggest.ts';
import type { PolicyGrammar } from './grammar/policies.ts';
import { tokenSpan } from './lexer.ts';
import {
  foreignCharacter,
  languageLine,
  literalFirst,
  notInThisVersion,
  reservedName,
  unexpected,
  unfinished,
} from './problems/reading.ts';
import { calendarPeriodInLimit } from './problems/rules.ts';
import {
  beginsDeclaration,
  KEYWORD,
  KEYWORD_GROUPS,
  LATER_OUTSIDE_TESTS,
  LATER_TEST_WORDS,
  Later,
  Name,
  NumberLiteral,
  PathHead,
  Period,
  SIGN,
  Text,
  type TokenGroup,
  tokenGroup,
} from './tokens.ts';

/** What the parser stumbled over, in words: the first row of {@link EXPLANATIONS} that fits. */
export function explainSyntaxError(
  error: IRecognitionException,
  declaration: DeclarationTokens,
  grammar: PolicyGrammar,
): Diagnostic {
  const stumble = stumbleOf(error, declaration, grammar);
  for (const explain of EXPLANATIONS) {
    const diagnostic = explain(stumble);
    if (diagnostic !== null) return diagnostic;
  }
  return explainUnexpected(stumble);
}

/** All tokens of the file, and where the declaration with the mistake ends. */
export interface DeclarationTokens {
  readonly source: SourceText;
  readonly tokens: readonly IToken[];
  readonly end: number;
}

interface Stumble {
  /** Null at the end of the file. */
  readonly found: IToken | null;
  readonly previous: IToken | null;
  /** Of what was found, or of the last token. */
  readonly span: Span;
  /** What could have stood there. */
  readonly expected: readonly TokenType[];
  readonly startsLine: boolean;
  /** The word that begins the declaration it is in; null before the first. */
  readonly declaration: TokenType | null;
}

const EXPLANATIONS: readonly ((stumble: Stumble) => Diagnostic | null)[] = [
  ({ found, span, expected }) =>
    found?.tokenType === SIGN['='] && expected.includes(KEYWORD.is)
      ? foreignCharacter(span, '=', '`is`')
      : null,
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.like && found?.image.startsWith('/') === true
      ? foreignCharacter(
          span,
          found.image,
          '`matches` before a regular expression; `like` takes a text in which * stands for anything',
        )
      : null,
  ({ previous, span, expected }) =>
    previous !== null && expected.length === 1 && expected[0] === KEYWORD.per
      ? unfinished({ ...span, start: previous.startOffset, end: previous.endOffset! + 1 }, [
          'the period, such as `per day` or `per month` of a quota',
          '`per 1m` of a limit',
        ])
      : null,
  ({ previous, found, span, expected }) =>
    previous !== null && found === null && expected.includes(SIGN['}'])
      ? unfinished({ ...span, start: previous.startOffset, end: previous.endOffset! + 1 }, [
          '`}`, which ends the policy',
          'its next rule',
        ])
      : null,
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.language && found !== null ? languageLine(span, found.image) : null,
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.define && found !== null && /^[a-z]/.test(found.image)
      ? reservedName(span, found.image)
      : null,
  (stumble) => {
    const { found, span, expected } = stumble;
    const later = found?.tokenType === Later || isLaterHere(stumble);
    const root = found?.tokenType === KEYWORD.response && expected.includes(PathHead);
    return found !== null && (later || root) ? notInThisVersion(span, found.image) : null;
  },
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.per && found !== null && isOf(found, Period)
      ? calendarPeriodInLimit(span, found.image)
      : null,
  ({ previous, found, span, expected }) =>
    expected.includes(PathHead) && (found?.tokenType === Text || found?.tokenType === NumberLiteral)
      ? literalFirst(span, found.image, previous !== null && LINKS.has(previous.tokenType) ? 'link' : 'other')
      : null,
  ({ previous, found, span, expected, startsLine }) =>
    previous !== null && expected.length > 0 && startsLine && endsStatement(found)
      ? unfinished({ ...span, start: previous.startOffset, end: previous.endOffset! + 1 }, inWords(expected))
      : null,
];

/** Words that only tests have yet, or that tests do not have yet. */
function isLaterHere({ found, declaration }: Stumble): boolean {
  if (found === null) return false;
  return (declaration === KEYWORD.test ? LATER_TEST_WORDS : LATER_OUTSIDE_TESTS).has(found.image);
}

const LINKS: ReadonlySet<TokenType> = new Set([KEYWORD.and, KEYWORD.or]);

function explainUnexpected({ found, span, expected }: Stumble): Diagnostic {
  const words = expected.map((type) => type.name).filter((name) => /^[a-z]/.test(name));
  const misspelt = found?.tokenType === Name ? nearest(found.image, words) : null;
  return unexpected(span, found?.image ?? null, inWords(expected), misspelt);
}

/** What begins something new: before it, something is missing rather than wrong. */
function endsStatement(token: IToken | null): boolean {
  return token === null || token.tokenType === SIGN['}'] || HEAD_GROUPS.has(tokenGroup(token.tokenType));
}

function isOf(token: IToken, category: TokenType): boolean {
  return token.tokenType.CATEGORIES?.includes(category) ?? false;
}

function stumbleOf(
  error: IRecognitionException,
  { source, tokens, end }: DeclarationTokens,
  grammar: PolicyGrammar,
): Stumble {
  const reported = error.token.tokenType === EOF ? end : indexAt(tokens, error.token.startOffset);
  const { index, expected } = firstMisfit(tokens, reported, grammar);
  const found = tokens[index] ?? null;
  const previous = tokens[index - 1] ?? null;
  const span = found ?? previous;
  return {
    found,
    previous,
    span:
      span === null ? { source, start: 0, end: Math.min(1, source.text.length) } : tokenSpan(span, source),
    expected,
    startsLine: found === null || previous === null || hasLineBreak(source, previous, found),
    declaration: tokens[declarationStart(tokens, index - 1)]?.tokenType ?? null,
  };
}

/** Chevrotain reports where it began to look ahead; the token that does not fit may be the one behind it. */
function firstMisfit(
  tokens: readonly IToken[],
  reported: number,
  grammar: PolicyGrammar,
): { readonly index: number; readonly expected: readonly TokenType[] } {
  for (let index = reported; ; index++) {
    const expected = expectedAt(tokens, index, grammar);
    const token = tokens[index];
    const fits =
      token !== undefined && expected.some((type) => token.tokenType === type || isOf(token, type));
    if (!fits || index === reported + LOOKAHEAD_TOKENS) return { index, expected };
  }
}

function hasLineBreak(source: SourceText, before: IToken, after: IToken): boolean {
  return source.text.slice(before.endOffset!, after.startOffset).includes('\n');
}

function indexAt(tokens: readonly IToken[], offset: number): number {
  let low = 0;
  let high = tokens.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.startOffset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of the grammar: `maxLookahead` is 2. */
const LOOKAHEAD_TOKENS = 1;

/** Asking chevrotain what could follow costs more with each token, so only so much of a rule is replayed. */
const REPLAYED_TOKENS_MAX = 200;

const HEAD_GROUPS: ReadonlySet<TokenGroup | null> = new Set(['declaration', 'header', 'rule']);
const RULE_OF_HEAD: Readonly<Record<string, string>> = {
  language: 'LanguageLine',
  zone: 'Zone',
  holidays: 'Holidays',
  calendar: 'Calendar',
  define: 'Define',
  policy: 'Policy',
  test: 'Test',
  owner: 'Owner',
  applies: 'AppliesTo',
};

/** Index of the word that begins what the token at `from` belongs to. A test is short and has words of rules in it: it is taken whole. */
function statementStart(tokens: readonly IToken[], from: number): number {
  const declaration = declarationStart(tokens, from);
  if (tokens[declaration]?.tokenType === KEYWORD.test) return declaration;
  let start = from;
  while (start >= 0 && !isHead(tokens, start)) start--;
  return start;
}

function declarationStart(tokens: readonly IToken[], from: number): number {
  let start = from;
  while (start >= 0 && !beginsDeclaration(tokens, start)) start--;
  return start;
}

function isHead(tokens: readonly IToken[], index: number): boolean {
  const group = tokenGroup(tokens[index]!.tokenType);
  return group === 'declaration' ? beginsDeclaration(tokens, index) : HEAD_GROUPS.has(group);
}

/** What may stand at `index`, found by replaying the statement that begins before it. */
function expectedAt(tokens: readonly IToken[], index: number, grammar: PolicyGrammar): readonly TokenType[] {
  const start = statementStart(tokens, index - 1);
  const head = tokens[start];
  if (head === undefined || index - start > REPLAYED_TOKENS_MAX) return [];
  const rule = RULE_OF_HEAD[head.tokenType.name] ?? 'Rule';
  const paths = grammar.computeContentAssist(rule, tokens.slice(start, index) as IToken[]);
  return [...new Set(paths.map(({ nextTokenType }) => nextTokenType))];
}

/** Sets of tokens that are named as a whole where all of them are possible. */
const BUNDLES: readonly { readonly names: readonly string[]; readonly words: readonly string[] }[] = [
  { names: KEYWORD_GROUPS.rule, words: [`a rule (${KEYWORD_GROUPS.rule.join(', ')})`] },
  { names: KEYWORD_GROUPS.clause, words: ['a clause such as `when`', 'the next rule', '`}`'] },
  {
    names: [
      'is',
      '<',
      '<=',
      '>',
      '>=',
      'not',
      'in',
      'contains',
      'starts',
      'ends',
      'like',
      'matches',
      'has',
      'does',
    ],
    words: ['a test such as `is`, `<`, `in`, `contains` or `has role`'],
  },
  {
    names: [
      'Text',
      'MoneyLiteral',
      'DurationLiteral',
      'NumberLiteral',
      'SizeLiteral',
      'PercentLiteral',
      'DateLiteral',
    ],
    words: ['a value'],
  },
  { names: ['+', '-', '*', '/'], words: [] },
  { names: ['every', 'route', 'service', 'routes'], words: ['routes'] },
];
/** What goes without saying beside other possibilities: more of the same path, values `true` and `false`. */
const UNSAID: ReadonlySet<string> = new Set([
  'Member',
  '[',
  '(',
  'as',
  'otherwise',
  'TimeLiteral',
  'true',
  'false',
]);

function inWords(expected: readonly TokenType[]): string[] {
  const names = new Set(expected.map(({ name }) => name));
  const bundles = BUNDLES.filter((bundle) => bundle.names.every((name) => names.has(name)));
  const bundled = new Set(bundles.flatMap((bundle) => bundle.names));
  const single = expected.filter(({ name }) => !bundled.has(name));
  const said = single.filter(({ name }) => bundles.length === 0 || !UNSAID.has(name));
  return [
    ...new Set([
      ...said.map((type) => type.LABEL ?? `\`${type.name}\``),
      ...bundles.flatMap(({ words }) => words),
    ]),
  ];
}
