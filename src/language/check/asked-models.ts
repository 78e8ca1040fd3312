import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { Route } from '../../model/world.ts';
import { isLimitRule } from '../limit-rules.ts';
import { compareCodePoints } from '../order.ts';
import { modelAsWritten } from '../problems/fallbacks.ts';
import { staticValue } from '../static-value.ts';
import type { CheckedPolicy, CheckedRule, TypedExpression } from '../typed.ts';

/**
 * Rules that decide by the model that a caller wrote, on routes whose limits send calls to others: they would be passed by whoever
 * writes another one (language-rules #5).
 */
export function modelsAsWritten(
  policies: readonly CheckedPolicy[],
  routes: ReadonlyMap<string, Route>,
): readonly Diagnostic[] {
  const limits = policies.flatMap((policy) => fallbacksOf(policy));
  if (limits.length === 0) return [];
  const calls = [...routes.values()]
    .filter(sendsCalls)
    .sort((a, b) => compareCodePoints(a.name, b.name))
    .map((route) => ({ route, limit: limits.find((limit) => canApply(limit.conditions, route)) }));
  return policies.flatMap((policy) =>
    readers(policy).flatMap(({ span, conditions }) => {
      const found = calls.find(({ route, limit }) => limit !== undefined && canApply(conditions, route));
      return found === undefined ? [] : [modelAsWritten(span, found.limit!.model, found.limit!.span)];
    }),
  );
}

interface NamingLimit {
  readonly model: string;
  readonly span: Span;
  readonly conditions: readonly (TypedExpression | null)[];
}

function fallbacksOf({ scope, rules }: CheckedPolicy): readonly NamingLimit[] {
  return rules.flatMap((rule) =>
    isLimitRule(rule) && rule.fallback !== null
      ? [{ model: rule.fallback.models[0]!, span: rule.span, conditions: [scope, rule.when] }]
      : [],
  );
}

/** Where a policy decides by the model that callers wrote. */
function readers({ scope, rules }: CheckedPolicy) {
  const deciding = rules.filter(({ kind }) => DECIDING.has(kind));
  return [
    ...(deciding.length === 0 ? [] : spansIn([scope]).map((span) => ({ span, conditions: [scope] }))),
    ...deciding.flatMap((rule) =>
      spansIn(decidedBy(rule)).map((span) => ({ span, conditions: [scope, rule.when] })),
    ),
  ];
}

const DECIDING: ReadonlySet<CheckedRule['kind']> = new Set([
  ...(['permit', 'forbid', 'require', 'filter', 'warn', 'limit', 'quota', 'budget'] as const),
]);

/** Texts decide nothing: a message may say what the caller wrote. */
function decidedBy(rule: CheckedRule): readonly unknown[] {
  if (rule.kind === 'filter') return [rule.written];
  return [rule.when, rule.kind === 'require' ? rule.condition : null, isLimitRule(rule) ? rule.per : null];
}

function canApply(conditions: readonly (TypedExpression | null)[], route: Route): boolean {
  return conditions.every((condition) => condition === null || staticValue(condition, route) !== false);
}

function spansIn(nodes: readonly unknown[]): Span[] {
  return nodes.flatMap((node) => {
    if (typeof node !== 'object' || node === null) return [];
    if (Array.isArray(node)) return spansIn(node);
    if ('definition' in node)
      return (node.definition as { readonly path: string }).path === 'request.model'
        ? [(node as unknown as { readonly span: Span }).span]
        : [];
    return spansIn(Object.entries(node).flatMap(([name, part]) => (name === 'span' ? [] : [part])));
  });
}
