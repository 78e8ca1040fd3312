import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { dateText } from '../../model/local-time.ts';
import { problem, shown } from './problem.ts';

/** Dates that contradict each other (PT21xx), and what is due on a date (PT25xx). One factory per code. */

export function sunsetBeforeDeprecation(span: Span, fromDay: number, sunsetDay: number): Diagnostic {
  return problem(
    'PT2120',
    span,
    `The sunset (${dateText(sunsetDay)}) comes before the deprecation (${dateText(fromDay)}).`,
    'Write the date from which callers are told first, and the last day on which the route answers second.',
  );
}

export function noSuccessor(span: Span, route: string, why: string): Diagnostic {
  return problem(
    'PT2121',
    span,
    `The route "${shown(route)}" cannot be the successor: ${why}.`,
    'Name the route that callers are to use instead.',
  );
}

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

export function stillPublished(span: Span, route: string, place: string, fromDay: number): Diagnostic {
  return problem(
    'PT2503',
    span,
    `Callers are told that route "${shown(route)}" (${place}) is deprecated since ${dateText(fromDay)}, but its state is published.`,
    'Write `state: deprecated` there, so that the configuration says the same.',
  );
}

export function sunsetHasPassed(span: Span, route: string, place: string, sunsetDay: number): Diagnostic {
  return problem(
    'PT2504',
    span,
    `The sunset of route "${shown(route)}" (${place}) was ${dateText(sunsetDay)}, and it is still served.`,
    'Write `state: retired` there (requests are answered with 410 then), or a later sunset.',
  );
}
