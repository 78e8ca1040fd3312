import type { CstNode } from 'chevrotain';
import { assert } from '../../base/assert.ts';
import type { LimitNode, NumberNode, RuleNode, TemplateNode, TextNode, WindowNode } from '../ast.ts';
import { saidTwice } from '../problems/reading.ts';
import { CLAUSES_OF, type ClauseNode, collectClauses, type RuleClauses } from './clauses.ts';
import { buildCondition, buildPath } from './conditions.ts';
import { buildDate, buildDuration, buildLiteral, buildMoney, buildNumber, numberToken } from './literals.ts';
import {
  childOf,
  childOrNull,
  childrenOf,
  has,
  nodeSpan,
  type Reader,
  spanOf,
  tokenOf,
  tokenOrNull,
  tokensOf,
} from './reader.ts';
import { buildTemplate, buildText } from './texts.ts';

/** One rule with its clauses: CST to AST. Null when it misses something without which it has no meaning. */
export function buildRule(reader: Reader, node: CstNode): RuleNode {
  const [form] = Object.keys(node.children) as [keyof typeof FORMS];
  const head = childOf(node, form);
  const { kind, build } = FORMS[form];
  const clauses = collectClauses(reader, node, kind, CLAUSES_OF[kind]);
  return build(reader, head, clauses, {
    name: NAMED.has(form) ? nameOf(reader, head) : null,
    share: clauses.share,
    when: clauses.when,
    dates: clauses.dates,
    span: nodeSpan(reader, node),
  });
}

type Base = {
  readonly name: TextNode | null;
  readonly share: ClauseNode['share'];
  readonly when: ClauseNode['when'];
  readonly dates: ClauseNode['dates'];
  readonly span: RuleNode['span'];
};
type Build = (reader: Reader, head: CstNode, clauses: RuleClauses, base: Base) => RuleNode;

const NAMED: ReadonlySet<string> = new Set([
  'Permit',
  'Forbid',
  'Require',
  'Warn',
  'Limit',
  'Quota',
  'Budget',
  'Alert',
]);

const FORMS = {
  Permit: { kind: 'permit', build: (_reader, _head, _clauses, base) => ({ kind: 'permit', ...base }) },
  Forbid: {
    kind: 'forbid',
    build: (_reader, _head, clauses, base) => ({ kind: 'forbid', ...base, reply: clauses.reply }),
  },
  Require: {
    kind: 'require',
    build: (reader, head, clauses, base) => ({
      kind: 'require',
      ...base,
      condition: buildCondition(reader, childOf(head, 'Condition')),
      reply: clauses.reply,
    }),
  },
  Warn: {
    kind: 'warn',
    build: (_reader, _head, clauses, base) => ({ kind: 'warn', ...base, reply: clauses.reply }),
  },
  Limit: { kind: 'limit', build: buildLimit },
  Quota: { kind: 'quota', build: buildQuota },
  Budget: { kind: 'budget', build: buildBudget },
  SetHeader: {
    kind: 'set-header',
    build: (reader, head, _clauses, base) =>
      buildHeader(reader, head, base, 'set-header', buildTemplate(reader, tokenOf(head, 'Text', 1))),
  },
  RemoveHeader: {
    kind: 'remove-header',
    build: (reader, head, _clauses, base) => buildHeader(reader, head, base, 'remove-header', null),
  },
  Cap: {
    kind: 'cap',
    build: (reader, head, _clauses, base) => ({ kind: 'cap', ...base, ...buildMember(reader, head) }),
  },
  Default: {
    kind: 'default',
    build: (reader, head, _clauses, base) => ({ kind: 'default', ...base, ...buildMember(reader, head) }),
  },
  Timeout: {
    kind: 'timeout',
    build: (reader, head, _clauses, base) => ({
      kind: 'timeout',
      ...base,
      total: buildDuration(reader, childOf(head, 'Length')),
    }),
  },
  Cache: {
    kind: 'cache',
    build: (reader, head, _clauses, base) => ({
      kind: 'cache',
      ...base,
      time: buildDuration(reader, childOf(head, 'Length')),
    }),
  },
  RouteTo: {
    kind: 'route-to',
    build: (reader, head, _clauses, base) => ({
      kind: 'route-to',
      ...base,
      pools: tokensOf(head, 'Text').map((token) => buildText(reader, token)),
    }),
  },
  Mask: { kind: 'mask', build: buildMask },
  Deprecate: { kind: 'deprecate', build: buildDeprecate },
  Alert: {
    kind: 'alert',
    build: (reader, head, { atLeast, per, because, maxKeys, notify }, base) => ({
      kind: 'alert',
      ...base,
      when: buildCondition(reader, childOf(head, 'Condition')),
      ...{ atLeast, per, because, maxKeys, notify },
    }),
  },
  Rotate: {
    kind: 'rotate',
    build: (reader, head, { overlap, notify }, base) => ({
      kind: 'rotate',
      ...base,
      pool: buildText(reader, tokenOf(head, 'Text')),
      every: buildDuration(reader, childOf(head, 'Length')),
      overlap,
      notify,
    }),
  },
} as const satisfies Record<string, { readonly kind: RuleNode['kind']; readonly build: Build }>;

function nameOf(reader: Reader, head: CstNode): TextNode | null {
  const token = tokenOrNull(head, 'Text');
  return token === null ? null : buildText(reader, token);
}

