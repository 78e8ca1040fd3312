import { LIMITS } from '../../base/limits.ts';
import { isTimeZone } from '../../model/local-time.ts';
import type { LimitNode, NumberNode } from '../ast.ts';
import { counterIdentity } from '../canonical.ts';
import { unknownZone } from '../problems/names.ts';
import { noCounterKey, notAKey } from '../problems/rules.ts';
import { amountOutOfRange, keyMayBeMissing } from '../problems/types.ts';
import { nearestTimeZone } from '../time-zones.ts';
import type { CounterKey, FactExpression, LimitRule, LimitWindow } from '../typed.ts';
import type { CheckContext } from './context.ts';
import { factText, type Known } from './known.ts';
import { resolveFact, whyMissing } from './operands.ts';
import { checkReply } from './replies.ts';
import type { RuleHead, RulePlace } from './rules.ts';
import { NO_CALENDARS } from './templates.ts';
import { inWords } from './type-names.ts';

/** Limits and quotas: amounts, windows, counter keys. Null means that problems were reported. */
export function checkLimit(
  context: CheckContext,
  node: LimitNode,
  { policy, known }: RulePlace,
  head: RuleHead,
): Omit<LimitRule, 'key' | 'span'> | null {
  const window = checkWindow(context, node);
  const per = checkKey(context, known, node);
  const reply = checkReply(context, node.reply, {
    reader: 'caller',
    limit: per ?? UNKNOWN_KEY,
    calendars: NO_CALENDARS,
    known,
  });
  const maxKeys = node.maxKeys === null || isMaxKeys(context, node.maxKeys);
  if (window === null || per === null || reply === null || !maxKeys) return null;
  const measure = { kind: 'requests' } as const;
  return {
    kind: node.kind,
    ...head,
    measure,
    window,
    per,
    reply,
    onFailure: node.onFailure,
    maxKeys: node.maxKeys?.value ?? null,
    counterIdentity: counterIdentity(policy, { name: head.name, measure, window, per }),
    formerIdentity:
      node.was === null ? null : counterIdentity(policy, { name: node.was.value, measure, window, per }),
  };
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

function isAmount(context: CheckContext, { value, span }: NumberNode, what: string): boolean {
  if (Number.isSafeInteger(value) && value >= 1) return true;
  context.report(amountOutOfRange(span, what, 'a whole number from 1 to 2^53'));
  return false;
}

function isLength(context: CheckContext, { value, span }: NumberNode): boolean {
  if (value >= 1) return true;
  context.report(amountOutOfRange(span, 'This length of time', 'at least 1ms'));
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
  if (per === null) {
    context.report(noCounterKey(span));
    return null;
  }
  if (per.kind === 'total') return per;
  const keys = per.paths.flatMap((path) => keyFact(context, resolveFact(context, known, path)) ?? []);
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
