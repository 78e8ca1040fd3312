import { createToken, type IToken, Lexer, type TokenType } from 'chevrotain';
import {
  DATE_PATTERN,
  DURATION_UNITS,
  NUMBER_PATTERN,
  SIZE_UNITS,
  SPELLED_DURATION_UNITS,
  TIME_PATTERN,
} from '../model/literals.ts';
import { WEEKDAYS, type Weekday } from '../model/local-time.ts';

/**
 * The words and signs of the language, as tables. Keywords have no pattern of their own: the lexer reads a word and
 * looks it up, so one word costs one regular expression and one map access however many keywords there are.
 */

/** Where a keyword stands; messages list what could have stood there by these groups. */
export type TokenGroup = 'declaration' | 'header' | 'rule' | 'clause' | 'word' | 'test';

export const KEYWORD_GROUPS = {
  declaration: ['language', 'zone', 'holidays', 'calendar', 'define', 'policy', 'test'],
  header: ['owner', 'review', 'reviewed', 'effective', 'applies'],
  rule: [
    'permit',
    'forbid',
    'require',
    'warn',
    'limit',
    'quota',
    'budget',
    'set',
    'remove',
    'cap',
    'default',
    ...['timeout', 'cache'],
    'mask',
    'deprecate',
    'alert',
    'rotate',
  ],
  clause: [
    'when',
    'for',
    'in',
    'from',
    'until',
    'after',
    'status',
    'code',
    'because',
    'max',
    'on',
    'was',
    'overlap',
    'alert',
    'notify',
  ],
  word: [
    ...['consumers', 'tenants'],
    ...['fall', 'back', 'more', 'amount'],
    ...['to', 'exceeded', 'exhausted', 'queue', 'up', 'each', 'total', 'keys', 'failure', 'refuse', 'allow'],
    ...['at', 'most', 'least', 'any', 'once', 'per', 'burst', 'requests', 'header'],
    ...['and', 'or', 'not', 'true', 'false', 'is', 'present', 'absent', 'subscribed', 'otherwise', 'as'],
    ...['contains', 'starts', 'ends', 'with', 'like', 'matches', 'has', 'does', 'have', 'role'],
    ...['every', 'one', 'of', 'routes', 'service', 'tagged', 'state', 'requiring', 'identity'],
    'then',
    ...['no', 'retry', 'cost', 'by', 'sunset', 'successor', 'during', 'outside', 'except'],
    ...['models', 'tokens', 'input', 'output', 'cached', 'reasoning'],
    'pattern',
  ],
} as const satisfies Partial<Record<TokenGroup, readonly string[]>>;

/** Words that begin a fact: `tenant.plan`. */
export const PATH_ROOTS = [
  ...['request', 'response', 'route', 'tenant', 'team', 'consumer', 'credential', 'model', 'usage', 'target'],
  ...['pool', 'key'],
  'it',
] as const;

/** Periods of the calendar; some are also units of time. */
export const PERIODS = ['day', 'week', 'month', 'quarter', 'year'] as const;

/**
 * Words that later versions of the language use: reserved now, so that no policy written today changes its meaning
 * then, and answered with "not in this version" (PT0106) wherever they stand.
 */
export const LATER_WORDS: ReadonlySet<string> = new Set([
  ...['convention', 'waiver', 'waivable', 'approval'],
  'counting',
  ...['targets', 'pools', 'may'],
]);

/** Words with a meaning in tests alone: everywhere else they are names like any other. */
export const TEST_WORDS = [
  ...['given', 'expect', 'sent', 'are', 'within', 'the', 'first', 'last', 'all'],
  ...['permitted', 'refused', 'warned', 'shadowed', 'alerted', 'enforced', 'shadow'],
  ...['roles', 'aged', 'used', 'time', 'ip', 'host', 'size', 'body'],
  ...['replies', 'reply', 'chunks', 'down', 'call', 'upstream'],
] as const;

/** Accepted in tests; elsewhere they belong to a later version. */
export const LATER_OUTSIDE_TESTS: ReadonlySet<string> = new Set(['retry', 'cost']);

/** What later versions add to tests: answered there with "not in this version". */
export const LATER_TEST_WORDS: ReadonlySet<string> = new Set([...['approvals', 'requester', 'opened']]);

