import { compareCodePoints } from '../language/order.ts';
import type {
  CheckedPolicies,
  CheckedPolicy,
  PoolAlertRule,
  RotationRule,
  TextTemplate,
} from '../language/typed.ts';
import type { EnforcementMode, World } from '../model/world.ts';
import type { PoolAlertSpec, PoolRuleSpecs, RotationSpec } from '../pipeline/pool-rules.ts';
import { Conditions } from './conditions.ts';
import type { Condition, FactReference } from './ir.ts';
import { lower } from './lower.ts';
import { holesOf, type TextPart, textParts } from './replies.ts';
import { factsOfTerm, termsOf } from './rule-facts.ts';

/** A text and the facts in its holes, in order. */
export interface PoolText {
  readonly parts: readonly TextPart[];
  readonly facts: readonly string[];
}

/** Rules about pools as plain data, by policy and rule. No route has a part in them. */
export function poolRuleSpecs({ policies }: CheckedPolicies, world: World): PoolRuleSpecs {
  const sorted = [...policies].sort((a, b) => compareCodePoints(a.name, b.name));
  const rules = sorted.flatMap((policy) => policy.poolRules.map((rule) => ({ rule, policy })));
  return {
    alerts: rules.flatMap(({ rule, policy }) =>
      rule.kind === 'pool-alert' ? [alertSpec(rule, policy, world)] : [],
    ),
    rotations: rules.flatMap(({ rule, policy }) =>
      rule.kind === 'rotation' ? [rotationSpec(rule, policy, world)] : [],
    ),
  };
}

function alertSpec(rule: PoolAlertRule, { name: policy }: CheckedPolicy, world: World): PoolAlertSpec {
  // of each rule its own: the numbers of its conditions are part of what is kept and compared
  const condition = lower(rule.when, new Conditions());
  return {
    policy,
    rule: rule.key,
    mode: modeOf(policy, world),
    of: rule.of,
    condition,
    because: rule.because === null ? null : textOf(rule.because),
    asks: [...new Map(factsAsked(condition).map(({ path, type }) => [path, type.kind]))].map(
      ([path, format]) => ({ path, format }),
    ),
    notify: rule.notify,
  };
}

function rotationSpec(rule: RotationRule, { name: policy }: CheckedPolicy, world: World): RotationSpec {
  const { pool, everyMs, overlapMs, when, notify } = rule;
  const condition = when === null ? null : lower(when, new Conditions());
  return { policy, mode: modeOf(policy, world), pool, everyMs, overlapMs, condition, notify };
}

function modeOf(policy: string, { enforcement }: World): EnforcementMode {
  return enforcement.get(policy)?.mode ?? 'enforce';
}

function textOf(because: TextTemplate): PoolText {
  return { parts: textParts(because), facts: holesOf(because).map(({ path }) => path) };
}

function factsAsked(condition: Condition): FactReference[] {
  switch (condition.kind) {
    case 'constant':
      return [];
    case 'not':
      return factsAsked(condition.operand);
    case 'all':
    case 'any':
      return condition.operands.flatMap(factsAsked);
    case 'test':
      return termsOf(condition.test).flatMap(factsOfTerm);
  }
}
