import type { TokenType } from 'chevrotain';
import {
  BadNumber,
  BadText,
  BadWord,
  Comment,
  DateLiteral,
  DurationLiteral,
  ForeignSign,
  KEYWORD_GROUPS,
  LATER_WORDS,
  Member,
  Method,
  MoneyLiteral,
  NumberLiteral,
  PATH_ROOTS,
  PERIODS,
  PercentLiteral,
  SIGN,
  SizeLiteral,
  TEST_WORDS,
  Text,
  TimeLiteral,
  Word,
  ZoneName,
} from '../../src/language/tokens.ts';
import { SPELLED_DURATION_UNITS } from '../../src/model/literals.ts';
import { WEEKDAYS } from '../../src/model/local-time.ts';

/**
 * The grammar for editors, made from the lexer's own tables and patterns in the lexer's own order, so that no keyword can
 * be missing. Scopes follow the naming conventions of TextMate (macromates.com, "Language Grammars").
 */

const CONSTANTS = ['true', 'false'] as const;
const OPERATORS = ['and', 'or', 'not', 'is', 'contains', 'like', 'has', 'otherwise', 'matches'] as const;

/** The scope of each word, without its end `.portunus`. */
const WORD_SCOPES: readonly (readonly [scope: string, words: readonly string[]])[] = [
  ['constant.language.boolean', CONSTANTS],
  ['keyword.operator.word', OPERATORS],
  ['storage.type.declaration', KEYWORD_GROUPS.declaration],
  ['keyword.other.header', KEYWORD_GROUPS.header],
  ['keyword.control.rule', KEYWORD_GROUPS.rule],
  ['keyword.control.clause', KEYWORD_GROUPS.clause],
  ['keyword.other.word', KEYWORD_GROUPS.word],
  ['support.variable.fact', PATH_ROOTS],
  ['keyword.other.unit', [...PERIODS, ...Object.keys(SPELLED_DURATION_UNITS)]],
  ['constant.language.weekday', WEEKDAYS],
  ['invalid.deprecated.later', [...LATER_WORDS]],
];
const TEST_SCOPE = 'keyword.other.test';

/** The scope of every token that is no word, in the order in which the lexer tries them. */
const TOKEN_SCOPES: readonly (readonly [scope: string, type: TokenType])[] = [
  ['invalid.illegal.unclosed', BadText],
  ['variable.other.member', Member],
  ['constant.numeric.date', DateLiteral],
  ['constant.numeric.time', TimeLiteral],
  ['constant.numeric.money', MoneyLiteral],
  ['constant.numeric.duration', DurationLiteral],
  ['constant.numeric.size', SizeLiteral],
  ['constant.numeric.percent', PercentLiteral],
  ['constant.numeric.number', NumberLiteral],
  ['invalid.illegal.number', BadNumber],
  ['invalid.illegal.sign', ForeignSign],
  ['punctuation.section.block', SIGN['{']],
  ['punctuation.section.block', SIGN['}']],
  ['punctuation.section.parens', SIGN['(']],
  ['punctuation.section.parens', SIGN[')']],
  ['punctuation.section.brackets', SIGN['[']],
  ['punctuation.section.brackets', SIGN[']']],
  ['punctuation.separator.comma', SIGN[',']],
  ['punctuation.separator.range', SIGN['..']],
  ['keyword.operator.arithmetic', SIGN['+']],
  ['keyword.operator.arithmetic', SIGN['-']],
  ['keyword.operator.arithmetic', SIGN['*']],
  ['keyword.operator.arithmetic', SIGN['/']],
  ['keyword.operator.comparison', SIGN['<=']],
  ['keyword.operator.comparison', SIGN['>=']],
  ['keyword.operator.comparison', SIGN['<']],
  ['keyword.operator.comparison', SIGN['>']],
  ['keyword.operator.assignment', SIGN['=']],
  ['constant.other.timezone', ZoneName],
  ['invalid.illegal.word', BadWord],
];
const NAME_SCOPE = 'variable.other.name';

/** Nothing of a longer word, a hyphened one included: as the lexer's words end. */
const WORD_END = '(?![A-Za-z0-9_]|-[A-Za-z0-9_])';
const anyOf = (words: readonly string[]): string => `(?:${words.join('|')})${WORD_END}`;
const scoped = (scope: string): string => `${scope}.portunus`;
const rule = (scope: string, match: string) => ({ name: scoped(scope), match });

