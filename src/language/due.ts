import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { DAY_MS, localClock } from '../model/local-time.ts';
import { pricesIn, unpricedKeys } from '../model/pools.ts';
import type { Route, World } from '../model/world.ts';
import { lastDayOfSameFinding } from './check/calendars.ts';
import { type RouteIndex, routeIndexOf } from './check/route-index.ts';
import type { ParsedPolicyFile } from './parse.ts';
import { noLongerInForce, reviewIsDue, stillPublished, sunsetHasPassed } from './problems/dates.ts';
import { staticValue } from './static-value.ts';
import type { CheckedPolicies, CheckedPolicy, DeprecateRule } from './typed.ts';

/**
 * What is due at an instant: reviews that are overdue, policies that have ended, routes whose state is behind what callers
 * are told. Apart from the check itself, whose findings depend on the files alone. In order of policies.
 */
export function dueFindings({ policies }: CheckedPolicies, world: World, wallMs: number): Diagnostic[] {
  const index = routeIndexOf(world);
  return policies.flatMap((policy) => {
    const mode = world.enforcement.get(policy.name)?.mode ?? 'enforce';
    return [
      ...overdueReview(policy, wallMs),
      ...ended(policy, wallMs),
      ...(mode === 'enforce' ? lateStates(policy, index, wallMs) : []),
    ];
  });
}

function overdueReview({ name, owner, review }: CheckedPolicy, wallMs: number): Diagnostic[] {
  if (review === null) return [];
  const isOverdue = review.dueDay === null || localClock(review.zone).day(wallMs) > review.dueDay;
  return isOverdue ? [reviewIsDue(review.span, name, owner, review.dueDay)] : [];
}

function ended({ name, span, effective }: CheckedPolicy, wallMs: number): Diagnostic[] {
  if (effective === null || effective.lastDay === null) return [];
  const { lastDay, zone } = effective;
  return localClock(zone).day(wallMs) > lastDay ? [noLongerInForce(span, name, lastDay)] : [];
}

function lateStates({ scope, rules }: CheckedPolicy, index: RouteIndex, wallMs: number): Diagnostic[] {
  const deprecations = rules.filter((rule) => rule.kind === 'deprecate');
  if (deprecations.length === 0) return [];
  const routes = scope === null ? index.all : index.candidates(scope);
  return deprecations.flatMap((rule) => {
    const today = localClock(rule.zone).day(wallMs);
    const reached = (route: Route) =>
      [scope, rule.when].every((condition) => condition === null || staticValue(condition, route) === true);
    // few states are late, and the condition costs a hundred times as much
    return routes
      .filter((route) => isLate(rule, route, today) && reached(route))
      .map((route) => lateState(rule, route, today));
  });
}

function isLate({ sunsetDay, fromDay }: DeprecateRule, { state }: Route, today: number): boolean {
  if (state === 'draft' || state === 'retired') return false;
  return today > sunsetDay || (today >= fromDay && state !== 'deprecated');
}

function lateState(rule: DeprecateRule, { name, place }: Route, today: number): Diagnostic {
  return today > rule.sunsetDay
    ? sunsetHasPassed(rule.span, name, place, rule.sunsetDay)
    : stillPublished(rule.span, name, place, rule.fromDay);
}

/** Days of a zone, both included, on which {@link dueFindings} says the same; null where nothing will ever change. */
export interface UnchangedDays {
  readonly zone: string;
  readonly firstDay: number;
  readonly lastDay: number | null;
}

/** Around an instant, for each zone that policies name a day in. */
export function unchangedDays({ policies }: CheckedPolicies, wallMs: number): readonly UnchangedDays[] {
  const changes = new Map<string, number[]>();
  for (const { zone, day } of policies.flatMap(daysOfChange)) {
    const days = changes.get(zone);
    if (days === undefined) changes.set(zone, [day]);
    else days.push(day);
  }
  return [...changes].map(([zone, days]) => {
    const firstDay = localClock(zone).day(wallMs);
    const next = days.reduce((least, day) => (day > firstDay && day < least ? day : least), NO_DAY);
    return { zone, firstDay, lastDay: next === NO_DAY ? null : next - 1 };
  });
}

/** The same for what is said of lists of holidays. Their days are those of UTC. */
export function unchangedDaysOfHolidays(
  files: readonly Pick<ParsedPolicyFile, 'file'>[],
  wallMs: number,
): readonly UnchangedDays[] {
  const today = Math.floor(wallMs / DAY_MS);
  return files
    .flatMap(({ file }) => file.holidays)
    .map((holidays) => ({
      zone: 'UTC',
      firstDay: today,
      lastDay: lastDayOfSameFinding(holidays, today),
    }));
}

/** The same for what is said of models that have a price from a day on and none before it. */
export function unchangedDaysOfPrices(
  { models: { models, pools } }: World,
  wallMs: number,
): readonly UnchangedDays[] {
  const today = Math.floor(wallMs / DAY_MS);
  const changes = [...models.values()].flatMap((model) =>
    model.pools.flatMap((name) =>
      unpricedKeys(model, pools.get(name)!, today * DAY_MS).flatMap(({ name: key }) =>
        pricesIn(model, name)(key).datedPrices.map(({ fromMs }) => Math.ceil(fromMs / DAY_MS)),
      ),
    ),
  );
  return changes.length === 0 ? [] : [{ zone: 'UTC', firstDay: today, lastDay: Math.min(...changes) - 1 }];
}

export function areUnchanged(days: readonly UnchangedDays[], wallMs: number): boolean {
  return days.every(({ zone, firstDay, lastDay }) => {
    const today = localClock(zone).day(wallMs);
    return today >= firstDay && (lastDay === null || today <= lastDay);
  });
}

const NO_DAY = Number.POSITIVE_INFINITY;

/** The first day of each new finding. */
function daysOfChange({ review, effective, rules }: CheckedPolicy) {
  const days: { readonly zone: string; readonly day: number }[] = [];
  if (review !== null && review.dueDay !== null) days.push({ zone: review.zone, day: review.dueDay + 1 });
  if (effective !== null && effective.lastDay !== null)
    days.push({ zone: effective.zone, day: effective.lastDay + 1 });
  for (const rule of rules) {
    if (rule.kind !== 'deprecate') continue;
    const { zone, fromDay, sunsetDay } = rule;
    days.push({ zone, day: fromDay }, { zone, day: sunsetDay + 1 });
  }
  return days;
}
