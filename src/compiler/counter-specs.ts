import { assert } from '../base/assert.ts';
import { allowanceIdentity } from '../language/canonical.ts';
import type { LimitRule } from '../language/typed.ts';
import type { EnforcementMode, World } from '../model/world.ts';
import type { CounterSpec } from '../pipeline/counters.ts';
import { estimatedBy } from './rule-facts.ts';

/** A limit has a counter of its own, and may have one of what it allows more to calls that fall back to another model. */
export type CounterOf = 'limit' | 'allowance';

const SPECS: Readonly<Record<CounterOf, WeakMap<LimitRule, CounterSpec>>> = {
  limit: new WeakMap(),
  allowance: new WeakMap(),
};

/**
 * What the counters know of a limit: the same object while the rule is. The identity has no amount in it, so editing one
 * keeps what was counted.
 */
export function counterSpec(
  rule: LimitRule,
  mode: EnforcementMode,
  world: Pick<World, 'limits'>,
  of: CounterOf,
): CounterSpec {
  const estimates = estimatedBy(rule);
  const spec: CounterSpec = {
    ...counterOf(rule, of),
    maxKeys: rule.maxKeys ?? world.limits.counterKeys,
    onFailure: rule.onFailure,
    // What only watches refuses nobody, so nobody is to be warned of it.
    thresholdsPercent: mode === 'enforce' && of === 'limit' ? rule.alertAt : [],
    ...withoutRoom(rule),
    ...(rule.notify === null ? {} : { notify: rule.notify }),
    ...(estimates === null ? {} : { estimates }),
    ...(mode === 'enforce' ? {} : { watching: true }),
    ...(rule.replaced === true ? { replaced: true } : {}),
    ...(rule.formerIdentity === null ? {} : { formerIdentity: formerOf(rule.formerIdentity, of) }),
  };
  const known = SPECS[of].get(rule);
  if (known?.maxKeys === spec.maxKeys && known.watching === spec.watching) return known;
  SPECS[of].set(rule, spec);
  return spec;
}

/** For whoever tells of its thresholds. */
function withoutRoom({ alertAt, fallback, queueMs }: LimitRule): Pick<CounterSpec, 'withoutRoom'> {
  if (alertAt.length === 0 || (fallback === null && queueMs === null)) return {};
  return { withoutRoom: { models: fallback?.models ?? [], waits: queueMs !== null } };
}

/** Which counter it is, and what it holds. */
export function counterOf(
  { counterIdentity, window, fallback }: LimitRule,
  of: CounterOf,
): Pick<CounterSpec, 'identity' | 'window'> {
  if (of === 'limit') return { identity: counterIdentity, window };
  assert(fallback?.counted.kind === 'allowance', 'what has no allowance has no counter of it');
  const { amount, counterIdentity: identity } = fallback.counted;
  return { identity, window: { ...window, amount } };
}

function formerOf(identity: string, of: CounterOf): string {
  return of === 'limit' ? identity : allowanceIdentity(identity);
}