function buildLimit(reader: Reader, head: CstNode, clauses: RuleClauses, base: Base): RuleNode {
  const form = childOrNull(head, 'AtMost') ?? childOf(head, 'Pace');
  return {
    kind: 'limit',
    ...base,
    amount: amountOf(reader, form),
    counts: countedBy(form),
    currency: null,
    window: form.name === 'Pace' ? paceOf(reader, form) : atMostOf(reader, form),
    ...limitClauses(clauses),
  };
}

function buildQuota(reader: Reader, head: CstNode, clauses: RuleClauses, base: Base): RuleNode {
  return {
    kind: 'quota',
    ...base,
    amount: amountOf(reader, head),
    counts: countedBy(head),
    currency: null,
    window: calendarOf(reader, childOf(head, 'ByCalendar')),
    ...limitClauses(clauses),
  };
}

function buildBudget(reader: Reader, head: CstNode, clauses: RuleClauses, base: Base): RuleNode {
  const { value, currency, span } = buildMoney(reader, childOf(head, 'Money'));
  return {
    kind: 'budget',
    ...base,
    amount: { value: Number(value), span },
    counts: 'money',
    currency,
    window: calendarOf(reader, childOf(head, 'ByCalendar')),
    ...limitClauses(clauses),
  };
}

function buildDeprecate(reader: Reader, head: CstNode, _clauses: RuleClauses, base: Base): RuleNode {
  const successor = tokenOrNull(head, 'Text');
  return {
    kind: 'deprecate',
    ...base,
    from: buildDate(reader, tokenOf(head, 'DateLiteral')),
    sunset: buildDate(reader, tokenOf(head, 'DateLiteral', 1)),
    successor: successor === null ? null : buildText(reader, successor),
  };
}

function buildMask(reader: Reader, head: CstNode, _clauses: RuleClauses, base: Base): RuleNode {
  const asked = childrenOf(head, 'MaskKind');
  const text = tokenOrNull(head, 'Text');
  const [first, second] = childrenOf(head, 'Side');
  const sides = [first, second].flatMap((side) =>
    side === undefined ? [] : [has(side, 'request') ? ('request' as const) : ('response' as const)],
  );
  if (first !== undefined && second !== undefined && sides[0] === sides[1])
    reader.report(saidTwice(nodeSpan(reader, second), sides[0]!, nodeSpan(reader, first)));
  return {
    kind: 'mask',
    ...base,
    kinds: asked
      .flatMap((kind) => tokensOf(kind, 'Name'))
      .map((token) => ({
        value: token.image,
        span: spanOf(reader, token),
      })),
    patterns: asked
      .flatMap((kind) => tokensOf(kind, 'Regex'))
      .map((token) => ({
        value: token.image.slice(1, -1),
        span: spanOf(reader, token),
      })),
    sides,
    text: text === null ? null : buildText(reader, text),
  };
}

function buildHeader(
  reader: Reader,
  head: CstNode,
  base: Base,
  kind: 'set-header' | 'remove-header',
  value: TemplateNode | null,
): RuleNode {
  const side = has(childOf(head, 'Side'), 'request') ? 'request' : 'response';
  return { kind, ...base, header: buildText(reader, tokenOf(head, 'Text')), value, side };
}

function buildMember(reader: Reader, head: CstNode) {
  return {
    member: buildPath(reader, childOf(head, 'Path')),
    value: buildLiteral(reader, childOf(head, 'Literal')),
  };
}

function amountOf(reader: Reader, node: CstNode): NumberNode {
  return buildNumber(reader, numberToken(childOf(node, 'Amount')));
}

/** What an amount is of. */
function countedBy(node: CstNode): LimitNode['counts'] {
  const tokens = childOrNull(childOf(node, 'Amount'), 'Tokens');
  if (tokens === null) return 'requests';
  const part = TOKEN_PARTS.find((word) => has(tokens, word));
  return part === undefined ? 'tokens' : `${part}-tokens`;
}
const TOKEN_PARTS = ['input', 'output', 'cached', 'reasoning'] as const;

function atMostOf(reader: Reader, node: CstNode): WindowNode {
  const length = childOrNull(node, 'Length');
  return length === null
    ? { kind: 'concurrency' }
    : { kind: 'window', length: buildDuration(reader, length) };
}

function calendarOf(reader: Reader, node: CstNode): WindowNode {
  const period = tokenOf(node, 'Period').image;
  const zone = tokenOrNull(node, 'ZoneName');
  assert(isPeriod(period), `${period} is no period`);
  return {
    kind: 'calendar',
    period,
    zone: zone === null ? null : { value: zone.image, span: spanOf(reader, zone) },
  };
}

function paceOf(reader: Reader, node: CstNode): WindowNode {
  const burst = tokenOrNull(node, 'NumberLiteral');
  return {
    kind: 'pace',
    length: buildDuration(reader, childOf(node, 'Length')),
    burst: burst === null ? null : buildNumber(reader, burst),
  };
}

function limitClauses({ per, exceeded, maxKeys, onFailure, alertAt, notify, was }: RuleClauses) {
  const { fallback, queue, ...reply } = exceeded;
  return {
    per,
    fallback,
    queue,
    reply,
    maxKeys,
    onFailure: onFailure ?? 'refuse',
    alertAt,
    notify,
    was,
  } as const;
}

type Period = Extract<WindowNode, { kind: 'calendar' }>['period'];

function isPeriod(word: string): word is Period {
  return PERIOD_WORDS.has(word);
}
const PERIOD_WORDS: ReadonlySet<string> = new Set<Period>(['day', 'week', 'month', 'quarter', 'year']);
