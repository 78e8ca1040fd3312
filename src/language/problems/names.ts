import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { alternatives, problem, shown } from './problem.ts';

/** PT11xx: names that mean nothing, or two things. One factory per code. */

/** A name of the world that is near to the unknown one, and where it is declared. */
export interface Suggestion {
  readonly name: string;
  readonly place: string | null;
}

/** `known`: what there is, shown where nothing is near and the list is short. */
export function unknownName(
  span: Span,
  what: string,
  name: string,
  suggestion: Suggestion | null,
  known: readonly string[],
): Diagnostic {
  const message = `There is no ${what} "${shown(name)}".`;
  if (suggestion !== null) {
    const place = suggestion.place === null ? '' : ` (${suggestion.place})`;
    return problem('PT1101', span, message, `Did you mean "${suggestion.name}"${place}?`);
  }
  if (known.length === 0) return problem('PT1101', span, message, `The project has no ${what} at all yet.`);
  return problem('PT1101', span, message, `Write ${some(known.map((one) => `"${one}"`))}.`);
}

/** The first few of a list; lists of a large project would fill the screen. */
function some(words: readonly string[]): string {
  const rest = words.length - NAMES_SHOWN_MAX;
  return rest <= 0
    ? alternatives(words)
    : `${words.slice(0, NAMES_SHOWN_MAX).join(', ')} or one of ${rest} others`;
}
const NAMES_SHOWN_MAX = 8;

export function unknownFact(
  span: Span,
  path: string,
  suggestion: string | null,
  siblings: readonly string[],
): Diagnostic {
  const message = `There is no fact ${shown(path)}.`;
  if (suggestion !== null) return problem('PT1102', span, message, `Did you mean ${suggestion}?`);
  const help =
    siblings.length > 0
      ? `There is ${some(siblings)}.`
      : 'Facts begin with request, route, tenant, team, consumer or credential.';
  return problem('PT1102', span, message, help);
}

export function unknownDefine(span: Span, name: string, suggestion: string | null): Diagnostic {
  const help = NOTHING.has(name)
    ? 'Whether a value is missing is asked with `is absent` and `is present`.'
    : suggestion === null
      ? `Texts stand in quotes ("${shown(name)}"); a name is made with define ${shown(name)} = … in this file.`
      : `Did you mean ${suggestion}?`;
  return problem('PT1103', span, `Nothing is called ${shown(name)} in this file.`, help);
}

/** What other languages write for a value that is not there. */
const NOTHING: ReadonlySet<string> = new Set([
  'null',
  'nil',
  'none',
  'undefined',
  'missing',
  'empty',
  'nothing',
]);

export function unknownZone(span: Span, name: string, suggestion: string | null): Diagnostic {
  const help =
    suggestion === null
      ? 'Write a name of the IANA database, such as Europe/Berlin or UTC.'
      : `Did you mean ${suggestion}?`;
  return problem('PT1104', span, `There is no time zone ${shown(name)}.`, help);
}

export function policyTwice(span: Span, name: string, first: Span): Diagnostic {
  return problem(
    'PT1105',
    span,
    `There are two policies "${shown(name)}".`,
    'Give one of them another name.',
    [{ span: first, message: 'the other one' }],
  );
}

export function ruleTwice(span: Span, name: string, first: Span): Diagnostic {
  return problem(
    'PT1106',
    span,
    `There are two rules "${shown(name)}" in this policy.`,
    'Give one of them another name.',
    [{ span: first, message: 'the other one' }],
  );
}

export function formerNameInUse(span: Span, name: string, bearer: Span): Diagnostic {
  return problem(
    'PT1111',
    span,
    `"${shown(name)}" cannot be a former name: a rule of this policy has it.`,
    'Counters can be taken over by one limit only: remove `was`, or rename the other rule.',
    [{ span: bearer, message: 'the rule that has it' }],
  );
}

export function equalLimits(span: Span, first: Span): Diagnostic {
  return problem(
    'PT1107',
    span,
    'Two limits without a name count the same thing in the same window with the same key, so they would share one counter.',
    'Keep one, or give each a name: limit "name" ….',
    [{ span: first, message: 'the other one' }],
  );
}

export function defineTwice(span: Span, name: string, first: Span): Diagnostic {
  return problem('PT1108', span, `${shown(name)} is defined twice in this file.`, 'Keep one of the two.', [
    { span: first, message: 'the other one' },
  ]);
}

export function calendarTwice(span: Span, name: string, first: Span): Diagnostic {
  return declaredTwice(span, `There are two calendars "${shown(name)}".`, first);
}

export function holidaysTwice(span: Span, name: string, first: Span): Diagnostic {
  return declaredTwice(span, `There are two lists of holidays "${shown(name)}".`, first);
}

function declaredTwice(span: Span, message: string, first: Span): Diagnostic {
  return problem('PT1110', span, message, 'Give one of them another name; a name is known in every file.', [
    { span: first, message: 'the other one' },
  ]);
}

export function badParameter(span: Span, message: string, help: string): Diagnostic {
  return problem('PT1109', span, message, help);
}

export function headerLooksMisspelt(span: Span, name: string, common: string): Diagnostic {
  return problem(
    'PT1112',
    span,
    `No client sends a header "${shown(name)}" of its own accord: it is nearly "${common}".`,
    `Did you mean "${common}"?`,
  );
}