/** With hints of how a token begins the lexer need not examine patterns when it starts. */
const DIGITS = charactersOf('0', '9');
const CAPITALS = charactersOf('A', 'Z');
const SMALL_LETTERS = charactersOf('a', 'z');

const URL_PATH = /\/[^\s{}"#]*/y;
const LETTERED = '(?![A-Za-z0-9_])';
const anyOf = (units: Readonly<Record<string, number>>): string =>
  Object.keys(units)
    .sort((a, b) => b.length - a.length)
    .join('|');

/** Category of everything that may begin a path: the roots, and plain names (which the checker then explains). */
export const PathHead = createToken({ name: 'PathHead', pattern: Lexer.NA, label: 'a fact' });
/** Every word, whatever its meaning elsewhere: names of declared attributes are words. */
export const AnyWord = createToken({ name: 'AnyWord', pattern: Lexer.NA, label: 'a word' });
export const Unit = createToken({ name: 'Unit', pattern: Lexer.NA, label: 'a unit' });
export const WeekdayWord = createToken({
  name: 'WeekdayWord',
  pattern: Lexer.NA,
  label: 'a day such as `mon`',
});
export const Period = createToken({ name: 'Period', pattern: Lexer.NA, label: 'a calendar period' });

export const Text = createToken({
  name: 'Text',
  pattern: /"(?:\\.|[^"\\\n])*"/,
  start_chars_hint: ['"'],
  label: 'a text in quotes',
});
export const BadText = createToken({
  name: 'BadText',
  pattern: /"(?:\\.|[^"\\\n])*/,
  start_chars_hint: ['"'],
});
export const DateLiteral = literal('DateLiteral', DATE_PATTERN + LETTERED, 'a date');
export const TimeLiteral = literal('TimeLiteral', TIME_PATTERN + LETTERED, 'a time');
export const MoneyLiteral = createToken({
  name: 'MoneyLiteral',
  pattern: new RegExp(`[$€£]${NUMBER_PATTERN}`),
  start_chars_hint: ['$', '€', '£'],
  label: 'an amount of money',
});
export const DurationLiteral = literal(
  'DurationLiteral',
  `${NUMBER_PATTERN}(?:${anyOf(DURATION_UNITS)})${LETTERED}`,
  'a length of time',
);
export const SizeLiteral = literal(
  'SizeLiteral',
  `${NUMBER_PATTERN}(?:${anyOf(SIZE_UNITS)})${LETTERED}`,
  'a size',
);
export const PercentLiteral = literal('PercentLiteral', `${NUMBER_PATTERN}%`, 'a share');
export const NumberLiteral = literal('NumberLiteral', `${NUMBER_PATTERN}${LETTERED}`, 'a number');
/** `5M`, `10k`, `1__000`, `1,000`: something that was meant as a number. */
export const BadNumber = literal('BadNumber', '\\d[A-Za-z0-9_]*(?:,\\d{3})*', 'a number');
export const ZoneName = createToken({
  name: 'ZoneName',
  start_chars_hint: CAPITALS,
  pattern: /(?:UTC|[A-Z][A-Za-z_]+(?:\/[A-Z][A-Za-z0-9_+-]+)+)(?![A-Za-z0-9_])/,
  label: 'a time zone',
});
/**
 * A member of a path with its dot: one token, so that `tenant.limit` needs no rule about keywords. Capitals, because
 * members of a body are named by its schema.
 */
