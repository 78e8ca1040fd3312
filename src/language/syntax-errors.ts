import { EOF, type IRecognitionException, type IToken, type TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../diagnostics/source.ts';
import { isTimeZone } from '../model/local-time.ts';
import { expectedInWords } from './expected-words.ts';
import type { PolicyGrammar } from './grammar/policies.ts';
import { tokenSpan } from './lexer.ts';
import { LIMIT_KINDS } from './limit-rules.ts';
import { unknownZone } from './problems/names.ts';
import {
  cannotStand,
  clauseBeforeAmount,
  foreignCharacter,
  languageLine,
  literalFirst,
  notInThisVersion,
  reservedName,
  unexpected,
  unfinished,
} from './problems/reading.ts';
import { calendarPeriodInLimit } from './problems/rules.ts';
import { slip } from './slips.ts';
import { FACT_CHARACTERS_MAX, type Stumble } from './stumble.ts';
import { nearestTimeZone } from './time-zones.ts';
import {
  AnyWord,
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
  ZoneName,
} from './tokens.ts';
import { keywordMeant, wordMeant } from './words-meant.ts';

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

const EXPLANATIONS: readonly ((stumble: Stumble) => Diagnostic | null)[] = [
  explainZone,
  explainSlip,
  explainMisreadWord,
  ({ found, span, expected, rule }) =>
    found !== null && expected.includes(NumberLiteral) && isCounting(rule) && isClause(found)
      ? clauseBeforeAmount(span, found.image, rule)
      : null,
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
    previous !== null && found === null && (expected.includes(SIGN['}']) || mayEnd(expected))
      ? unfinished({ ...span, start: previous.startOffset, end: previous.endOffset! + 1 }, [
          'the next rule',
          '`}`, which ends the policy',
        ])
      : null,
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.language && found !== null ? languageLine(span, found.image) : null,
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.define && found !== null && /^[a-z]/.test(found.image)
      ? reservedName(span, found.image)
      : null,
  (stumble) => {
    const { found, span } = stumble;
    const isLater = found?.tokenType === Later || isLaterHere(stumble);
    return found !== null && isLater ? notInThisVersion(span, found.image) : null;
  },
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.per && found !== null && isOf(found, Period)
      ? calendarPeriodInLimit(span, found.image)
      : null,
  ({ previous, found, span, expected }) =>
    expected.includes(PathHead) && (found?.tokenType === Text || found?.tokenType === NumberLiteral)
      ? literalFirst(span, found.image, isLink(previous) ? 'list' : turned(span, found.image))
      : null,
  ({ previous, found, span }) =>
    found?.tokenType === KEYWORD.of && previous !== null && OTHER_QUANTIFIERS.has(previous.image)
      ? unexpected(
          { ...span, start: previous.startOffset },
          `${previous.image} of`,
          [],
          OTHER_QUANTIFIERS.get(previous.image)!,
        )
      : null,
  ({ previous, found, span, expected, startsLine, rule }) =>
    previous !== null && expected.length > 0 && startsLine && endsStatement(found)
      ? unfinished(
          { ...span, start: previous.startOffset, end: previous.endOffset! + 1 },
          isSide(expected, rule) ? ['`in request`', '`in response`'] : expectedInWords(expected),
        )
      : null,
];

/** Of a header: what is missing is more than the word `in`. */
function isSide(expected: readonly TokenType[], rule: string): boolean {
  return expected.length === 1 && expected[0] === KEYWORD.in && ['set', 'remove'].includes(rule);
}

function isCounting(rule: string): boolean {
  return (LIMIT_KINDS as readonly string[]).includes(rule);
}

function isClause({ tokenType }: IToken): boolean {
  return KEYWORD_GROUPS.clause.some((clause) => KEYWORD[clause] === tokenType);
}

/** A rule that is complete can take further clauses. */
function mayEnd(expected: readonly TokenType[]): boolean {
  return KEYWORD_GROUPS.clause.every((clause) => expected.includes(KEYWORD[clause]));
}

/** Words that only tests have yet, or that tests do not have yet. */
function isLaterHere({ found, declaration }: Stumble): boolean {
  if (found === null) return false;
  return (declaration === KEYWORD.test ? LATER_TEST_WORDS : LATER_OUTSIDE_TESTS).has(found.image);
}

function explainSlip(stumble: Stumble): Diagnostic | null {
  const help = slip(stumble);
  return help === null ? null : cannotStand(stumble.span, stumble.found!.image, help);
}

/** After `and` and `or` a list of names was probably meant. */
function isLink(token: IToken | null): boolean {
  return token?.tokenType === KEYWORD.and || token?.tokenType === KEYWORD.or;
}

/** `"v1" in route.tags` and `3 < tenant.level`, begun with the fact. */
function turned({ source, end }: Span, literal: string): { readonly turned: string } | 'unclear' {
  const behind = source.text.slice(end, end + FACT_CHARACTERS_MAX);
  const [, sign, path] = /^ *(in|is|<=|>=|<|>) *([a-z]+\.[A-Za-z0-9_.]+)/.exec(behind) ?? [];
  return path === undefined ? 'unclear' : { turned: `${path} ${TURNED[sign!]} ${literal}` };
}

const TURNED: Readonly<Record<string, string>> = {
  in: 'contains',
  is: 'is',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
};

/** What people say besides `any of`, `every of` and `no one of`. */
const OTHER_QUANTIFIERS: ReadonlyMap<string, string> = new Map([
  ['all', 'every of'],
  ['each', 'every of'],
  ['some', 'any of'],
  ['one', 'any of'],
  ['none', 'no one of'],
]);

function explainUnexpected({ found, span, expected, startsLine }: Stumble): Diagnostic {
  const isWord = found !== null && /^[a-z]/.test(found.image);
  const isOutside = expected.length === 0;
  const misspelt = isWord ? wordMeant(found.image, { expected, startsLine, isOutside }) : null;
  return unexpected(span, found?.image ?? null, instead(found, expected), misspelt);
}

/** What to write, in words. */
function instead(found: IToken | null, expected: readonly TokenType[]): readonly string[] {
  const words = expectedInWords(expected);
  const isWord = found !== null && isOf(found, AnyWord);
  if (isWord && words.length === 1 && expected.includes(Text)) return [`"${found.image}", in quotes,`];
  const beginsCondition = found !== null && (isOf(found, PathHead) || CONDITION_WORDS.has(found.tokenType));
  return beginsCondition && expected.includes(KEYWORD.when) ? ['`when` before the condition'] : words;
}

const CONDITION_WORDS: ReadonlySet<TokenType> = new Set([KEYWORD.not, KEYWORD.during, KEYWORD.outside]);

/** `europe/berlin`, or a zone in quotes. */
function explainZone({ found, span, expected }: Stumble): Diagnostic | null {
  if (found === null || !expected.includes(ZoneName)) return null;
  const { source, start } = span;
  const written = /^"?[A-Za-z_/+-]+(?=")|^[A-Za-z_/+-]+/.exec(
    source.text.slice(start, start + ZONE_CHARACTERS_MAX),
  )?.[0];
  const name = written?.replace('"', '') ?? '';
  const isQuoted = written?.startsWith('"') ?? false;
  if (!isQuoted && !name.includes('/')) return null;
  if (isQuoted && isTimeZone(name)) return unexpected(span, found.image, [`${name} without quotes`], null);
  return unknownZone({ source, start, end: start + (written?.length ?? 0) }, name, nearestTimeZone(name));
}
const ZONE_CHARACTERS_MAX = 60;

