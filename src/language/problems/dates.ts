import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { DAY_MS } from '../../model/local-time.ts';
import { problem, shown } from './problem.ts';

/** PT25xx: what is due on a date. One factory per code. */

export function reviewIsDue(
  span: Span,
  policy: string,
  owner: string | null,
  dueDay: number | null,
): Diagnostic {
  const who = owner === null ? 'Look through it' : `Have ${shown(owner)} look through it`;
  return dueDay === null
    ? problem(
        'PT2501',
        span,
        `Nobody has said when the policy "${shown(policy)}" was last reviewed.`,
        `${who}, and write the date as \`reviewed 2027-03-31\` in the head of the policy.`,
      )
    : problem(
        'PT2501',
        span,
        `The policy "${shown(policy)}" was to be reviewed by ${dateText(dueDay)}.`,
        `${who}, and write the new date.`,
      );
}

export function noLongerInForce(span: Span, policy: string, lastDay: number): Diagnostic {
  return problem(
    'PT2502',
    span,
    `The policy "${shown(policy)}" is no longer in force: its last day was ${dateText(lastDay)}.`,
    'Remove it, or let it end later.',
  );
}

export function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
