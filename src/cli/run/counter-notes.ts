import { counterLabel } from '../../language/canonical.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';

/** What becomes of counters when rules change and it is not what one would expect: sentences for the person who changed them. */
export function counterNotes(
  before: readonly CounterSpec[],
  after: readonly CounterSpec[],
): readonly string[] {
  const earlier = new Map(before.map((spec) => [spec.identity, spec]));
  const gone = new Map(before.map((spec) => [ruleOf(spec), spec]));
  return after.flatMap((spec) => {
    const same = earlier.get(spec.identity) ?? earlier.get(spec.formerIdentity ?? '');
    const label = counterLabel(spec.identity);
    if (same !== undefined) {
      return spec.maxKeys > same.maxKeys
        ? [`${label}: more keys than ${same.maxKeys} are kept apart from the next start on.`]
        : [];
    }
    const other = gone.get(ruleOf(spec));
    return other === undefined ? [] : [`${label}: starts empty, because its window or its key has changed.`];
  });
}

/** Policy and rule: what people take for the same limit. */
function ruleOf({ identity }: CounterSpec): string {
  const [policy, rule] = JSON.parse(identity) as readonly unknown[];
  return JSON.stringify([policy, rule]);
}
