import { compareCodePoints } from '../../language/order.ts';
import type { CheckedPolicies, CheckedPolicy, CheckedRule } from '../../language/typed.ts';
import type { EnforcementMode, World } from '../../model/world.ts';

/** A rule with everything that says how to treat it. */
export interface PlacedRule<Rule extends CheckedRule = CheckedRule> {
  readonly index: number;
  readonly policy: string;
  readonly scope: CheckedPolicy['scope'];
  readonly mode: EnforcementMode;
  readonly rule: Rule;
}

/** Policies by name, rules by key: the order that numbers them. */
export function placedRules(checked: CheckedPolicies, world: World): PlacedRule[] {
  const policies = [...checked.policies, ...(checked.replaced ?? [])];
  const rules = policies
    .flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
    .sort(
      (a, b) => compareCodePoints(a.policy.name, b.policy.name) || compareCodePoints(a.rule.key, b.rule.key),
    );
  return rules.map(({ policy, rule }, index) => ({
    index,
    policy: policy.name,
    scope: policy.scope,
    mode: world.enforcement.get(policy.name)?.mode ?? 'enforce',
    rule,
  }));
}
