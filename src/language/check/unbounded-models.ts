import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { OUTPUT_CAP } from '../../model/facts.ts';
import { dialectOf, type Model, type Models, unpricedKeys } from '../../model/pools.ts';
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
 * refused, and who wrote the limit hears of it before callers do. One problem for each rule; rules with a condition about the model know
 * what they do. `wallMs`: when prices have to be known.
 */
export function modelsWithoutBound(
  policies: readonly CheckedPolicy[],
  routes: ReadonlyMap<string, Route>,
  models: Models,
  wallMs: number,
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
    if (asksForModel(conditions)) return [];
    const reached = calls.filter((route) => canApply(conditions, route));
    const uncapped = reached.filter((route) => !caps.some((each) => canApply(each, route)));
    return problemOf(rule, models, { reached, uncapped, wallMs }) ?? [];
  });
}

function problemOf(rule: LimitRule, models: Models, { reached, uncapped, wallMs }: Reach): Diagnostic | null {
  const sorted = [...models.models.values()].sort((a, b) => compareCodePoints(a.name, b.name));
  if (rule.measure.kind === 'money') {
    const called = sorted.filter((model) => reached.some((route) => isOffered(models, model, route)));
    const unpriced = called.filter((model) => unpricedIn(model, models, wallMs).length > 0);
    const [first] = unpriced;
    if (first !== undefined)
      return unpricedModel(rule.span, first, partly(first, models, wallMs), unpriced.length - 1);
  }
  if (rule.measure.kind === 'input-tokens' || rule.measure.kind === 'cached-tokens') return null;
  const unbounded = sorted.filter(
    (model) =>
      model.outputTokensMax === null &&
      model.answerTokensMost === null &&
      uncapped.some((route) => CAPPED.has(route.ai!) && isOffered(models, model, route)),
  );
  const [first] = unbounded;
  return first === undefined ? null : unboundedModel(rule.span, first, unbounded.length - 1);
}

/** Of calls that a rule can apply to. */
interface Reach {
  readonly reached: readonly Route[];
  /** Those whose answers no rule bounds. */
  readonly uncapped: readonly Route[];
  readonly wallMs: number;
}

/** What callers of Anthropic's dialect always bound is not among them. */
const CAPPED: ReadonlySet<string> = new Set(['openai/chat', 'openai/responses', 'openai/completions']);

/** Pools of a model with a key whose price is not known: one of them is enough, as a budget reserves what the dearest key costs. */
function unpricedIn(model: Model, { pools }: Models, wallMs: number): readonly string[] {
  return model.pools.filter((name) => {
    const pool = pools.get(name);
    return pool !== undefined && unpricedKeys(model, pool, wallMs).length > 0;
  });
}

/** The pool that has to be told of, where others know the price; null: none does. */
function partly(model: Model, models: Models, wallMs: number): string | null {
  const unpriced = unpricedIn(model, models, wallMs);
  return unpriced.length < model.pools.length ? unpriced[0]! : null;
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
