import { counterLabel } from '../../language/canonical.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';

/** What becomes of counters when rules change and it is not what one would expect: sentences for the person who changed them. */
export function counterNotes(
  before: readonly CounterSpec[],
  after: readonly CounterSpec[],
): readonly string[] {
  const earlier = new Set(before.map(({ identity }) => identity));
  const gone = new Set(before.map(ruleOf));
  return after
    .filter((spec) => !earlier.has(spec.identity) && !earlier.has(spec.formerIdentity ?? ''))
    .filter((spec) => gone.has(ruleOf(spec)))
    .map(
      ({ identity }) => `${counterLabel(identity)}: starts empty, because its window or its key has changed.`,
    );
}

/** Named one by one; a raised `counterKeys` concerns every limit that says no number of its own. */
const NAMED_MAX = 5;

/** Limits that ask for more keys than their memory was made for. Said with every load, for as long as it is so. */
export function keyNotes(
  counters: readonly Pick<CounterUsage, 'identity' | 'keysMax' | 'keysWanted'>[],
): string[] {
  const waiting = counters.filter(({ keysMax, keysWanted }) => keysWanted > keysMax);
  const notes = waiting
    .slice(0, NAMED_MAX)
    .map(
      ({ identity, keysMax, keysWanted }) =>
        `${counterLabel(identity)}: keeps ${keysMax} keys apart until the next start, and ${keysWanted} from then on.`,
    );
  const others = waiting.length - notes.length;
  if (others > 0) notes.push(`${others} further limits keep more keys apart from the next start on.`);
  return notes;
}

/** Policy and rule: what people take for the same limit. */
function ruleOf({ identity }: CounterSpec): string {
  const [policy, rule] = JSON.parse(identity) as readonly unknown[];
  return JSON.stringify([policy, rule]);
}
