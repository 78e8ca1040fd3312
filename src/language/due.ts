import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { localClock } from '../model/local-time.ts';
import { noLongerInForce, reviewIsDue } from './problems/dates.ts';
import type { CheckedPolicies, CheckedPolicy } from './typed.ts';

/**
 * What is due at an instant: reviews that are overdue, and policies that have ended. Apart from the check itself, whose
 * findings depend on the files alone. In order of policies.
 */
export function dueFindings({ policies }: CheckedPolicies, wallMs: number): Diagnostic[] {
  return policies.flatMap((policy) => [...overdueReview(policy, wallMs), ...ended(policy, wallMs)]);
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
