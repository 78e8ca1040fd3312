import type { RequestContext, Warning } from '../../pipeline/context.ts';

/** Notes what a rule tells the caller, in order of rules. Once, even when a phase is run again after a wait. */
export function warn(context: RequestContext, warning: Warning): void {
  if (context.warnings === null) context.warnings = [warning];
  else if (!context.warnings.some(({ rule }) => rule === warning.rule)) {
    context.warnings.push(warning);
    context.warnings.sort((a, b) => a.rule - b.rule);
  }
}

/** Notes a rule of a shadowed policy that would have denied, in order of rules. */
export function noteShadowed(context: RequestContext, rule: number): void {
  context.shadowDenied = withRule(context.shadowDenied, rule);
}

function withRule(rules: number[] | null, rule: number): number[] {
  if (rules === null) return [rule];
  if (rules.includes(rule)) return rules;
  rules.push(rule);
  return rules.sort((a, b) => a - b);
}
