import { counterKeys, counterMeasure, counterOtherwise, isAllowance } from '../../language/canonical.ts';
import type { CalendarPeriod } from '../../language/typed.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';

/** A limit whose counter is another one after a change of the rules. */
export interface EditedLimit {
  readonly now: CounterSpec;
  /** What people take for the same limit: of its policy and its name, or of its former name. */
  readonly before: readonly CounterSpec[];
}

export function editedLimits(
  before: readonly CounterSpec[],
  after: readonly CounterSpec[],
): readonly EditedLimit[] {
  const known = new Set(before.map(({ identity }) => identity));
  const standing = before.filter(({ replaced }) => !replaced);
  return after
    .filter((spec) => !spec.replaced && identitiesOf(spec).every((identity) => !known.has(identity)))
    .map((now) => ({ now, before: standing.filter((spec) => isSameRule(now, spec)) }))
    .filter((edited) => edited.before.length > 0);
}

/** Whether `spec` is the limit `now` as it is written, or was. */
export function isSameRule(now: CounterSpec, { identity }: CounterSpec): boolean {
  return identitiesOf(now).some((each) => ruleOf(each) === ruleOf(identity));
}

const PERIODS: readonly CalendarPeriod[] = ['day', 'week', 'month', 'quarter', 'year'];

/**
 * The quota from whose count the edited one goes on: by the same key, and of a period that is no longer than its own. A part of what
 * was counted in a longer one can't be told.
 */
export function goesOnFrom({ now, before }: EditedLimit): CounterSpec | null {
  return before.find((spec) => countsAlike(now, spec) && periodOf(spec) <= periodOf(now)) ?? null;
}

/** Both are quotas that count the same for the same keys. */
export function countsAlike(one: CounterSpec, other: CounterSpec): boolean {
  return (
    periodOf(one) >= 0 &&
    periodOf(other) >= 0 &&
    counterMeasure(one.identity) === counterMeasure(other.identity) &&
    keysOf(one) === keysOf(other)
  );
}

function periodOf({ window }: CounterSpec): number {
  return window.kind === 'calendar' ? PERIODS.indexOf(window.period) : -1;
}

function keysOf({ identity }: CounterSpec): string {
  return JSON.stringify([counterKeys(identity), counterOtherwise(identity)]);
}

function identitiesOf({ identity, formerIdentity }: CounterSpec): readonly string[] {
  return formerIdentity === undefined ? [identity] : [identity, formerIdentity];
}

function ruleOf(identity: string): string {
  const [policy, rule] = JSON.parse(identity) as readonly unknown[];
  return JSON.stringify([policy, rule, isAllowance(identity)]);
}
