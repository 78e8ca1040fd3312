import type { CstNode } from 'chevrotain';
import type { Span } from '../../diagnostics/source.ts';
import type {
  AtLeastNode,
  ConditionNode,
  DatesNode,
  FallbackNode,
  KeyNode,
  NumberNode,
  ReplyNode,
  RuleNode,
  ShareNode,
  TemplateNode,
  TextNode,
} from '../ast.ts';
import { saidTwice } from '../problems/reading.ts';
import { clauseNotHere } from '../problems/rules.ts';
import { buildCondition, buildPath } from './conditions.ts';
import { buildDates } from './dates.ts';
import { buildDuration, buildMoney, buildNumber, buildPercent, numberToken } from './literals.ts';
import { childOf, childOrNull, childrenOf, has, nodeSpan, type Reader, tokenOf, tokensOf } from './reader.ts';
import { buildTemplate, buildText } from './texts.ts';

/** Everything that clauses can say of a rule; what a rule does not take is null. */
export interface ClauseNode {
  readonly share: ShareNode | null;
  readonly when: ConditionNode | null;
  readonly dates: DatesNode | null;
  readonly atLeast: AtLeastNode | null;
  readonly per: KeyNode | null;
  readonly status: NumberNode | null;
  readonly code: TextNode | null;
  readonly because: TemplateNode | null;
  readonly exceeded: ExceededNode;
  readonly maxKeys: NumberNode | null;
  readonly onFailure: 'refuse' | 'allow' | null;
  readonly was: TextNode | null;
  readonly overlap: NumberNode | null;
  readonly alertAt: readonly NumberNode[];
  readonly notify: TextNode | null;
}
/** What `when exceeded` says: where to go instead, to wait, and how to refuse. */
interface ExceededNode extends ReplyNode {
  readonly fallback: FallbackNode | null;
  readonly queue: NumberNode | null;
}
export type RuleClauses = ClauseNode & { readonly reply: ReplyNode };
export type ClauseName =
  | '10% of …'
  | 'when'
  | 'from'
  | 'when exceeded'
  | 'when exhausted'
  | 'for at least'
  | 'for each'
  | 'status'
  | 'code'
  | 'because'
  | 'max keys'
  | 'on failure'
  | 'was'
  | 'overlap'
  | 'alert at'
  | 'notify';

const LIMIT_CLAUSES: readonly ClauseName[] = [
  'for each',
  'from',
  'when',
  'when exceeded',
  'alert at',
  'max keys',
  'on failure',
  'was',
];
const BUDGET_CLAUSES: readonly ClauseName[] = LIMIT_CLAUSES.map((name) =>
  name === 'when exceeded' ? 'when exhausted' : name,
);
const REPLY_CLAUSES: readonly ClauseName[] = ['10% of …', 'from', 'when', 'status', 'code', 'because'];

/** Which clauses a rule takes; each at most once, in any order (the formatter puts them in this one). */
export const CLAUSES_OF: Readonly<Record<RuleNode['kind'], readonly ClauseName[]>> = {
  permit: ['10% of …', 'from', 'when'],
  forbid: REPLY_CLAUSES,
  require: REPLY_CLAUSES,
  warn: ['10% of …', 'from', 'when', 'code', 'because'],
  limit: LIMIT_CLAUSES,
  quota: LIMIT_CLAUSES,
  budget: BUDGET_CLAUSES,
  'set-header': ['from', 'when'],
  'remove-header': ['from', 'when'],
  cap: ['from', 'when'],
  default: ['from', 'when'],
  timeout: ['from', 'when'],
  cache: ['from', 'when'],
  'route-to': ['from', 'when'],
  mask: ['from', 'when'],
  deprecate: ['when'],
  alert: ['for at least', 'for each', 'from', 'because', 'max keys', 'notify'],
  rotate: ['overlap', 'from', 'notify'],
};

/** Reads the clauses of a rule; those it does not take and those said twice are reported. */
export function collectClauses(
  reader: Reader,
  rule: CstNode,
  kind: RuleNode['kind'],
  allowed: readonly ClauseName[],
): RuleClauses {
  const seen = new Map<ClauseName, Span>();
  const clauses = { ...NO_CLAUSES };
  for (const clause of childrenOf(rule, 'Clause')) {
    const { name, value } = readClause(reader, clause);
    const span = nodeSpan(reader, clause);
    const first = seen.get(name);
    if (!allowed.includes(name)) reader.report(clauseNotHere(span, kind, name, allowed));
    else if (first !== undefined) reader.report(saidTwice(span, name, first));
    else Object.assign(clauses, value);
    seen.set(name, first ?? span);
  }
  const { status, code, because } = clauses;
  return Object.assign(clauses, { reply: { status, code, because } });
}

const NO_REPLY: ReplyNode = { status: null, code: null, because: null };
const NO_CLAUSES: ClauseNode = {
  share: null,
  when: null,
  dates: null,
  atLeast: null,
  per: null,
  ...NO_REPLY,
  exceeded: { ...NO_REPLY, fallback: null, queue: null },
  maxKeys: null,
  onFailure: null,
  was: null,
  overlap: null,
  alertAt: [],
  notify: null,
};

