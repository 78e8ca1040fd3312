import { dialectOf } from '../../model/pools.ts';
import { sendsCalls } from '../../model/route-calls.ts';
import type { Route, World } from '../../model/world.ts';
import type { FallbackNode, LimitNode, TextNode } from '../ast.ts';
import { allowanceIdentity } from '../canonical.ts';
import { compareCodePoints } from '../order.ts';
import {
  allowanceOfNoMoney,
  endlessFallback,
  fallbackWithoutCalls,
  foreignModel,
  routeWithoutFallback,
} from '../problems/fallbacks.ts';
import { saidTwice } from '../problems/reading.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type { CounterKey, Fallback, FallbackCount, Measure, TypedExpression } from '../typed.ts';
import type { CheckContext } from './context.ts';
import type { Known } from './known.ts';
import { accountingAmount } from './literals.ts';
import { checkName } from './names.ts';

/** With the one that is asked for a call is tried with four (language-rules #6). */
const MODELS_MAX = 3;

/** What is known of the limit that it is said of. */
export interface FallingLimit {
  readonly measure: Measure;
  readonly per: CounterKey;
  readonly counterIdentity: string;
  /** Of the policy and of the rule. */
  readonly conditions: readonly (TypedExpression | null)[];
}

/** Whether other models are there, and the routes can ask for them. False: reported. */
export function areModels(context: CheckContext, { models, span }: FallbackNode, known: Known): boolean {
  const isThere = models.map(({ value, span }) => checkName(context, 'model', value, span));
  const isOnce = models.map((model, at) => isFirst(context, models, model, at));
  if (!isThere.every(Boolean) || !isOnce.every(Boolean)) return false;
  if (models.length > MODELS_MAX) {
    context.report(
      amountOutOfRange(models[MODELS_MAX]!.span, 'This list of models', `at most ${MODELS_MAX} long`),
    );
    return false;
  }
  if (known.followsMistake) return true;
  const routes = [...known.routes].sort((a, b) => compareCodePoints(a.name, b.name));
  const plain = routes.find(({ ai }) => ai === null);
  if (plain !== undefined) {
    context.report(fallbackWithoutCalls(span, plain.name, plain.place));
    return false;
  }
  // those that only ask which models there are have nothing to send elsewhere
  const calling = routes.filter(sendsCalls);
  const isOfferedOn = (route: Route) => (model: TextNode) =>
    isOffered(context.project.world, model.value, route);
  for (const model of models) {
    const [stranger] = calling;
    if (stranger === undefined || calling.some((route) => isOfferedOn(route)(model))) continue;
    context.report(foreignModel(model.span, model.value, stranger.name, stranger.place));
    return false;
  }
  const without = calling.filter((route) => !models.some(isOfferedOn(route)));
  if (without.length > 0) context.report(routeWithoutFallback(span, without));
  return true;
}

function isFirst(
  context: CheckContext,
  models: readonly TextNode[],
  { value, span }: TextNode,
  at: number,
): boolean {
  const first = models.findIndex((model) => model.value === value);
  if (first === at) return true;
  context.report(saidTwice(span, `model "${value}"`, models[first]!.span));
  return false;
}

/** By the API of the route: one of its pools speaks that. */
function isOffered({ models }: World, name: string, { ai }: Route): boolean {
  const pools = models.models.get(name)!.pools.map((pool) => models.pools.get(pool)!);
  return pools.some(({ provider }) => models.providers.get(provider)?.dialect === dialectOf(ai!));
}

/** What the limit allows more, in nano-units of the accounting currency. Null: reported. */
export function checkMore(
  context: CheckContext,
  { more }: FallbackNode,
  { counts }: LimitNode,
): { readonly amount: number } | 'any' | 'unsaid' | null {
  if (more === null) return 'unsaid';
  if (more === 'any') return more;
  const { amount, currency } = more;
  if (counts !== 'money') {
    context.report(allowanceOfNoMoney(amount.span));
    return null;
  }
  const value = accountingAmount(context, amount.value, currency, amount.span);
  if (value === null) return null;
  if (Number.isSafeInteger(value) && value >= 1) return { amount: value };
  context.report(amountOutOfRange(amount.span, 'This amount', 'a whole number from 1 to 2^53'));
  return null;
}

export function fallbackOf(
  context: CheckContext,
  { models, span }: FallbackNode,
  more: { readonly amount: number } | 'any' | 'unsaid',
  limit: FallingLimit,
): Fallback {
  if (more === 'unsaid' && !tellsModelsApart(limit)) context.report(endlessFallback(span, models[0]!.value));
  return { models: models.map(({ value }) => value), counted: countOf(more, limit) };
}

function countOf(
  more: { readonly amount: number } | 'any' | 'unsaid',
  { counterIdentity }: FallingLimit,
): FallbackCount {
  if (more === 'unsaid') return { kind: 'again' };
  if (more === 'any') return { kind: 'nowhere' };
  return {
    kind: 'allowance',
    amount: more.amount,
    counterIdentity: allowanceIdentity(counterIdentity),
  };
}

/** Whether a call to another model can have room where one to the model before had none. Money is: models have prices. */
function tellsModelsApart({ measure, per, conditions }: FallingLimit): boolean {
  return measure.kind === 'money' || [per, ...conditions].some(asksForModel);
}

/** Whether a part of it is the model of the call. */
export function asksForModel(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('definition' in node) return (node.definition as { readonly path: string }).path === 'model';
  return Object.entries(node).some(([name, part]) => name !== 'span' && asksForModel(part));
}
