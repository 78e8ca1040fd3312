import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import type { Route } from '../../model/world.ts';
import { problem, shown } from './problem.ts';

/** PT1120: what schemas of request bodies do not say. */

/** `route`: one that says nothing of its bodies; null when none does. `meant`: what calls to models have in its place; null: nothing. */
export function bodyNotDescribed(
  span: Span,
  fact: string,
  route: Route | null,
  meant: string | null,
): Diagnostic {
  const which =
    route === null ? 'No route describes' : `Route "${route.name}" (${route.place}) does not describe`;
  return problem(
    'PT1120',
    span,
    `${which} its request body, so ${shown(fact)} says nothing.`,
    meant === null
      ? 'Give the route request.schema, or narrow "applies to" to routes that have one.'
      : `Write ${meant}: the bound of the answer, in whichever field the dialect of a call has it.`,
  );
}

export function unknownMember(
  span: Span,
  fact: string,
  { route, file }: { readonly route: Route; readonly file: string },
  suggestion: string | null,
  members: readonly string[],
): Diagnostic {
  const help =
    suggestion !== null
      ? `Did you mean ${suggestion}?`
      : members.length === 0
        ? 'The schema names no member that rules can read.'
        : `It has ${members.slice(0, MEMBERS_SHOWN_MAX).join(', ')}${members.length > MEMBERS_SHOWN_MAX ? ' …' : ''}.`;
  return problem(
    'PT1120',
    span,
    `The schema of route "${route.name}" (${file}) has no ${shown(fact)}.`,
    help,
  );
}

export function memberOfTwoTypes(
  span: Span,
  fact: string,
  routes: readonly Route[],
  types: readonly string[],
): Diagnostic {
  const [one, other] = routes.map((route, at) => `${types[at]} on route "${route.name}"`);
  return problem(
    'PT1120',
    span,
    `${shown(fact)} is ${one}, but ${other}.`,
    'Narrow "applies to" to routes where it is the same, or write a policy for each.',
  );
}

const MEMBERS_SHOWN_MAX = 8;

const VERBS = { cap: 'capped', default: 'given a default' } as const;

export function notShapeable(span: Span, path: string, kind: keyof typeof VERBS, why: string): Diagnostic {
  return problem(
    'PT2122',
    span,
    `${shown(path)} cannot be ${VERBS[kind]}: ${why}.`,
    kind === 'cap'
      ? 'Name a number or a date of the body, such as request.body.amount.'
      : 'Name one value of the body, such as request.body.currency.',
  );
}

export function outsideSchema(
  span: Span,
  path: string,
  { route, file }: { readonly route: Route; readonly file: string },
  allowed: string,
): Diagnostic {
  return problem(
    'PT2123',
    span,
    `The service behind route "${route.name}" would refuse this value of ${shown(path)}: ${file} allows ${allowed}.`,
    'Write a value that the schema allows, or change the schema.',
  );
}