/** `grammar/portunus.tmLanguage.json`. */
export function textMateGrammar(): string {
  const grammar = {
    $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
    name: 'Portunus policy',
    scopeName: 'source.portunus',
    fileTypes: ['policy'],
    patterns: [{ include: '#test' }, { include: '#common' }],
    repository: {
      common: {
        patterns: ['#comment', '#regex', '#template', '#words', '#text', '#tokens'].map((include) => ({
          include,
        })),
      },
      test: testBlock(),
      comment: rule('comment.line.number-sign', patternOf(Comment)),
      regex: behind(['matches', 'pattern'], '', [rule('string.regexp', '/(?:\\\\.|[^/\\\\\\n])+/')], '/'),
      template: behind(['because', 'to'], '', [textRule([ESCAPE, HOLE])], '"'),
      words: { patterns: [...WORD_SCOPES.map(([scope, words]) => rule(scope, anyOf(words)))] },
      name: rule(NAME_SCOPE, patternOf(Word)),
      text: textRule([ESCAPE]),
      tokens: {
        patterns: [
          { include: '#name' },
          rule('constant.other.currency', '(?!UTC)[A-Z]{3}(?![A-Za-z0-9_/-])'),
          ...TOKEN_SCOPES.map(([scope, type]) => rule(scope, patternOf(type))),
        ],
      },
    },
  };
  return `${JSON.stringify(grammar, null, 2)}\n`;
}

const ESCAPE = { name: scoped('constant.character.escape'), match: '\\\\(?:u\\{[0-9A-Fa-f]*\\}|.)' };
/** A fact in a text: `{tenant.name}`. */
const HOLE = {
  name: scoped('meta.interpolation'),
  match: '(\\{)((?:[^}\\\\"]|\\\\.)*)(\\})',
  captures: {
    1: { name: scoped('punctuation.section.interpolation.begin') },
    2: { name: scoped('variable.other.hole') },
    3: { name: scoped('punctuation.section.interpolation.end') },
  },
};

function textRule(inner: readonly object[]) {
  return {
    name: scoped('string.quoted.double'),
    match: patternOf(Text),
    captures: { 0: { patterns: inner } },
  };
}

/** What may stand behind these words alone; a comment and line ends may come between. */
function behind(words: readonly string[], scope: string, patterns: readonly object[], starts: string) {
  return {
    begin: anyOf(words),
    beginCaptures: { 0: scope === '' ? { patterns: [{ include: '#words' }] } : { name: scope } },
    end: `(?=[^\\s#${starts}])`,
    patterns: [{ include: '#comment' }, ...patterns],
  };
}

/** Words that only tests have are names elsewhere. Texts of tests have no holes. */
function testBlock() {
  return {
    begin: anyOf(['test']),
    beginCaptures: { 0: { patterns: [{ include: '#words' }] } },
    end: '\\}',
    endCaptures: { 0: { name: scoped('punctuation.section.block') } },
    patterns: [
      {
        match: `(${patternOf(Method)})[ \\t]+(/[^\\s{}"#]*)`,
        captures: {
          1: { name: scoped('support.constant.method') },
          2: { name: scoped('string.unquoted.path') },
        },
      },
      rule(TEST_SCOPE, anyOf(TEST_WORDS)),
      ...['#comment', '#regex', '#words', '#text', '#tokens'].map((include) => ({ include })),
    ],
  };
}

function patternOf(type: TokenType): string {
  const { PATTERN } = type;
  return PATTERN instanceof RegExp ? PATTERN.source : String(PATTERN).replaceAll(/[{}()[\].+*]/g, '\\$&');
}

/** `grammar/language-configuration.json`: brackets, comments and indentation for VS Code. */
export function languageConfiguration(): string {
  const brackets = [
    ['{', '}'],
    ['[', ']'],
    ['(', ')'],
  ];
  const configuration = {
    comments: { lineComment: '#' },
    brackets,
    autoClosingPairs: [
      ...brackets.map(([open, close]) => ({ open, close, notIn: ['string', 'comment'] })),
      { open: '"', close: '"', notIn: ['string', 'comment'] },
    ],
    surroundingPairs: [...brackets, ['"', '"']],
    wordPattern: '[A-Za-z_][A-Za-z0-9_]*|\\d[\\d_.:-]*',
    indentationRules: {
      increaseIndentPattern: '^[^#"]*[{\\[(]\\s*(?:#.*)?$',
      decreaseIndentPattern: '^\\s*[}\\])]',
    },
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