export const Member = createToken({
  name: 'Member',
  pattern: /\.[A-Za-z][A-Za-z0-9_]*/,
  start_chars_hint: ['.'],
  label: 'a member',
});
/** A word in lower case; the lexer turns it into a keyword, a root, a reserved word or a {@link Name}. */
export const Word = createToken({
  name: 'Word',
  start_chars_hint: SMALL_LETTERS,
  pattern: /[a-z][a-z0-9_]*(?![A-Za-z0-9_]|-[A-Za-z0-9_])/,
});
export const Name = createToken({
  name: 'Name',
  pattern: Lexer.NA,
  categories: [PathHead, AnyWord],
  label: 'a defined name',
});
export const Later = createToken({ name: 'Later', pattern: Lexer.NA, categories: [PathHead, AnyWord] });
/** `route` before `to`: a rule. Everywhere else it begins a fact or a selector. */
export const RouteHead = createToken({
  name: 'RouteHead',
  pattern: Lexer.NA,
  categories: [AnyWord],
  label: '`route`',
});
/** `GET` before a path: a request of a test. */
export const Method = createToken({
  name: 'Method',
  start_chars_hint: CAPITALS,
  pattern: /[A-Z]+(?=[ \t]+\/)/,
  label: 'a method such as `GET`',
});
/** Behind a method: `/orders?page=2`. Elsewhere `/` begins no word. */
export const UrlPath = createToken({
  name: 'UrlPath',
  pattern: (text, offset, before) => (before.at(-1)?.tokenType === Method ? pathAt(text, offset) : null),
  start_chars_hint: ['/'],
  line_breaks: false,
  label: 'a path such as `/orders`',
});
/** Behind a number or `as`: `250 USD`. The one place where a word has capitals, besides time zones and methods. */
export const CurrencyCode = createToken({
  name: 'CurrencyCode',
  pattern: (text, offset, before) => {
    const last = before.at(-1);
    if (last?.tokenType !== NumberLiteral && last?.image !== 'as') return null;
    CURRENCY_TEXT.lastIndex = offset;
    return CURRENCY_TEXT.exec(text);
  },
  start_chars_hint: CAPITALS,
  line_breaks: false,
  label: 'a currency such as `USD`',
});
const CURRENCY_TEXT = /[A-Z]{3}(?![A-Za-z0-9_])/y;
/** `Forbid`, `on-call`, `_x`: whole, so that the message is about the word and not about one character. */
export const BadWord = createToken({
  name: 'BadWord',
  start_chars_hint: [...CAPITALS, ...SMALL_LETTERS, '_'],
  pattern: /[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*/,
});
/** What other languages write; see `FOREIGN_SIGNS` in the lexer. */
export const ForeignSign = createToken({
  name: 'ForeignSign',
  pattern: /==|!=|<>|&&|\|\||\/\/|!|;|'[A-Za-z0-9_.-]*'|'/,
  start_chars_hint: ['=', '!', '<', '&', '|', '/', ';', "'"],
});

export const Comment = createToken({
  name: 'Comment',
  pattern: /#[^\n]*/,
  start_chars_hint: ['#'],
  group: 'comments',
});
/**
 * A slash begins a regular expression only behind `matches` and `pattern`; everywhere else it divides. The lexer does not know keywords
 * yet, so the word is told by its text.
 */
export const Regex = createToken({
  name: 'Regex',
  pattern: (text, offset, matched) => {
    const before = matched.at(-1)?.image;
    if (before !== 'matches' && before !== 'pattern') return null;
    REGEX_TEXT.lastIndex = offset;
    return REGEX_TEXT.exec(text);
  },
  start_chars_hint: ['/'],
  line_breaks: false,
  label: 'a regular expression between slashes',
});
const REGEX_TEXT = /\/(?:\\.|[^/\\\n])+\//y;

export const Blank = createToken({
  name: 'Blank',
  pattern: /[ \t\r\n]+/,
  start_chars_hint: [' ', '\t', '\r', '\n'],
  group: Lexer.SKIPPED,
});

export const SIGN = {
  '{': sign('{'),
  '}': sign('}'),
  '(': sign('('),
  ')': sign(')'),
  '[': sign('['),
  ']': sign(']'),
  ',': sign(','),
  '=': sign('='),
  '+': sign('+'),
  '-': sign('-'),
  '*': sign('*'),
  '/': sign('/'),
  '..': sign('..'),
  '<=': sign('<='),
  '>=': sign('>='),
  '<': sign('<'),
  '>': sign('>'),
} as const;

type Groups = typeof KEYWORD_GROUPS;
export type Keyword =
  | Groups[keyof Groups][number]
  | (typeof PATH_ROOTS)[number]
  | (typeof PERIODS)[number]
  | Weekday;

const groupOf = new Map<string, TokenGroup>();
export const KEYWORD = Object.freeze(Object.fromEntries(keywordTokens())) as Readonly<
  Record<Keyword, TokenType>
>;
const TEST_WORD_TOKENS = TEST_WORDS.map((word): [string, TokenType] => {
  groupOf.set(word, 'test');
  return [
    word,
    createToken({
      name: word,
      pattern: Lexer.NA,
      categories: [Name, PathHead, AnyWord],
      label: `\`${word}\``,
    }),
  ];
});
export const TEST_WORD = Object.freeze(Object.fromEntries(TEST_WORD_TOKENS)) as Readonly<
  Record<(typeof TEST_WORDS)[number], TokenType>
>;
const UNIT_WORDS = Object.keys(SPELLED_DURATION_UNITS).filter((word) => !isPeriod(word));

/** Every word with a meaning of its own. */
export const WORDS: ReadonlyMap<string, TokenType> = new Map([
  ...Object.entries(KEYWORD),
  ...UNIT_WORDS.map((word): [string, TokenType] => [
    word,
    createToken({ name: word, pattern: Lexer.NA, categories: [Unit, AnyWord] }),
  ]),
  ...TEST_WORD_TOKENS,
  ...[...LATER_WORDS].map((word): [string, TokenType] => [word, Later]),
]);

/** What the lexer tries, in this order. */
export const LEXED_TOKENS: readonly TokenType[] = [
  ...[Blank, Comment, Word, Text, BadText, Member, Regex],
  ...[
    DateLiteral,
    TimeLiteral,
    MoneyLiteral,
    DurationLiteral,
    SizeLiteral,
    PercentLiteral,
    NumberLiteral,
    BadNumber,
  ],
  ...[UrlPath, CurrencyCode, ForeignSign, ...Object.values(SIGN), Method, ZoneName, BadWord],
];

/** What the parser knows. */
export const VOCABULARY: readonly TokenType[] = [
  ...LEXED_TOKENS.filter((type) => type !== Blank && type !== Comment),
  ...[PathHead, AnyWord, Unit, Period, WeekdayWord, Name, RouteHead],
  ...new Set(WORDS.values()),
];

/** Whether the token begins a declaration: all words of that group do, but for `holidays` behind `except`. */
export function beginsDeclaration(tokens: readonly IToken[], index: number): boolean {
  const type = tokens[index]!.tokenType;
  if (tokenGroup(type) !== 'declaration') return false;
  return type !== KEYWORD.holidays || tokens[index - 1]?.tokenType !== KEYWORD.except;
}

export function tokenGroup(type: TokenType): TokenGroup | null {
  return groupOf.get(type.name) ?? null;
}

function literal(name: string, pattern: string, label: string): TokenType {
  return createToken({ name, pattern: new RegExp(pattern), start_chars_hint: DIGITS, label });
}

function sign(image: string): TokenType {
  return createToken({ name: image, pattern: image, label: `\`${image}\`` });
}

function keywordTokens(): [string, TokenType][] {
  const groups = Object.entries(KEYWORD_GROUPS) as [TokenGroup, readonly string[]][];
  // `alert` begins rules and clauses: where it matters, the word behind it tells which
  for (const [group, words] of groups.toReversed()) for (const word of words) groupOf.set(word, group);
  groupOf.set(RouteHead.name, 'rule');
  const plain = groups.flatMap(([, words]) => words.map((word) => keyword(word, [])));
  const roots = PATH_ROOTS.map((word) => keyword(word, [PathHead]));
  const periods = PERIODS.map((word) =>
    keyword(word, word in SPELLED_DURATION_UNITS ? [Period, Unit] : [Period]),
  );
  const weekdays = WEEKDAYS.map((word) => keyword(word, [WeekdayWord]));
  return [...plain, ...roots, ...periods, ...weekdays];
}

function keyword(word: string, categories: TokenType[]): [string, TokenType] {
  return [
    word,
    createToken({
      name: word,
      pattern: Lexer.NA,
      categories: [...categories, AnyWord],
      label: `\`${word}\``,
    }),
  ];
}

/** Up to a blank, brace, quote or comment. */
function pathAt(text: string, offset: number): RegExpExecArray | null {
  URL_PATH.lastIndex = offset;
  return URL_PATH.exec(text);
}

function isPeriod(word: string): boolean {
  return (PERIODS as readonly string[]).includes(word);
}

function charactersOf(first: string, last: string): string[] {
  const start = first.charCodeAt(0);
  return Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, at) => String.fromCharCode(start + at));
}
