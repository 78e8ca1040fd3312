import { LIMITS } from '../../base/limits.ts';
import type { AlertNode, AtLeastNode, NumberNode } from '../ast.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type { AlertRule, CounterKey } from '../typed.ts';
import { calendarsIn } from './calendars.ts';
import type { CheckContext } from './context.ts';
import { checkKeyList, isAmount, isDelivery } from './limits.ts';
import type { RuleHead, RulePlace } from './rules.ts';
import { checkTemplate } from './templates.ts';

type AtLeast = AlertRule['atLeast'];

/** `alert when`: how often, for whom, and whom to tell. Null means that problems were reported. */
export function checkAlert(
  context: CheckContext,
  node: AlertNode,
  { scope, known }: RulePlace,
  { name, when }: RuleHead,
): Omit<AlertRule, 'key' | 'span'> | null {
  const atLeast = node.atLeast === null ? null : checkAtLeast(context, node.atLeast);
  const per: CounterKey | null =
    node.per === null ? { kind: 'total' } : checkKeyList(context, known, node.per);
  const calendars = known.followsMistake ? 'unclear' : calendarsIn([scope, when]);
  const because =
    node.because === null
      ? null
      : checkTemplate(context, node.because, { reader: 'operator', limit: null, known, calendars });
  const notified = node.notify === null || isDelivery(context, node.notify);
  const maxKeys = node.maxKeys === null || isMaxKeys(context, node.maxKeys);
  if (when === null || per === null || !notified || !maxKeys) return null;
  if ((node.atLeast !== null && atLeast === null) || (node.because !== null && because === null)) return null;
  return {
    kind: 'alert',
    name,
    when,
    atLeast,
    per,
    because,
    maxKeys: node.maxKeys?.value ?? null,
    notify: node.notify?.value ?? null,
  };
}

/** Data threads tell what they saw four times a second: shorter times would be no times. */
const WINDOW_MS_MIN = 1_000;
const WINDOW_MS_MAX = 86_400_000;

function checkAtLeast(context: CheckContext, { amount, length }: AtLeastNode): AtLeast {
  const amountFits = isAmount(context, amount, 'This amount');
  const lengthFits = length.value >= WINDOW_MS_MIN && length.value <= WINDOW_MS_MAX;
  if (!lengthFits)
    context.report(amountOutOfRange(length.span, 'This length of time', 'a time from 1s to 24h'));
  return amountFits && lengthFits ? { requests: amount.value, windowMs: length.value } : null;
}

function isMaxKeys(context: CheckContext, { value, span }: NumberNode): boolean {
  const { minimum, maximum } = LIMITS.alertKeys;
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return true;
  context.report(
    amountOutOfRange(span, 'This number of keys', `a whole number from ${minimum} to ${maximum}`),
  );
  return false;
}
