import type { Span } from '../../diagnostics/source.ts';
import type { AlertNode, DatesNode, NumberNode, RotateNode, RuleNode } from '../ast.ts';
import { canonicalPoolRule } from '../canonical.ts';
import { overlapTooLong, poolsBeyondAuthority, requestClause } from '../problems/pools.ts';
import { noEffect } from '../problems/rules.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type {
  FactExpression,
  PoolAlertRule,
  PoolRule,
  RotationRule,
  TextTemplate,
  TypedExpression,
} from '../typed.ts';
import { withinAuthority } from './authorities.ts';
import { calendarsIn } from './calendars.ts';
import { checkCondition } from './conditions.ts';
import type { CheckContext } from './context.ts';
import { both, inForce } from './dates.ts';
import { Known } from './known.ts';
import { isDelivery } from './limits.ts';
import { POOL_ROOTS } from './operands.ts';
import type { RouteIndex } from './route-index.ts';
import { isPool } from './route-to.ts';
import { checkTemplate } from './templates.ts';

type Unfinished<Rule> = Omit<Rule, 'key' | 'span'>;

export type PoolRuleNode = AlertNode | RotateNode;

/** Whether a rule is about pools and keys, and no request is judged by it: an alert is, by what it asks. */
export function isAboutPools(node: RuleNode): node is PoolRuleNode {
  return node.kind === 'rotate' || (node.kind === 'alert' && asksPools(node.when));
}

function asksPools(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(asksPools);
  if ('kind' in node && node.kind === 'path') {
    const [root = ''] = String((node as unknown as { readonly path: unknown }).path).split('.', 1);
    return POOL_ROOTS.has(root);
  }
  return Object.entries(node).some(([name, part]) => name !== 'span' && asksPools(part));
}

/**
 * A rule about pools, resolved and typed; null means that problems were reported. What its policy applies to has no part in it, as
 * that is about requests; when the policy is in force has.
 */
export function checkPoolRule(
  inPolicy: CheckContext,
  node: PoolRuleNode,
  effective: DatesNode | null,
  index: RouteIndex,
): PoolRule | null {
  const { authority, project } = inPolicy;
  if (withinAuthority(project, authority, node.span) !== null) {
    inPolicy.report(poolsBeyondAuthority(node.span, authority.folder));
    return null;
  }
  if (node.kind === 'alert' && project.world.models.pools.size === 0)
    inPolicy.report(noEffect(node.span, 'the project has no pools'));
  const context: CheckContext = { ...inPolicy, pools: 'known' };
  const dates = both(inForce(context, effective), inForce(context, node.dates));
  const rule =
    node.kind === 'rotate'
      ? checkRotation(context, node, dates)
      : checkPoolAlert(context, node, dates, index);
  if (rule === null) return null;
  const complete = { ...rule, span: node.span };
  return { ...complete, key: complete.name ?? canonicalPoolRule(complete) };
}

function checkPoolAlert(
  context: CheckContext,
  node: AlertNode,
  dates: TypedExpression | null,
  index: RouteIndex,
): Unfinished<PoolAlertRule> | null {
  const known = Known.of(index.all, context.project.ofEveryTeam, () => {
    context.asked.otherRoutes = true;
  });
  const condition = checkCondition(context, known, node.when, 'rule');
  const isCounted = reportCounting(context, node);
  const notified = node.notify === null || isDelivery(context, node.notify);
  const because = node.because === null ? null : textOf(context, node, condition, known);
  if (condition === null || isCounted || !notified || because === 'unreadable') return null;
  return {
    kind: 'pool-alert',
    name: node.name?.value ?? null,
    of: asksKeys(condition) || (because !== null && asksKeys(because)) ? 'key' : 'pool',
    when: both(dates, condition) ?? condition,
    because,
    notify: node.notify?.value ?? null,
  };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EVERY_MS = { least: HOUR_MS, most: 3_650 * DAY_MS };
const OVERLAP_MS_MAX = 90 * DAY_MS;

function checkRotation(
  context: CheckContext,
  { pool, every, overlap, notify }: RotateNode,
  when: TypedExpression | null,
): Unfinished<RotationRule> | null {
  const exists = isPool(context, pool);
  const isLong = every.value >= EVERY_MS.least && every.value <= EVERY_MS.most;
  if (!isLong)
    context.report(amountOutOfRange(every.span, 'This length of time', 'a time from 1h to 3_650 days'));
  const fits = overlap === null || isOverlap(context, overlap, isLong ? every.value : EVERY_MS.most);
  const notified = notify === null || isDelivery(context, notify);
  if (!exists || !isLong || !fits || !notified) return null;
  return {
    kind: 'rotation',
    name: null,
    pool: pool.value,
    everyMs: every.value,
    overlapMs: overlap?.value ?? null,
    when,
    notify: notify?.value ?? null,
  };
}

/** A former secret has to be gone before the next one falls due. */
function isOverlap({ report }: CheckContext, { value, span }: NumberNode, everyMs: number): boolean {
  if (value > OVERLAP_MS_MAX) report(amountOutOfRange(span, 'This length of time', 'a time up to 90 days'));
  else if (value >= everyMs) report(overlapTooLong(span));
  else return true;
  return false;
}

/** Clauses that count requests; reported. */
function reportCounting(context: CheckContext, { atLeast, per, maxKeys, when }: AlertNode): boolean {
  const of = asksKeys(when) ? 'key' : 'pool';
  const clauses: readonly (readonly [clause: string, span: Span | null])[] = [
    ['for at least', atLeast?.amount.span ?? null],
    ['for each', per === null ? null : (spanOfKey(per) ?? when.span)],
    ['max keys', maxKeys?.span ?? null],
  ];
  const written = clauses.filter(([, span]) => span !== null);
  for (const [clause, span] of written) context.report(requestClause(span!, clause, of));
  return written.length > 0;
}

function spanOfKey(per: NonNullable<AlertNode['per']>): Span | null {
  return per.kind === 'each' ? (per.paths[0]?.span ?? null) : null;
}

function textOf(
  context: CheckContext,
  { because }: AlertNode,
  condition: TypedExpression | null,
  known: Known,
): TextTemplate | 'unreadable' | null {
  if (because === null) return null;
  const calendars = condition === null ? 'unclear' : calendarsIn([condition]);
  return (
    checkTemplate(context, because, { reader: 'operator', limit: null, known, calendars }) ?? 'unreadable'
  );
}

/** Whether a node, checked or not, names a fact of keys. */
function asksKeys(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(asksKeys);
  if (isKeyFact(node)) return true;
  return Object.entries(node).some(([name, part]) => name !== 'span' && asksKeys(part));
}

function isKeyFact(node: object): boolean {
  if (!('kind' in node)) return false;
  const path =
    node.kind === 'fact'
      ? (node as FactExpression).definition.path
      : node.kind === 'path'
        ? String((node as unknown as { readonly path: unknown }).path)
        : '';
  return path === 'key' || path.startsWith('key.');
}
