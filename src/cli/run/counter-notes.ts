import { counterLabel } from '../../language/canonical.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import { lengthMs } from '../../tools/replaced-limits.ts';
import { spell } from '../moments.ts';

/** What becomes of counters when rules change and it is not what one would expect: sentences for the person who changed them. */
export function counterNotes(
  before: readonly CounterSpec[],
  after: readonly CounterSpec[],
): readonly string[] {
  const earlier = new Set(before.map(({ identity }) => identity));
  const gone = new Set(before.map(({ identity }) => ruleOf(identity)));
  const staying = after.filter(({ replaced }) => replaced);
  return after
    .filter((spec) => !spec.replaced && identitiesOf(spec).every((identity) => !earlier.has(identity)))
    .flatMap((spec) => {
      const rules = new Set(identitiesOf(spec).map(ruleOf));
      if (![...rules].some((rule) => gone.has(rule))) return [];
      const stays = staying.filter(({ identity }) => rules.has(ruleOf(identity)));
      return [`${counterLabel(spec.identity)}: starts empty, because ${whyEmpty(spec, stays)}.`];
    });
}

function whyEmpty({ window }: CounterSpec, stays: readonly CounterSpec[]): string {
  if (window.kind === 'calendar') return 'its period or its key has changed';
  const changed = 'its window or its key has changed';
  if (stays.length === 0) return `${changed}; as it was it is in force no more`;
  const length = Math.max(...stays.map((spec) => lengthMs(spec.window) ?? 0));
  const until = length === 0 ? 'until the requests that it counted have ended' : `for ${spell(length)}`;
  return `${changed}; as it was it stays in force ${until}`;
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

function identitiesOf({ identity, formerIdentity }: CounterSpec): readonly string[] {
  return formerIdentity === undefined ? [identity] : [identity, formerIdentity];
}

/** Policy and rule: what people take for the same limit. */
function ruleOf(identity: string): string {
  const [policy, rule] = JSON.parse(identity) as readonly unknown[];
  return JSON.stringify([policy, rule]);
}
