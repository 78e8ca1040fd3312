import type { RequestContext } from '../../pipeline/context.ts';

/** Notes a rule that would have denied. Once, even when a phase is run again after a wait. */
export function note(context: RequestContext, mode: 'warn' | 'shadow', rule: number): void {
  if (mode === 'warn') context.warned = withRule(context.warned, rule);
  else context.shadowDenied = withRule(context.shadowDenied, rule);
}

function withRule(rules: number[] | null, rule: number): number[] {
  if (rules === null) return [rule];
  if (!rules.includes(rule)) rules.push(rule);
  return rules;
}
