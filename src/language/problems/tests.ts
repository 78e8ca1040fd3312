import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { nearest } from '../../diagnostics/suggest.ts';
import type { Route } from '../../model/world.ts';
import type { TextNode } from '../ast.ts';
import { unknownName } from './names.ts';
import { alternatives, problem, shown } from './problem.ts';

/** PT14xx: tests that test nothing, or something that cannot happen. One factory per code. */

const ORDER = {
  'given-late': [
    'What is given stands before everything that is sent.',
    'Move it up; what differs between two steps is said behind `sent`: … is sent with header "x" is "y".',
  ],
  'expect-early': ['Nothing has been sent yet.', 'Write `when GET /path is sent` before this line.'],
  'nothing-sent': ['This test sends nothing.', 'Write `when GET /path is sent` and `expect permitted`.'],
  'nothing-expected': [
    'Nothing is expected of what is sent here.',
    'Write `expect permitted`, or `expect refused 403 by "policy" "rule"`.',
  ],
} as const;

export function testOrder(span: Span, what: keyof typeof ORDER): Diagnostic {
  const [message, help] = ORDER[what];
  return problem('PT1401', span, message, help);
}

const WHO = {
  'nobody-and-somebody': ['This caller contradicts `no identity`.', 'Keep one of the two.'],
  'not-together': [
    'Nobody in the project is all of this at once: the team or consumer belongs to another tenant.',
    'Leave out the tenant, or name one of its own.',
  ],
  'not-a-list': ['This attribute has one value, not a list.', 'Write the value without brackets.'],
} as const;

export function whoCalls(span: Span, what: keyof typeof WHO, about = ''): Diagnostic {
  const [message, help] = WHO[what];
  return problem('PT1402', span, about === '' ? message : `${about}: ${message}`, help);
}

export function severalTenants(
  span: Span,
  what: string,
  name: string,
  tenants: readonly string[],
): Diagnostic {
  return problem(
    'PT1402',
    span,
    `Several tenants have a ${what} "${shown(name)}".`,
    `Say which: tenant ${alternatives(tenants.map((tenant) => `"${tenant}"`))}.`,
  );
}

/** A name that tests demand to be there. `known`: every name, and where it is ('' when nowhere in particular). */
export function unknownThing(
  { value, span }: TextNode,
  what: string,
  known: ReadonlyMap<string, string>,
): Diagnostic {
  if (what === 'rule' && known.size === 0)
    return problem(
      'PT1101',
      span,
      `There is no rule "${shown(value)}".`,
      'No rule of that policy has a name.',
    );
  const near = nearest(value, known.keys());
  const place = near === null ? '' : known.get(near)!;
  return unknownName(
    span,
    what,
    value,
    near === null ? null : { name: near, place: place === '' ? null : place },
    [...known.keys()].sort(),
  );
}

export function noRoute(span: Span, asked: string, hidden: Route | null, near: Route | null): Diagnostic {
  if (hidden !== null) {
    return problem(
      'PT1403',
      span,
      `Route "${hidden.name}" is ${hidden.state}, so the gateway does not serve it (${hidden.place}).`,
      'Test a route that is published, deprecated or retired.',
    );
  }
  const help =
    near === null
      ? 'Write the method and path of a route of the project.'
      : `Route "${near.name}" answers ${[near.match.methods.join(', '), near.match.path].join(' ').trim()} (${near.place}).`;
  return problem('PT1403', span, `No route answers ${shown(asked)}.`, help);
}

export function saysNothing(span: Span): Diagnostic {
  return problem(
    'PT1401',
    span,
    'This says nothing of what the model answers.',
    'Write its text, or what it used: model "…" replies "Hello" with 10 input tokens and 20 output tokens.',
  );
}

/** `model` of a request to a service. */
export function noCalls(span: Span, route: string): Diagnostic {
  return problem(
    'PT1403',
    span,
    `Route "${shown(route)}" sends no calls to models.`,
    'Send to a route with `ai`, or leave out the model.',
  );
}

/** The answer of a service says what it cost where its route says so; of a call to a model, the model's price does. */
export function untoldCost(span: Span, { name, cost, place }: Route): Diagnostic {
  return problem(
    'PT1404',
    span,
    `Route "${shown(name)}" ${cost === null ? 'does not say what a request costs' : 'has a price, whatever is answered'} (${place}).`,
    cost === null
      ? 'Say in its file where answers tell it: `cost: { header: x-cost, atMost: $1 }`, or leave out the cost here.'
      : 'Leave out the cost: each request costs the price of the route.',
  );
}

export function badTestAmount(span: Span, message: string): Diagnostic {
  return problem('PT1404', span, message, 'Write an amount that can be.');
}

/** `why`: a sentence. */
export function badElement(span: Span, why: string): Diagnostic {
  return problem('PT1404', span, why, 'Write `body.items[1].…` for the first element, then [2], and so on.');
}

/** `what`: a duration or a share. */
export function noUnitInJson(span: Span, text: string, what: string): Diagnostic {
  return problem(
    'PT1404',
    span,
    `JSON has numbers, but nothing that is ${what}: ${shown(text)} could be written there in several ways.`,
    'Write the number that a caller would send.',
  );
}

export function neverRefuses(span: Span, rule: string, kind: string): Diagnostic {
  return problem(
    'PT1405',
    span,
    `"${shown(rule)}" is a ${kind}: it never refuses or warns.`,
    'Name a forbid, require, limit, quota or budget.',
  );
}

export function countedByTarget(span: Span, rule: string): Diagnostic {
  return problem(
    'PT1405',
    span,
    `"${shown(rule)}" is counted by the key or target that a call goes to, and tests choose none: it never refuses in one.`,
    'Test the other rules: a key is chosen by the running gateway alone.',
  );
}

export function neverAlerts(span: Span, rule: string, kind: string): Diagnostic {
  return problem(
    'PT1405',
    span,
    `"${shown(rule)}" is a ${kind.replace('-', ' ')}: it never alerts.`,
    'Name an alert.',
  );
}

export function testTwice(span: Span, name: string, first: Span): Diagnostic {
  return problem(
    'PT1406',
    span,
    `There are two tests "${shown(name)}" in this file.`,
    'Give one another name.',
    [{ span: first, message: 'the other one' }],
  );
}

export function policyInTestFile(span: Span): Diagnostic {
  return problem(
    'PT1407',
    span,
    'Files named *.test.policy hold tests, not policies: the gateway does not read them.',
    'Move the policy to a file named *.policy.',
  );
}
