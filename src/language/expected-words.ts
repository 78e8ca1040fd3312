import type { TokenType } from 'chevrotain';
import { KEYWORD_GROUPS, RouteHead } from './tokens.ts';

/** Sets of tokens that are named as a whole where all of them are possible. */
const BUNDLES: readonly { readonly names: readonly string[]; readonly words: readonly string[] }[] = [
  {
    names: [...KEYWORD_GROUPS.rule, RouteHead.name],
    words: [`a rule (${KEYWORD_GROUPS.rule.join(', ')}, route)`],
  },
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
      'exhausted',
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

/** What could have stood at a place, for a message. */
export function expectedInWords(expected: readonly TokenType[]): string[] {
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
