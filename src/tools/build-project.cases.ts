import type { DiagnosticCode } from '../diagnostics/catalogue.ts';

/** A wrong project and the exact text that explains it: every code about policies and routes together has one. */
export interface ProjectCase {
  readonly code: DiagnosticCode;
  readonly what: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly rendered: string;
}

const SHOP = `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  list-orders: { service: shop, match: { path: /orders }, tags: [v1] }
  refund: { service: shop, match: { methods: [POST], path: /refunds }, tags: [v1] }
`;
const LIVE = `services: { live: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  news: { service: live, match: { path: /news }, websocket: {} }
`;
const MANY_LIMITS = Array.from(
  { length: 65 },
  (_, at) => `  limit "l${at + 1}" at most 5 requests in any 1m  in total`,
).join('\n');

export const PROJECT_CASES: readonly ProjectCase[] = [
  {
    code: 'PT2201',
    what: 'one header, two values',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
policy "gold"
    applies to routes tagged "v1"
{
    permit
    set header "x-tier" to "gold" in request
}
`,
      'policies/b.policy': `language 1
policy "silver"
    applies to route "refund"
{
    set header "X-Tier" to "silver" in request
}
`,
    },
    rendered: `error[PT2201]: Policies "gold" and "silver" set the request header "x-tier" to "gold" and to "silver" on route "refund", and both can hold for one request.
  --> policies/b.policy:5:5
   |
 5 |     set header "X-Tier" to "silver" in request
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
note: the other rule
  --> policies/a.policy:6:5
   |
 6 |     set header "x-tier" to "gold" in request
   |     ----------------------------------------
   = help: Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.

1 error.
`,
  },
  {
    code: 'PT2201',
    what: 'a header set and removed',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
policy "p" {
    permit
    set header "x-tenant" to "{tenant.name}" in request
    remove header "x-tenant" in request  when request.method is "POST"
}
`,
    },
    rendered: `error[PT2201]: Policy "p" sets and removes the request header "x-tenant" on routes "list-orders", "refund", and both can hold for one request.
  --> policies/a.policy:4:5
   |
 4 |     set header "x-tenant" to "{tenant.name}" in request
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
note: the other rule
  --> policies/a.policy:5:5
   |
 5 |     remove header "x-tenant" in request  when request.method is "POST"
   |     ------------------------------------------------------------------
   = help: Keep one, make the values equal, or make the conditions exclude each other: compare one fact with different values.

1 error.
`,
  },
  {
    code: 'PT2202',
    what: 'more limits than one step can take',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1\npolicy "p" applies to route "refund" {\n${MANY_LIMITS}\n}\npolicy "q" { permit }\n`,
    },
    rendered: `error[PT2202]: 65 enforced limits apply to route "refund"; at most 64 can be taken in one step.
  --> policies/a.policy:11:3
   |
11 |   limit "l9" at most 5 requests in any 1m  in total
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
note: the first of them
  --> policies/a.policy:3:3
   |
 3 |   limit "l1" at most 5 requests in any 1m  in total
   |   -------------------------------------------------
   = help: Merge limits that say the same, or narrow what their policies apply to.

1 error.
`,
  },
  {
    code: 'PT2203',
    what: 'a mask on a route that opens WebSockets',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/live.yaml': LIVE,
      'policies/a.policy': `language 1
policy "personal-data"
{
    permit
    mask email in request
}
`,
    },
    rendered: `error[PT2203]: Route "news" opens WebSockets, whose messages pass unread: nothing can be masked in them.
  --> policies/a.policy:5:5
   |
 5 |     mask email in request
   |     ^^^^^^^^^^^^^^^^^^^^^
   = help: Narrow what the policy applies to.

1 error.
`,
  },
  {
    code: 'PT2401',
    what: 'a route without any permit',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
policy "reading"
    applies to route "list-orders"
{
    permit
}
`,
    },
    rendered: `error[PT2401]: Route "refund" can never be permitted: no enforced policy with a permit applies to it.
  --> routes/shop.yaml:4:3
   |
 4 |   refund: { service: shop, match: { methods: [POST], path: /refunds }, tags: [v1] }
   |   ^^^^^^
   = help: Write a permit for it, or widen what a policy applies to.

1 error.
`,
  },
  {
    code: 'PT2401',
    what: 'a permit that is only in shadow',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
policy "shop" {
    permit when consumer is subscribed to route
}
`,
      'enforcement.yaml': 'policies:\n  shop: shadow\n',
    },
    rendered: `error[PT2401]: Routes "list-orders", "refund" can never be permitted: no enforced policy with a permit applies to them.
  --> routes/shop.yaml:3:3
   |
 3 |   list-orders: { service: shop, match: { path: /orders }, tags: [v1] }
   |   ^^^^^^^^^^^
note: the route "refund"
  --> routes/shop.yaml:4:3
   |
 4 |   refund: { service: shop, match: { methods: [POST], path: /refunds }, tags: [v1] }
   |   ------
note: "shop" is in shadow mode
  --> enforcement.yaml:2:3
   |
 2 |   shop: shadow
   |   ----
   = help: Enforce "shop", which would permit requests to them, or write another permit.

1 error.
`,
  },
  {
    code: 'PT2501',
    what: 'reviews that are overdue, and some that are not',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
policy "a" owner "ops@shop.example" review every 90 days reviewed 2026-10-16 { permit }
policy "b" review every 90 days reviewed 2026-10-17 { permit }
policy "c" review by 2027-01-14 { permit }
policy "d" review by 2027-01-15 { permit }
policy "e" review every 4w { permit }
`,
    },
    rendered: `warning[PT2501]: The policy "a" was to be reviewed by 2027-01-14.
  --> policies/a.policy:2:67
   |
 2 | policy "a" owner "ops@shop.example" review every 90 days reviewed 2026-10-16 { permit }
   |                                                                   ^^^^^^^^^^
   = help: Have ops@shop.example look through it, and write the new date.

warning[PT2501]: The policy "c" was to be reviewed by 2027-01-14.
  --> policies/a.policy:4:22
   |
 4 | policy "c" review by 2027-01-14 { permit }
   |                      ^^^^^^^^^^
   = help: Look through it, and write the new date.

warning[PT2501]: Nobody has said when the policy "e" was last reviewed.
  --> policies/a.policy:6:25
   |
 6 | policy "e" review every 4w { permit }
   |                         ^^
   = help: Look through it, and write the date as \`reviewed 2027-03-31\` in the head of the policy.

3 warnings.
`,
  },
  {
    code: 'PT2502',
    what: 'a policy that ended yesterday, in its zone',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': SHOP,
      'policies/a.policy': `language 1
zone America/New_York
policy "open" { permit }
policy "sale" effective from 2026-12-01 until 2027-01-13 { timeout 1s }
policy "winter" effective until 2027-01-14 { timeout 2s }
`,
    },
    rendered: `warning[PT2502]: The policy "sale" is no longer in force: its last day was 2027-01-13.
  --> policies/a.policy:4:8
   |
 4 | policy "sale" effective from 2026-12-01 until 2027-01-13 { timeout 1s }
   |        ^^^^^^
   = help: Remove it, or let it end later.

1 warning.
`,
  },
  {
    code: 'PT2402',
    what: 'a deprecated route that callers are not told of',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  v1: { service: shop, match: { path: "/v1/orders/{id}" }, state: deprecated }
  v2: { service: shop, match: { path: "/v2/orders/{id}" } }
`,
      'policies/a.policy': `language 1
policy "open" { permit }
policy "going" applies to route "v1" {
    timeout 1s
}
`,
    },
    rendered: `warning[PT2402]: Route "v1" is deprecated, and no rule tells callers so.
  --> routes/shop.yaml:3:3
   |
 3 |   v1: { service: shop, match: { path: "/v1/orders/{id}" }, state: deprecated }
   |   ^^
   = help: Write a policy with \`deprecate from DATE sunset DATE successor route "…"\` for it.

1 warning.
`,
  },
  {
    code: 'PT2503',
    what: 'a route that callers are told is deprecated',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  v1: { service: shop, match: { path: "/v1/orders/{id}" } }
  v2: { service: shop, match: { path: "/v2/orders/{id}" } }
`,
      'policies/a.policy': `language 1
policy "open" { permit }
policy "going" applies to route "v1" {
    deprecate from 2027-01-15 sunset 2027-03-31 successor route "v2"
}
`,
    },
    rendered: `warning[PT2503]: Callers are told that route "v1" (routes/shop.yaml:3:3) is deprecated since 2027-01-15, but its state is published.
  --> policies/a.policy:4:5
   |
 4 |     deprecate from 2027-01-15 sunset 2027-03-31 successor route "v2"
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write \`state: deprecated\` there, so that the configuration says the same.

1 warning.
`,
  },
  {
    code: 'PT2504',
    what: 'a route that is served after its sunset',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  v1: { service: shop, match: { path: "/v1/orders/{id}" }, state: deprecated }
  v2: { service: shop, match: { path: "/v2/orders/{id}" } }
`,
      'policies/a.policy': `language 1
policy "open" { permit }
policy "going" applies to route "v1" {
    deprecate from 2026-01-01 sunset 2027-01-14
}
`,
    },
    rendered: `warning[PT2504]: The sunset of route "v1" (routes/shop.yaml:3:3) was 2027-01-14, and it is still served.
  --> policies/a.policy:4:5
   |
 4 |     deprecate from 2026-01-01 sunset 2027-01-14
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write \`state: retired\` there (requests are answered with 410 then), or a later sunset.

1 warning.
`,
  },
];
