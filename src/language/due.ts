import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { localClock } from '../model/local-time.ts';
import type { Route, World } from '../model/world.ts';
import { type RouteIndex, routeIndexOf } from './check/route-index.ts';
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
