import type { LimitRule } from '../language/typed.ts';
import type { EnforcementMode, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';

/** What the counters know of a limit. The identity has no amount in it, so editing one keeps what was counted. */
export function counterSpec(
  rule: LimitRule,
  mode: EnforcementMode,
  world: Pick<World, 'limits'>,
): CounterSpec {
  return {
    identity: rule.counterIdentity,
    window: rule.window,
    maxKeys: rule.maxKeys ?? world.limits.counterKeys,
    onFailure: rule.onFailure,
    thresholdsPercent: [],
    ...(mode === 'enforce' ? {} : { watching: true }),
    ...(rule.formerIdentity === null ? {} : { formerIdentity: rule.formerIdentity }),
  };
}
