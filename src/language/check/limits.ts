import { LIMITS } from '../../base/limits.ts';
import { meant } from '../../diagnostics/suggest.ts';
import { isTimeZone } from '../../model/local-time.ts';
import { moneyText } from '../../model/money.ts';
import type { Route } from '../../model/world.ts';
import type { KeyNode, LimitNode, NumberNode, PathNode, TextNode } from '../ast.ts';
import { counterIdentity } from '../canonical.ts';
import { compareCodePoints } from '../order.ts';
import { unknownName, unknownZone } from '../problems/names.ts';
import {
  budgetBelowCost,
  noCounterKey,
  notAKey,
  routeWithoutCost,
  tokensAtOnce,
  tokensWithoutCalls,
} from '../problems/rules.ts';
import { amountOutOfRange, keyMayBeMissing } from '../problems/types.ts';
import { nearestTimeZone } from '../time-zones.ts';
import type { CounterKey, FactExpression, LimitRule, LimitWindow, Measure } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { areModels, checkMore, fallbackOf } from './fallbacks.ts';
import { factText, type Known } from './known.ts';
import { accountingAmount } from './literals.ts';
import { resolveFact, whyMissing } from './operands.ts';
import { checkReply } from './replies.ts';
import type { RuleHead, RulePlace } from './rules.ts';
import { builtInFact } from './selectors.ts';
import { isOfChosen, targetKey } from './target-limits.ts';
import { NO_CALENDARS } from './templates.ts';
import { inWords } from './type-names.ts';

/** Limits, quotas and budgets: amounts, windows, counter keys. Null means that problems were reported. */
export function checkLimit(
  context: CheckContext,
  written: LimitNode,
  { policy, scope, known }: RulePlace,
  head: RuleHead,
): Omit<LimitRule, 'key' | 'span'> | null {
  const amount = accountingAmount(context, written.amount.value, written.currency, written.amount.span);
  const node = amount === null ? written : { ...written, amount: { ...written.amount, value: amount } };
  const counted = checkMeasure(context, known, node);
  const measure = amount === null ? null : counted;
  const window = checkWindow(context, node);
  const per = checkKey(context, known, node);
  const fits = node.fallback === null || areModels(context, node.fallback, known);
  const more = node.fallback === null ? 'unsaid' : checkMore(context, node.fallback, node);
  const waits = node.queue === null || isQueueTime(context, node.queue);
  const reply = checkReply(context, node.reply, {
    reader: 'caller',
    limit: per ?? UNKNOWN_KEY,
    calendars: NO_CALENDARS,
    known,
  });
  const alertAt = checkThresholds(context, node);
  const notified = node.notify === null || isDelivery(context, node.notify);
  const maxKeys = node.maxKeys === null || isMaxKeys(context, node.maxKeys);
  if (measure === null || window === null || per === null || !isOfChosen(context, known, node, per))
    return null;
  if (!waits || !fits || more === null || reply === null || alertAt === null || !notified || !maxKeys)
    return null;
  const identity = counterIdentity(policy, { name: head.name, measure, window, per });
  const falling = { measure, per, counterIdentity: identity, conditions: [scope, head.when] };
  return {
    kind: node.kind,
    ...head,
    measure,
    window,
    per,
    queueMs: node.queue?.value ?? null,
    fallback: node.fallback === null ? null : fallbackOf(context, node.fallback, more, falling),
    reply,
    onFailure: node.onFailure,
    alertAt,
    notify: node.notify?.value ?? null,
    maxKeys: node.maxKeys?.value ?? null,
    counterIdentity: identity,
    formerIdentity:
      node.was === null ? null : counterIdentity(policy, { name: node.was.value, measure, window, per }),
  };
}

/** A budget counts what its routes cost, so each of them has to say it: a missing price would be spent without end. */
function checkMeasure(context: CheckContext, known: Known, node: LimitNode): Measure | null {
  if (node.counts === 'requests') return { kind: 'requests' };
  if (node.counts !== 'money') return areCalls(context, known, node) ? { kind: node.counts } : null;
  const cost = builtInFact(context, 'route.cost', node.span);
  if (!known.followsMistake && !arePriced(context, known.routes, node)) return null;
  return { kind: 'money', cost, currency: context.project.world.currency };
}

/** Tokens are counted of calls to models, in windows: how many are under way at once nobody knows. */
function areCalls(context: CheckContext, known: Known, { span, window }: LimitNode): boolean {
  if (window.kind === 'concurrency') {
    context.report(tokensAtOnce(span));
    return false;
  }
  const [other] = known.followsMistake
    ? []
    : known.routes.filter(({ ai }) => ai === null).sort((a, b) => compareCodePoints(a.name, b.name));
  if (other !== undefined) context.report(tokensWithoutCalls(span, other.name, other.place));
  return other === undefined;
}

/** Of calls to models the price of the model is known, or the budget refuses them. */
function arePriced(context: CheckContext, routes: readonly Route[], { span, amount }: LimitNode): boolean {
  const [unpriced] = routes
    .filter(({ cost, ai }) => cost === null && ai === null)
    .sort((a, b) => compareCodePoints(a.name, b.name));
  if (unpriced !== undefined) {
    context.report(routeWithoutCost(span, unpriced.name, unpriced.place));
    return false;
  }
  const least = Math.min(...routes.map(({ cost }) => cost?.atMost ?? 0));
  if (routes.length > 0 && least > amount.value)
    context.report(budgetBelowCost(amount.span, moneyText(least, context.project.world.currency)));
  return true;
}

/** Stands for a key that could not be checked, so that the reply is not blamed for it. */
const UNKNOWN_KEY: CounterKey = { kind: 'each', keys: [], otherwise: null };

