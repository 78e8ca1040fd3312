/** Every code about all policies and routes together, with the exact text it gives. */
import {
  cache,
  deprecate,
  fact,
  forbid,
  is,
  limit,
  mask,
  member,
  permit,
  policies,
  policy,
  removeHeader,
  routeTo,
  setHeader,
  tagged,
} from '../../test/compiler/ast.ts';
import { OPEN_BODY } from '../../test/compiler/bodies.ts';
import { route, world } from '../../test/compiler/world.ts';
import type { CheckedPolicies } from '../language/typed.ts';
import type { World } from '../model/world.ts';

export interface FindingCase {
  readonly code: string;
  readonly what: string;
  readonly policies: CheckedPolicies;
  readonly world: World;
  readonly message: string;
  readonly help: string;
  readonly related: readonly string[];
}

const OPEN = policy('open', {}, [permit()]);
const SECONDS = { kind: 'window', amount: 1, windowMs: 1_000 } as const;
const WEBSOCKET = { idleMs: 60_000, totalMs: 3_600_000 };
const HEADER_HELP =
  'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.';

export const FINDING_CASES: readonly FindingCase[] = [
  {
    code: 'PT2203',
    what: 'a mask on a route that opens WebSockets',
    policies: policies(
      OPEN,
      policy('data', {}, [mask({ kinds: ['email'], patterns: [] }, ['request', 'response'], '*')]),
    ),
    world: world({
      routes: [route('chat', { websocket: WEBSOCKET }), route('orders')],
    }),
    message: 'Route "chat" opens WebSockets, whose messages pass unread: nothing can be masked in them.',
    help: 'Narrow what the policy applies to.',
    related: [],
  },
  {
    code: 'PT2401',
    what: 'a route without any permit',
    policies: policies(policy('api', { scope: tagged('api') }, [permit()])),
    world: world(),
    message: 'Route "health" can never be permitted: no enforced policy with a permit applies to it.',
    help: 'Write a permit for it, or widen what a policy applies to.',
    related: [],
  },
  {
    code: 'PT2401',
    what: 'routes whose only permit is in shadow',
    policies: policies(OPEN),
    world: world({ modes: { open: 'shadow' } }),
    message:
      'Routes "catalogue", "health", "orders" and 1 more can never be permitted: no enforced policy with a permit applies to them.',
    help: 'Enforce "open", which would permit requests to them, or write another permit.',
    related: [],
  },
  {
    code: 'PT2201',
    what: 'calls routed to pools in two orders',
    policies: policies(
      OPEN,
      policy('b', {}, [routeTo(['two', 'one'])]),
      policy('a', {}, [routeTo(['one', 'two'])]),
    ),
    world: world({ routes: [route('orders')] }),
    message:
      'Policies "a" and "b" route to pool "one" then "two" and to pool "two" then "one" on route "orders", and both can hold for one request.',
    help: HEADER_HELP,
    related: ['the other rule'],
  },
  {
    code: 'PT2201',
    what: 'answers kept for two times',
    policies: policies(
      OPEN,
      policy('b', {}, [cache(90_000)]),
      policy('a', {}, [cache(600_000, { when: is(fact('request.method'), 'GET') })]),
    ),
    world: world({ routes: [route('orders')] }),
    message:
      'Policies "a" and "b" let answers be kept for 10m and for 90s on route "orders", and both can hold for one request.',
    help: HEADER_HELP,
    related: ['the other rule'],
  },
  {
    code: 'PT2201',
    what: 'one field set to two values',
    policies: policies(
      OPEN,
      policy('a', { scope: tagged('money') }, [setHeader('x-a', 'one')]),
      policy('b', {}, [setHeader('x-a', 'two', { when: is(fact('request.method'), 'GET') })]),
    ),
    world: world(),
    message:
      'Policies "a" and "b" set the request header "x-a" to "one" and to "two" on route "refunds", and both can hold for one request.',
    help: HEADER_HELP,
    related: ['the other rule'],
  },
  {
    code: 'PT2201',
    what: 'a field set and removed',
    policies: policies(
      OPEN,
      policy('a', { scope: tagged('money') }, [setHeader('x-a', 'one', { side: 'response' })]),
      policy('b', {}, [removeHeader('x-a', { side: 'response' }), forbid('x')]),
    ),
    world: world(),
    message:
      'Policy "a" sets the response header "x-a" and policy "b" removes it on route "refunds", and both can hold for one request.',
    help: HEADER_HELP,
    related: ['the other rule'],
  },
  {
    code: 'PT2202',
    what: 'more limits than one step can take',
    policies: policies(
      OPEN,
      policy(
        'a',
        { scope: tagged('money') },
        Array.from({ length: 65 }, (_, at) => limit(`l${at}`, { window: SECONDS })),
      ),
    ),
    world: world(),
    message: '65 enforced limits apply to route "refunds"; at most 64 can be taken in one step.',
    help: 'Merge limits that say the same, or narrow what their policies apply to.',
    related: ['the first of them'],
  },
  {
    code: 'PT2202',
    what: 'more limits than one step can take, in a policy that watches',
    policies: policies(
      OPEN,
      policy(
        'a',
        { scope: tagged('money') },
        Array.from({ length: 65 }, (_, at) => limit(`l${at}`, { window: SECONDS })),
      ),
    ),
    world: world({ modes: { a: 'warn' } }),
    message: '65 limits of policy "a" apply to route "refunds"; at most 64 can be taken in one step.',
    help: 'Merge limits that say the same, or narrow what their policies apply to.',
    related: ['the first of them'],
  },
  {
    code: 'PT2402',
    what: 'a deprecated route that callers are not told of, whatever a shadowed policy says',
    policies: policies(policy('open', {}, [permit()]), policy('going', {}, [deprecate(null)])),
    world: world({
      routes: [route('old', { state: 'deprecated' }), route('older', { state: 'deprecated' }), route('new')],
      modes: { going: 'shadow' },
    }),
    message: 'Routes "old", "older" are deprecated, and no rule tells callers so.',
    help: 'Write a policy with `deprecate from DATE sunset DATE successor route "…"` for it.',
    related: [],
  },
  {
    code: 'PT2201',
    what: 'two defaults of one member',
    policies: policies(
      OPEN,
      policy('a', {}, [member('default', 'request.body.currency', 'EUR')]),
      policy('b', {}, [
        member('default', 'request.body.currency', 'USD', { when: is(fact('request.method'), 'PUT') }),
        member('cap', 'request.body.amount', 5),
        member('cap', 'request.body.amount', 6),
      ]),
    ),
    world: world({ routes: [route('pay', { requestBody: OPEN_BODY })] }),
    message:
      'Policies "a" and "b" default request.body.currency to "EUR" and to "USD" on route "pay", and both can hold for one request.',
    help: 'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.',
    related: ['the other rule'],
  },
  {
    code: 'PT2201',
    what: 'two defaults of one member that is a date',
    policies: policies(
      policy('a', {}, [
        permit(),
        member('default', 'request.body.due', 20_818),
        member('default', 'request.body.due', 20_819),
      ]),
    ),
    world: world({ routes: [route('pay', { requestBody: OPEN_BODY })] }),
    message:
      'Two rules of policy "a" default request.body.due to 2026-12-31 and to 2027-01-01 on route "pay", and both can hold for one request.',
    help: 'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.',
    related: ['the other rule'],
  },
  {
    code: 'PT2201',
    what: 'two deprecations of one route with different dates',
    policies: policies(
      policy('a', {}, [permit(), deprecate('/v2')]),
      policy('b', {}, [{ ...deprecate('/v3'), fromDay: 20_700 }]),
    ),
    world: world({ routes: [route('old', { state: 'deprecated' })] }),
    message:
      'Policies "a" and "b" set the response header "deprecation" to "@1793487600" and to "@1788472800" on route "old", and both can hold for one request.',
    help: 'Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.',
    related: ['the other rule'],
  },
];
