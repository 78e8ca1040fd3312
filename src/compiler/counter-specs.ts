import type { LimitRule } from '../language/typed.ts';
import type { EnforcementMode, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import { estimatedBy } from './rule-facts.ts';

const SPECS = new WeakMap<LimitRule, CounterSpec>();

/**
 * What the counters know of a limit: the same object while the rule is. The identity has no amount in it, so editing one
 * keeps what was counted.
 */
export function counterSpec(
  rule: LimitRule,
  mode: EnforcementMode,
  world: Pick<World, 'limits'>,
): CounterSpec {
  const estimates = estimatedBy(rule);
  const spec: CounterSpec = {
    identity: rule.counterIdentity,
    window: rule.window,
    maxKeys: rule.maxKeys ?? world.limits.counterKeys,
    onFailure: rule.onFailure,
    // What only watches refuses nobody, so nobody is to be warned of it.
    thresholdsPercent: mode === 'enforce' ? rule.alertAt : [],
    ...(rule.notify === null ? {} : { notify: rule.notify }),
    ...(estimates === null ? {} : { estimates }),
    ...(mode === 'enforce' ? {} : { watching: true }),
    ...(rule.replaced === true ? { replaced: true } : {}),
    ...(rule.formerIdentity === null ? {} : { formerIdentity: rule.formerIdentity }),
  };
  const known = SPECS.get(rule);
  if (known?.maxKeys === spec.maxKeys && known.watching === spec.watching) return known;
  SPECS.set(rule, spec);
  return spec;
}