function checkWindow(context: CheckContext, { amount, window }: LimitNode): LimitWindow | null {
  const amountFits = isAmount(context, amount, 'This amount');
  switch (window.kind) {
    case 'concurrency':
      return amountFits ? { kind: 'concurrency', amount: amount.value } : null;
    case 'window':
      return isLength(context, window.length) && amountFits
        ? { kind: 'window', amount: amount.value, windowMs: window.length.value }
        : null;
    case 'pace': {
      const lengthFits = isLength(context, window.length);
      const burstFits = window.burst === null || isAmount(context, window.burst, 'This burst');
      const burst = window.burst?.value ?? amount.value;
      return lengthFits && burstFits && amountFits
        ? { kind: 'pace', amount: amount.value, periodMs: window.length.value, burst }
        : null;
    }
    case 'calendar': {
      const zone = window.zone?.value ?? context.zone;
      const zoneFits = window.zone === null || isTimeZone(zone);
      if (!zoneFits) context.report(unknownZone(window.zone!.span, zone, nearestTimeZone(zone)));
      return zoneFits && amountFits
        ? { kind: 'calendar', amount: amount.value, period: window.period, zone }
        : null;
    }
  }
}

export function isAmount(context: CheckContext, { value, span }: NumberNode, what: string): boolean {
  if (Number.isSafeInteger(value) && value >= 1) return true;
  context.report(amountOutOfRange(span, what, 'a whole number from 1 to 2^53'));
  return false;
}

function isLength(context: CheckContext, { value, span }: NumberNode): boolean {
  if (value >= 1) return true;
  context.report(amountOutOfRange(span, 'This length of time', 'at least 1ms'));
  return false;
}

function isQueueTime(context: CheckContext, { value, span }: NumberNode): boolean {
  if (value >= 1 && value <= QUEUE_MS_MAX) return true;
  context.report(amountOutOfRange(span, 'This time to wait', 'a time from 1ms to 10m'));
  return false;
}
/** Callers who have waited longer are gone. */
const QUEUE_MS_MAX = 600_000;

/** More would be noise. */
const THRESHOLDS_MAX = 10;

/** Ascending, each once. Null: reported. */
function checkThresholds(context: CheckContext, { alertAt }: LimitNode): readonly number[] | null {
  const unfit = alertAt.find(({ value }) => value < 1 || value > 100 || !Number.isInteger(value));
  if (unfit !== undefined) {
    context.report(amountOutOfRange(unfit.span, 'This share', 'a whole number from 1% to 100%'));
    return null;
  }
  const shares = [...new Set(alertAt.map(({ value }) => value))].sort((a, b) => a - b);
  if (shares.length <= THRESHOLDS_MAX) return shares;
  context.report(
    amountOutOfRange(alertAt[THRESHOLDS_MAX]!.span, 'This list of shares', `at most ${THRESHOLDS_MAX} long`),
  );
  return null;
}

export function isDelivery(context: CheckContext, { value, span }: TextNode): boolean {
  const { deliveries } = context.project.world;
  if (deliveries.has(value)) return true;
  const near = meant(value, deliveries.keys());
  const suggestion = near === null ? null : { name: near, place: deliveries.get(near)!.place };
  context.report(unknownName(span, 'delivery', value, suggestion, [...deliveries.keys()].sort()));
  return false;
}

function isMaxKeys(context: CheckContext, { value, span }: NumberNode): boolean {
  const { minimum, maximum } = LIMITS.counterKeys;
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return true;
  context.report(
    amountOutOfRange(span, 'This number of keys', `a whole number from ${minimum} to ${maximum}`),
  );
  return false;
}

function checkKey(context: CheckContext, known: Known, { per, span }: LimitNode): CounterKey | null {
  if (per !== null) return checkKeyList(context, known, per, targetKey);
  context.report(noCounterKey(span));
  return null;
}

/** What tells counters, or alerts, of a rule apart. Null: reported. `ofTarget`: what of it a call is sent to, where that counts. */
export function checkKeyList(
  context: CheckContext,
  known: Known,
  per: KeyNode,
  ofTarget: (context: CheckContext, path: PathNode) => FactExpression | null = () => null,
): CounterKey | null {
  if (per.kind === 'total') return per;
  const keys = per.paths.flatMap(
    (path) => keyFact(context, ofTarget(context, path) ?? resolveFact(context, known, path)) ?? [],
  );
  const otherwise =
    per.otherwise === null ? null : keyFact(context, resolveFact(context, known, per.otherwise));
  if (keys.length < per.paths.length || (per.otherwise !== null && otherwise === null)) return null;
  return isAlwaysThere(context, known, otherwise === null ? keys : [otherwise])
    ? { kind: 'each', keys, otherwise }
    : null;
}

/** The keys (or what stands for them) that have to be there for every request that is counted. */
function isAlwaysThere(context: CheckContext, known: Known, needed: readonly FactExpression[]): boolean {
  for (const fact of needed) {
    const missing = known.whereMissing(fact);
    if (missing === null) continue;
    context.report(keyMayBeMissing(fact.span, factText(fact), whyMissing(fact, missing.route?.name ?? null)));
    return false;
  }
  return true;
}

const KEY_KINDS: ReadonlySet<string> = new Set(['text', 'enum', 'reference', 'ip', 'number']);

function keyFact(context: CheckContext, fact: FactExpression | null): FactExpression | null {
  if (fact === null || KEY_KINDS.has(fact.type.kind)) return fact;
  context.report(notAKey(fact.span, factText(fact), inWords(fact.type)));
  return null;
}