interface ReadClause {
  readonly name: ClauseName;
  readonly value: Partial<ClauseNode>;
}

function readClause(reader: Reader, clause: CstNode): ReadClause {
  const [name] = Object.keys(clause.children) as [keyof typeof CLAUSES];
  return CLAUSES[name](reader, childOf(clause, name));
}

const CLAUSES = {
  Share: readShare,
  When: readWhen,
  Dates: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'from',
    value: { dates: buildDates(reader, node) },
  }),
  AtLeast: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'for at least',
    value: {
      atLeast: {
        amount: buildNumber(reader, numberToken(childOf(node, 'Requests'))),
        length: buildDuration(reader, childOf(node, 'Length')),
      },
    },
  }),
  Per: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'for each',
    value: { per: readKey(reader, node) },
  }),
  ReplyClause: readReplyClause,
  MaxKeys: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'max keys',
    value: { maxKeys: buildNumber(reader, numberToken(node)) },
  }),
  Was: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'was',
    value: { was: buildText(reader, tokenOf(node, 'Text')) },
  }),
  Overlap: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'overlap',
    value: { overlap: buildDuration(reader, childOf(node, 'Length')) },
  }),
  AlertAt: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'alert at',
    value: {
      alertAt: tokensOf(node, 'PercentLiteral').map((token) => buildPercent(reader, token)),
      notify: has(node, 'Notify') ? buildText(reader, tokenOf(childOf(node, 'Notify'), 'Text')) : null,
    },
  }),
  Notify: (reader: Reader, node: CstNode): ReadClause => ({
    name: 'notify',
    value: { notify: buildText(reader, tokenOf(node, 'Text')) },
  }),
  OnFailure: (_reader: Reader, node: CstNode): ReadClause => ({
    name: 'on failure',
    value: { onFailure: has(node, 'allow') ? 'allow' : 'refuse' },
  }),
};

function readShare(reader: Reader, node: CstNode): ReadClause {
  const of = SHARED.find((word) => has(node, word))!;
  const percent = buildPercent(reader, tokenOf(node, 'PercentLiteral'));
  return { name: '10% of …', value: { share: { percent, of, span: nodeSpan(reader, node) } } };
}
const SHARED = ['requests', 'consumers', 'tenants'] as const;

function readWhen(reader: Reader, node: CstNode): ReadClause {
  const exceeded = childOrNull(node, 'Exceeded');
  return exceeded === null
    ? { name: 'when', value: { when: buildCondition(reader, childOf(node, 'Condition')) } }
    : {
        name: has(exceeded, 'exhausted') ? 'when exhausted' : 'when exceeded',
        value: {
          exceeded: {
            ...readReply(reader, exceeded),
            fallback: readFallback(reader, exceeded),
            queue: readQueue(reader, exceeded),
          },
        },
      };
}

function readFallback(reader: Reader, exceeded: CstNode): FallbackNode | null {
  const fallback = childOrNull(exceeded, 'Fallback');
  if (fallback === null) return null;
  return {
    models: tokensOf(fallback, 'Text').map((token) => buildText(reader, token)),
    more: readMore(reader, fallback),
    span: nodeSpan(reader, fallback),
  };
}

function readMore(reader: Reader, fallback: CstNode): FallbackNode['more'] {
  const money = childOrNull(fallback, 'Money');
  if (money === null) return has(fallback, 'amount') ? 'any' : null;
  const { value, currency, span } = buildMoney(reader, money);
  return { amount: { value: Number(value), span }, currency };
}

function readQueue(reader: Reader, exceeded: CstNode): NumberNode | null {
  const queue = childOrNull(exceeded, 'Queue');
  return queue === null ? null : buildDuration(reader, childOf(queue, 'Length'));
}

function readReplyClause(reader: Reader, node: CstNode): ReadClause {
  if (has(node, 'status')) {
    return { name: 'status', value: { status: buildNumber(reader, numberToken(node)) } };
  }
  const token = tokenOf(node, 'Text');
  return has(node, 'code')
    ? { name: 'code', value: { code: buildText(reader, token) } }
    : { name: 'because', value: { because: buildTemplate(reader, token) } };
}

function readReply(reader: Reader, node: CstNode): ReplyNode {
  const seen = new Map<ClauseName, Span>();
  let reply = NO_REPLY;
  for (const clause of childrenOf(node, 'ReplyClause')) {
    const { name, value } = readReplyClause(reader, clause);
    const first = seen.get(name);
    if (first === undefined) {
      reply = { ...reply, ...value };
      seen.set(name, nodeSpan(reader, clause));
    } else reader.report(saidTwice(nodeSpan(reader, clause), name, first));
  }
  return reply;
}

function readKey(reader: Reader, node: CstNode): KeyNode {
  const list = childOrNull(node, 'KeyList');
  if (list === null) return { kind: 'total' };
  const paths = childrenOf(list, 'Path').map((path) => buildPath(reader, path));
  const otherwise = has(list, 'otherwise') ? (paths.pop() ?? null) : null;
  return { kind: 'each', paths, otherwise };
}
