import { EOF, type IRecognitionException, type IToken, type TokenType } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText, Span } from '../diagnostics/source.ts';
import { nearest } from '../diagnostics/suggest.ts';
import type { PolicyGrammar } from './grammar/policies.ts';
import {
  languageLine,
  literalFirst,
  notInThisVersion,
  reservedName,
  unexpected,
} from './problems/reading.ts';
import { calendarPeriodInLimit } from './problems/rules.ts';
import {
  KEYWORD,
  KEYWORD_GROUPS,
  Later,
  MoneyLiteral,
  Name,
  NumberLiteral,
  PathHead,
  Period,
  Text,
  type TokenGroup,
  tokenGroup,
} from './tokens.ts';

/** What the parser stumbled over, in words: the first row of {@link EXPLANATIONS} that fits. */
export function explainSyntaxError(
  error: IRecognitionException,
  tokens: readonly IToken[],
  source: SourceText,
  grammar: PolicyGrammar,
): Diagnostic {
  const stumble = stumbleOf(error, tokens, source, grammar);
  for (const explain of EXPLANATIONS) {
    const diagnostic = explain(stumble);
    if (diagnostic !== null) return diagnostic;
  }
  return explainUnexpected(stumble);
}

interface Stumble {
  readonly found: IToken;
  readonly isEnd: boolean;
  readonly previous: IToken | null;
  readonly span: Span;
  /** What could have stood there. */
  readonly expected: readonly TokenType[];
}

const EXPLANATIONS: readonly ((stumble: Stumble) => Diagnostic | null)[] = [
  ({ previous, span }) => (previous === null ? languageLine(span, null) : null),
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.language ? languageLine(span, found.image) : null,
  ({ previous, found, isEnd, span }) =>
    previous?.tokenType === KEYWORD.define && !isEnd && /^[a-z]/.test(found.image)
      ? reservedName(span, found.image)
      : null,
  ({ found, span, expected }) => {
    const later = found.tokenType === Later || found.tokenType === MoneyLiteral;
    const root = found.tokenType === KEYWORD.response && expected.includes(PathHead);
    return later || root ? notInThisVersion(span, found.image) : null;
  },
  ({ previous, found, span }) =>
    previous?.tokenType === KEYWORD.per && isOf(found, Period)
      ? calendarPeriodInLimit(span, found.image)
      : null,
  ({ found, span, expected }) =>
    expected.includes(PathHead) && (found.tokenType === Text || found.tokenType === NumberLiteral)
      ? literalFirst(span, found.image)
      : null,
];

function explainUnexpected({ found, isEnd, span, expected }: Stumble): Diagnostic {
  const words = expected.map((type) => type.name).filter((name) => /^[a-z]/.test(name));
  const misspelt = found.tokenType === Name ? nearest(found.image, words) : null;
  return unexpected(span, isEnd ? 'The end of the file' : `\`${found.image}\``, inWords(expected), misspelt);
}

function isOf(token: IToken, category: TokenType): boolean {
  return token.tokenType.CATEGORIES?.includes(category) ?? false;
}

function stumbleOf(
  error: IRecognitionException,
  tokens: readonly IToken[],
  source: SourceText,
  grammar: PolicyGrammar,
): Stumble {
  const found = error.token;
  const isEnd = found.tokenType === EOF;
  const index = isEnd ? tokens.length : indexAt(tokens, found.startOffset);
  const end = source.text.trimEnd().length;
  const span = isEnd
    ? { source, start: Math.max(0, end - 1), end: Math.max(end, Math.min(1, source.text.length)) }
    : { source, start: found.startOffset, end: found.endOffset! + 1 };
  return {
    found,
    isEnd,
    previous: tokens[index - 1] ?? null,
    span,
    expected: expectedAt(tokens, index, grammar),
  };
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

/** Asking chevrotain what could follow costs more with each token, so only so much of a rule is replayed. */
const REPLAYED_TOKENS_MAX = 200;

const HEAD_GROUPS: ReadonlySet<TokenGroup | null> = new Set(['declaration', 'header', 'rule']);
const RULE_OF_HEAD: Readonly<Record<string, string>> = {
  language: 'LanguageLine',
  zone: 'Zone',
  define: 'Define',
  policy: 'Policy',
  owner: 'Owner',
  applies: 'AppliesTo',
};

/** What may stand at `index`, found by replaying the statement that begins before it. */
function expectedAt(tokens: readonly IToken[], index: number, grammar: PolicyGrammar): readonly TokenType[] {
  let start = index - 1;
  while (start >= 0 && !HEAD_GROUPS.has(tokenGroup(tokens[start]!.tokenType))) start--;
  const head = tokens[start];
  if (head === undefined || index - start > REPLAYED_TOKENS_MAX) return [];
  const rule = RULE_OF_HEAD[head.tokenType.name] ?? 'Rule';
  const paths = grammar.computeContentAssist(rule, tokens.slice(start, index) as IToken[]);
  return [...new Set(paths.map(({ nextTokenType }) => nextTokenType))];
}

/** A group of words is named as a whole once this many of it are possible. */
const GROUP_NAMED_FROM = 4;
const GROUP_WORDS: Readonly<Record<TokenGroup, string | null>> = {
  declaration: null,
  header: null,
  rule: `a rule (${KEYWORD_GROUPS.rule.join(', ')})`,
  clause: 'a clause of the rule or the next rule',
  word: null,
};

function inWords(expected: readonly TokenType[]): string[] {
  const words = new Set<string>();
  for (const type of expected) {
    const group = tokenGroup(type);
    const whole = group === null ? null : GROUP_WORDS[group];
    const many = expected.filter((other) => tokenGroup(other) === group).length >= GROUP_NAMED_FROM;
    words.add(whole !== null && many ? whole : (type.LABEL ?? `\`${type.name}\``));
  }
  return [...words];
}
