import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { OUTPUT_CAP } from '../../model/facts.ts';
import { dialectOf, type Model, type Models } from '../../model/pools.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { Route } from '../../model/world.ts';
import { isLimitRule } from '../limit-rules.ts';
import { compareCodePoints } from '../order.ts';
import { unboundedModel, unpricedModel } from '../problems/fallbacks.ts';
import { staticValue } from '../static-value.ts';
import type { CheckedPolicy, CheckedRule, LimitRule, TypedExpression } from '../typed.ts';
import { asksForModel } from './fallbacks.ts';

/**
 * Models that limits of money or tokens never let pass, or only where callers bound their answers: what has no price or no bound is
 * refused, and who wrote the limit hears of it before callers do. One problem for each rule; rules that ask for the model know what they do.
 */
export function modelsWithoutBound(
  policies: readonly CheckedPolicy[],
  routes: ReadonlyMap<string, Route>,
  models: Models,
): readonly Diagnostic[] {
  const limits = policies.flatMap(({ scope, rules }) =>
    rules.filter(isEstimating).map((rule) => ({ rule, conditions: [scope, rule.when] })),
  );
  if (limits.length === 0 || models.models.size === 0) return [];
  const caps = policies.flatMap(({ scope, rules }) =>
    rules.filter(capsAnswers).map((rule) => [scope, rule.when]),
  );
  const calls = [...routes.values()].filter(sendsCalls).sort((a, b) => compareCodePoints(a.name, b.name));
  return limits.flatMap(({ rule, conditions }) => {
    if (asksForModel([rule.per, conditions])) return [];
    const reached = calls.filter((route) => canApply(conditions, route));
    const uncapped = reached.filter((route) => !caps.some((each) => canApply(each, route)));
    return problemOf(rule, models, reached, uncapped) ?? [];
  });
}

function problemOf(
  rule: LimitRule,
  models: Models,
  reached: readonly Route[],
  uncapped: readonly Route[],
): Diagnostic | null {
  const sorted = [...models.models.values()].sort((a, b) => compareCodePoints(a.name, b.name));
  const unpriced =
    rule.measure.kind === 'money'
      ? sorted.find((model) => !isPriced(model) && reached.some((route) => isOffered(models, model, route)))
      : undefined;
  if (unpriced !== undefined) return unpricedModel(rule.span, unpriced.name, unpriced.place);
  if (rule.measure.kind === 'input-tokens' || rule.measure.kind === 'cached-tokens') return null;
  const unbounded = sorted.find(
    (model) =>
      model.outputTokensMax === null &&
      model.answerTokensMost === null &&
      uncapped.some((route) => CAPPED.has(route.ai!) && isOffered(models, model, route)),
  );
  return unbounded === undefined ? null : unboundedModel(rule.span, unbounded.name, unbounded.place);
}

/** What callers of Anthropic's dialect always bound is not among them. */
const CAPPED: ReadonlySet<string> = new Set(['openai/chat', 'openai/responses', 'openai/completions']);

function isPriced({ price, datedPrices, poolPrices }: Model): boolean {
  return price !== null || datedPrices.length > 0 || poolPrices.length > 0;
}

function isOffered({ pools, providers }: Models, model: Model, { ai }: Route): boolean {
  return model.pools.some(
    (pool) => providers.get(pools.get(pool)?.provider ?? '')?.dialect === dialectOf(ai!),
  );
}

function isEstimating(rule: CheckedRule): rule is LimitRule {
  return isLimitRule(rule) && rule.measure.kind !== 'requests';
}

function capsAnswers(rule: CheckedRule): boolean {
  return (rule.kind === 'cap' || rule.kind === 'default') && rule.member.definition.path === OUTPUT_CAP;
}

function canApply(conditions: readonly (TypedExpression | null)[], route: Route): boolean {
  return conditions.every((condition) => condition === null || staticValue(condition, route) !== false);
}
