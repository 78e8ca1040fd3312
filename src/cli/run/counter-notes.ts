import { counterLabel } from '../../language/canonical.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { CounterUsage } from '../../state/counter-registry.ts';
import { lengthMs } from '../../tools/replaced-limits.ts';
import { spell } from '../moments.ts';
import { countsAlike, type EditedLimit, editedLimits, goesOnFrom, isSameRule } from './edited-limits.ts';

/** What becomes of counters when rules change and it is not what one would expect: sentences for the person who changed them. */
export function counterNotes(
  before: readonly CounterSpec[],
  after: readonly CounterSpec[],
): readonly string[] {
  const staying = after.filter(({ replaced }) => replaced);
  const edits = editedLimits(before, after);
  const known = new Set(before.filter(({ replaced }) => replaced).map(({ identity }) => identity));
  const untold = staying.filter(
    (spec) => !known.has(spec.identity) && !edits.some(({ now }) => isSameRule(now, spec)),
  );
  return [
    ...edits.map((edited) => {
      const stays = staying.filter((spec) => isSameRule(edited.now, spec));
      return `${counterLabel(edited.now.identity)}: ${beginning(edited)}${stayingText(edited, stays)}.`;
    }),
    ...untold.map((spec) => `${counterLabel(spec.identity)}: ${staysText([spec])}.`),
  ];
}

/** What the new counter begins with, and why it is not all that was used. */
function beginning(edited: EditedLimit): string {
  const { now, before } = edited;
  if (now.window.kind !== 'calendar') return 'starts empty, because its window or its key has changed';
  const from = goesOnFrom(edited);
  if (from !== null)
    return `goes on from what was counted ${periodText(from)} in the period that runs, because its period has changed; what was used before that is not counted`;
  const longer = before.find((spec) => countsAlike(now, spec));
  if (longer !== undefined)
    return `starts empty, because it can't be told what of that which was counted ${periodText(longer)} was used ${periodText(now)}`;
  const wasQuota = before.some(({ window }) => window.kind === 'calendar');
  return `starts empty, because ${wasQuota ? 'what was counted is not known by its new key' : 'it was no quota before'}`;
}

function periodText({ window }: CounterSpec): string {
  return window.kind === 'calendar' ? `per ${window.period} in ${window.zone}` : '';
}

/** Quotas are never in force as they were: that would be for months. */
function stayingText({ before }: EditedLimit, stays: readonly CounterSpec[]): string {
  if (before.every(({ window }) => window.kind === 'calendar')) return '';
  if (stays.length === 0) return '; as it was it is in force no more';
  return `; ${staysText(stays)}`;
}

function staysText(stays: readonly CounterSpec[]): string {
  const length = Math.max(...stays.map((spec) => lengthMs(spec.window) ?? 0));
  const until = length === 0 ? 'until the requests that it counted have ended' : `for ${spell(length)}`;
  return `as it was it stays in force ${until}`;
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