/** A misspelt keyword was read as the name of a fact, and the parser stumbles over what follows it. */
function explainMisreadWord({ previous, expectedBefore, span: { source } }: Stumble): Diagnostic | null {
  if (previous?.tokenType !== Name) return null;
  const misread = keywordMeant(previous.image, expectedBefore());
  return misread === null ? null : unexpected(tokenSpan(previous, source), previous.image, [], misread);
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
    earlier: tokens[index - 2] ?? null,
    next: tokens[index + 1] ?? null,
    span:
      span === null ? { source, start: 0, end: Math.min(1, source.text.length) } : tokenSpan(span, source),
    expected,
    startsLine: found === null || previous === null || hasLineBreak(source, previous, found),
    declaration: tokens[declarationStart(tokens, index - 1)]?.tokenType ?? null,
    rule: tokens[statementStart(tokens, index - 1)]?.image ?? 'rule',
    expectedBefore: () => (index < 1 ? [] : expectedAt(tokens, index - 1, grammar)),
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
  review: 'Review',
  reviewed: 'Reviewed',
  effective: 'Effective',
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
  // `alert at` is a clause of a limit, every other `alert` a rule
  if (tokens[index]!.tokenType === KEYWORD.alert) return tokens[index + 1]?.tokenType !== KEYWORD.at;
  const group = tokenGroup(tokens[index]!.tokenType);
  return group === 'declaration' ? beginsDeclaration(tokens, index) : HEAD_GROUPS.has(group);
}

/** What may stand at `index`, found by replaying the statement that begins before it. */
function expectedAt(tokens: readonly IToken[], index: number, grammar: PolicyGrammar): readonly TokenType[] {
  // behind the brace, a policy begins its first rule, whatever the last clause of its head was
  const isFirstRule = tokens[index - 1]?.tokenType === SIGN['{'];
  const start = (isFirstRule ? declarationStart : statementStart)(tokens, index - 1);
  const head = tokens[start];
  if (head === undefined || index - start > REPLAYED_TOKENS_MAX) return [];
  const rule = RULE_OF_HEAD[head.tokenType.name] ?? 'Rule';
  const paths = grammar.computeContentAssist(rule, tokens.slice(start, index) as IToken[]);
  return [...new Set(paths.map(({ nextTokenType }) => nextTokenType))];
}
