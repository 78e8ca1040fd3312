import type { CheckedRule, LimitRule } from './typed.ts';

/** The kinds of rules that count, in words of the language. */
export const LIMIT_KINDS = ['limit', 'quota', 'budget'] as const satisfies LimitRule['kind'][];
const KINDS: ReadonlySet<string> = new Set(LIMIT_KINDS);

/** Whether a rule counts: it has a counter, and is taken from at admission. */
export function isLimitRule(rule: CheckedRule): rule is LimitRule {
  return KINDS.has(rule.kind);
}
