import type { CheckedRule, FactExpression, LimitRule } from './typed.ts';

/** The kinds of rules that count, in words of the language. */
export const LIMIT_KINDS = ['limit', 'quota', 'budget'] as const satisfies LimitRule['kind'][];
const KINDS: ReadonlySet<string> = new Set(LIMIT_KINDS);

/** Whether a rule counts: it has a counter, and is taken from at admission. */
export function isLimitRule(rule: CheckedRule): rule is LimitRule {
  return KINDS.has(rule.kind);
}

/** What of the key of a limit says where a call is sent to: known when a key is chosen, behind admission (language-rules #19). */
export function targetKeys({ per }: Pick<LimitRule, 'per'>): readonly FactExpression[] {
  return per.kind === 'total' ? [] : per.keys.filter(isOfTarget);
}

/** The rest of it. */
export function requestKeys({ per }: Pick<LimitRule, 'per'>): readonly FactExpression[] {
  return per.kind === 'total' ? [] : per.keys.filter((key) => !isOfTarget(key));
}

/** Whether a limit is a part of the room of each key that a call could go to, and not of admission. */
export function isLimitOfTargets(rule: Pick<LimitRule, 'per'>): boolean {
  return targetKeys(rule).length > 0;
}

function isOfTarget({ definition: { phase } }: FactExpression): boolean {
  return phase === 'target' || phase === 'pool';
}
