import { factText } from '../language/check/known.ts';
import type { World } from '../model/world.ts';
import { type AlertSpec, alertIdentity } from '../pipeline/alerts.ts';
import type { RuleIr } from './ir.ts';

/** What whoever counts knows of an alert rule; null for other rules. */
export function alertSpec(
  { policy, mode, rule }: RuleIr,
  { limits }: Pick<World, 'limits'>,
): AlertSpec | null {
  if (rule.kind !== 'alert') return null;
  const { per } = rule;
  return {
    identity: alertIdentity(policy, rule.key),
    policy,
    rule: rule.key,
    mode,
    atLeast: rule.atLeast,
    keys: per.kind === 'total' ? [] : per.keys.map(factText),
    otherwise: per.kind === 'total' || per.otherwise === null ? null : factText(per.otherwise),
    maxKeys: rule.maxKeys ?? limits.alertKeys,
    notify: rule.notify,
  };
}
