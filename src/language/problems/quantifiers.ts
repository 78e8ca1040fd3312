import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { problem, shown } from './problem.ts';

/** PT122x: questions about the elements of lists. One factory per message. */

export function listNeeded(span: Span, what: string, text: string): Diagnostic {
  return problem(
    'PT1221',
    span,
    `A quantifier asks the elements of a list; ${shown(text)} is ${what}.`,
    'Ask the value itself, without a quantifier.',
  );
}

export function factFirst(span: Span, list: string): Diagnostic {
  return problem(
    'PT1222',
    span,
    `\`it\` is an item of ${shown(list)}, which is fixed: by itself it says nothing of a request.`,
    'Ask a fact about it, as in `request.path starts with it`.',
  );
}

export function outsideQuantifier(span: Span): Diagnostic {
  return problem(
    'PT1222',
    span,
    '`it` is an element of a list, and no list is asked here.',
    'Name the list first, as in `any of consumer.roles has it starts with "guest-"`.',
  );
}

export function memberOfValue(span: Span, text: string, what: string): Diagnostic {
  return problem(
    'PT1222',
    span,
    `There is no ${shown(text)}: the element is ${what}, which has no members.`,
    'Write `it`.',
  );
}

export function memberNeeded(span: Span, list: string): Diagnostic {
  return problem(
    'PT1222',
    span,
    `\`it\` is an object of ${shown(list)}, and only its members have values.`,
    'Write the member: it.….',
  );
}

export function listOfObjects(span: Span, list: string): Diagnostic {
  return problem(
    'PT1225',
    span,
    `${shown(list)} is a list of objects, which has no value of its own.`,
    `Ask its elements: any of ${shown(list)} has it.… – or every of, or no one of.`,
  );
}

export function memberOfList(span: Span, path: string, list: string, member: string): Diagnostic {
  return problem(
    'PT1225',
    span,
    `${shown(list)} is a list of objects, so ${shown(path)} is not one value.`,
    `Ask its elements: any of ${shown(list)} has ${shown(member)} … – or every of, or no one of.`,
  );
}

export function notOfElement(span: Span, text: string, list: string): Diagnostic {
  return problem(
    'PT1223',
    span,
    `${shown(text, TEST_CHARACTERS_MAX)} says nothing of \`it\`, the element of ${shown(list)}.`,
    `Put the question about the list in parentheses, and this beside it: (… of ${shown(list)} has …) and ….`,
  );
}

/** The test is what the message is about. */
const TEST_CHARACTERS_MAX = 120;

export function eachWithEach(span: Span, list: string, other: string): Diagnostic {
  return problem(
    'PT1224',
    span,
    `This looks each element of ${shown(list)} up in ${shown(other)}, and callers choose how long both are.`,
    'Compare with a list of the configuration or of the caller, or with one member of the body.',
  );
}
