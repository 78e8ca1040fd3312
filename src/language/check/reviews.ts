import { DAY_MS } from '../../model/local-time.ts';
import type { NumberNode, PolicyNode } from '../ast.ts';
import { amountOutOfRange } from '../problems/types.ts';
import type { Review } from '../typed.ts';
import type { CheckContext } from './context.ts';

/**
 * When a policy is to be reviewed: `review by DATE`, or `review every 90 days` counted from the date behind `reviewed`.
 * Null: nobody has asked for one.
 */
export function checkReview(context: CheckContext, { review, reviewed }: PolicyNode): Review | null {
  if (review === null) return null;
  const { zone } = context;
  if (review.kind === 'by') return { dueDay: review.day.value, zone, span: review.day.span };
  const { period } = review;
  if (!isDays(period)) {
    context.report(amountOutOfRange(period.span, 'This time between reviews', 'a whole number of days'));
    return null;
  }
  const dueDay = reviewed === null ? null : reviewed.value + period.value / DAY_MS;
  return { dueDay, zone, span: reviewed?.span ?? period.span };
}

function isDays({ value }: NumberNode): boolean {
  return value >= DAY_MS && value % DAY_MS === 0;
}
