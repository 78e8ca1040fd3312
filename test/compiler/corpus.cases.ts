/**
 * What compiled code or the reference interpreter once got wrong, or would get wrong first: a failure that the differential
 * test or a property of decisions finds becomes a case here, and they are replayed before anything is drawn. The
 * differential test prints the case of a failure in this form.
 */
import type { CorpusCase } from './corpus.ts';
import { callTo } from './random-world.ts';

const TWELVE = Array.from({ length: 12 }, (_, index) => index);
const WEB = { tenant: 'acme', consumer: 'web' } as const;
/** What every tenant has to have, of networks that no request comes from. */
const NOWHERE = { addresses: [], office: '198.51.100.0/24' } as const;

export const CORPUS: readonly CorpusCase[] = [
  {
    what: 'an attribute named like what every object inherits is there only for those who have it',
    routes: { orders: {} },
    policies: 'policy "p" { permit  forbid when tenant.constructor is present }',
    steps: [
      { caller: WEB },
      { caller: { ...WEB, tenantAttributes: Object.fromEntries([['constructor', 'x']]) } },
      {},
    ],
    ends: ['permitted', 'forbidden', 'permitted'],
  },
  {
    what: 'a question mark stands for a character, also for one of two units',
    routes: { orders: {} },
    policies:
      'policy "p" { permit  forbid when request.parameter["id"] is present and request.parameter["id"] like "R????" }',
    steps: [{ parameters: ['Rößl\u{1f600}'] }, { parameters: ['Rößl'] }],
    ends: ['forbidden', 'permitted'],
  },
  {
    what: 'an IPv4 address written as IPv6 is in the networks of IPv4',
    routes: { orders: {} },
    policies: 'policy "p" { permit  forbid when request.ip in ["10.0.0.0/8"] }',
    steps: [{ ip: '::ffff:10.1.2.3' }, { ip: '10.1.2.3' }, { ip: '::ffff:11.1.2.3' }],
    ends: ['forbidden', 'forbidden', 'permitted'],
  },
  {
    what: 'networks and addresses of the directory are asked like written ones, for each caller its own',
    routes: { orders: { auth: 'required' } },
    policies: `policy "p" { permit
  forbid "out" status 404 when tenant.networks is present and request.ip not in tenant.networks
  forbid "listed" status 403 when request.ip in tenant.addresses
  forbid "own" status 410 when consumer.address is present and request.ip is consumer.address
  forbid "office" status 418 when request.ip in tenant.office
}`,
    steps: [
      { ip: '10.1.2.3', caller: { ...WEB, tenantAttributes: { networks: ['10.0.0.0/8'], ...NOWHERE } } },
      { ip: '11.1.2.3', caller: { ...WEB, tenantAttributes: { networks: ['10.0.0.0/8'], ...NOWHERE } } },
      { ip: '10.1.2.3', caller: { ...WEB, tenantAttributes: { networks: [], ...NOWHERE } } },
      { ip: '11.1.2.3', caller: { ...WEB, tenantAttributes: NOWHERE } },
      { ip: '0:0::1', caller: { ...WEB, tenantAttributes: { ...NOWHERE, addresses: ['::2', '::1'] } } },
      {
        ip: '0:0::1',
        caller: { ...WEB, tenantAttributes: NOWHERE, consumerAttributes: { address: '::1' } },
      },
      { ip: '10.1.2.3', caller: { ...WEB, tenantAttributes: { ...NOWHERE, office: '10.1.0.0/16' } } },
    ],
    ends: ['permitted', 'forbidden', 'forbidden', 'permitted', 'forbidden', 'forbidden', 'forbidden'],
  },
  {
    what: 'a consumer named like an address has a counter of its own',
    routes: { orders: {} },
    policies:
      'policy "p" { permit  limit at most 1 requests in any 60s  for each consumer.name otherwise request.ip }',
    steps: [{ caller: { consumer: '192.0.2.1' } }, {}, { caller: { consumer: '192.0.2.1' } }],
    ends: ['permitted', 'permitted', 'limit_exceeded'],
  },
  {
    what: 'an item that a list holds twice counts once where rules stand in a table',
    routes: { orders: { auth: 'required' } },
    policies: TWELVE.map(
      (at) =>
        `policy "crowd ${at}" applies to tenant.regions is present and tenant.regions contains "v${at}" { permit  limit "of-crowd" at most 2 requests in any 60s  in total }`,
    ).join('\n'),
    steps: Array.from({ length: 3 }, () => ({
      caller: { ...WEB, tenantAttributes: { regions: ['v3', 'v3'] } },
    })),
    ends: ['permitted', 'permitted', 'limit_exceeded'],
  },
  {
    what: 'results beyond 2^53 are kept within their bounds',
    routes: { orders: { auth: 'required' } },
    policies: 'policy "p" { permit  forbid when tenant.tier * 9007199254740991 > 9007199254740990 }',
    steps: [
      { caller: { ...WEB, tenantAttributes: { tier: 2 } } },
      { caller: { ...WEB, tenantAttributes: { tier: 0 } } },
    ],
    ends: ['forbidden', 'permitted'],
  },
  {
    what: 'a query parameter is compared as it is read, not as it is written',
    routes: { orders: {} },
    policies:
      'policy "p" { permit  forbid when request.query["a"] is present and request.query["a"] is "red" }',
    steps: [{ query: 'a=%72ed&c' }, { query: '&&=x&a' }, { query: 'b=blue&a=red' }],
    ends: ['forbidden', 'permitted', 'forbidden'],
  },
  {
    what: 'hours over midnight belong to the day on which they begin: a holiday on the next does not end them',
    routes: { orders: {} },
    policies: `holidays "new year" 2027-01-01
calendar "night" in UTC  thu 20:00..02:00, fri 03:00..04:00 except holidays "new year"
policy "p" { permit  forbid when outside "night" }`,
    steps: [{}, { afterMs: 4 * 3_600_000 }, { afterMs: 2 * 3_600_000 + 1_800_000 }],
    ends: ['permitted', 'permitted', 'forbidden'],
  },
  {
    what: 'a request that is refused takes nothing from the limit that has room',
    routes: { orders: {} },
    policies: `policy "p" { permit
  limit "wide" at most 2 requests in any 60s  in total
  limit "narrow" at most 1 requests in any 1s  in total
}`,
    steps: [{}, {}, { afterMs: 2_000 }, { afterMs: 2_000 }],
    ends: ['permitted', 'limit_exceeded', 'permitted', 'limit_exceeded'],
  },
  {
    what: 'a slot is given back by the end of its request, a pace only by time',
    routes: { orders: {} },
    policies:
      'policy "p" { permit  limit 1 requests per 1s, burst 1  in total  limit "none" at most 1 requests at once  in total }',
    steps: [{}, { afterMs: 2_000 }, { afterMs: 2_000, releasesEarlier: true }],
    ends: ['permitted', 'limit_exceeded', 'permitted'],
  },
  {
    what: 'of several denials that of the first rank answers',
    routes: { orders: { auth: 'required' } },
    policies: `policy "b" { permit  forbid "x" status 451 }
policy "a" { forbid "y" status 404  forbid "z" status 410 }`,
    steps: [{ caller: WEB }],
    ends: ['forbidden'],
  },
  {
    what: 'a limit in shadow counts by itself',
    routes: { orders: {} },
    modes: { shadowed: 'shadow' },
    policies: `policy "shadowed" { limit at most 1 requests in any 60s  in total }
policy "p" { permit  limit at most 2 requests in any 60s  in total }`,
    steps: [{}, {}, {}],
    ends: ['permitted', 'permitted', 'limit_exceeded'],
  },
  {
    what: 'header changes that stand in a table are made for whom they are meant',
    routes: { orders: { auth: 'required' } },
    policies: `policy "p" { permit }\n${TWELVE.map(
      (at) => `policy "crowd ${at}" applies to tenant is "v${at}" { set header "x-a" to "${at}" in request }`,
    ).join('\n')}`,
    steps: [{ caller: { tenant: 'v7' } }, { caller: WEB }],
    ends: ['permitted', 'permitted'],
  },
  {
    what: 'an element of a list that is not the first one fits',
    routes: { orders: { auth: 'required' } },
    policies:
      'policy "p" { permit  forbid when tenant.regions is present and any of tenant.regions has (it like "r*") }',
    steps: [
      { caller: { ...WEB, tenantAttributes: { regions: ['blue', 'red'] } } },
      { caller: { ...WEB, tenantAttributes: { regions: ['blue'] } } },
    ],
    ends: ['forbidden', 'permitted'],
  },
  {
    what: 'the elements of a list that the route decides stand in place of it',
    routes: { orders: { tags: ['api', 'money'] }, refunds: { tags: ['ai'] }, health: {} },
    policies: 'policy "p" { permit  forbid when any of route.tags has it is not "api" and it like "m*" }',
    steps: [{ route: 'orders' }, { route: 'refunds' }, { route: 'health' }],
    ends: ['forbidden', 'permitted', 'permitted'],
  },
  {
    what: 'an element of a list in a body is always there',
    routes: { orders: { body: 'strict' } },
    policies:
      'policy "p" { permit  forbid when request.body.labels is present and every of request.body.labels has it is not "red" and it is not "blue" }',
    steps: [[], ['white', 'red'], ['white', 'black']].map((labels) => ({
      body: { currency: 'EUR', urgent: true, order: { id: 'a' }, items: [], labels },
    })),
    ends: ['forbidden', 'permitted', 'forbidden'],
  },
  {
    what: 'what a loop computes for an element does not hide what was computed before it',
    routes: { orders: { body: 'strict' } },
    policies:
      'policy "p" { permit  forbid when any of request.body.items has it.price is present and it.price > 5 and it.price < 100  forbid when any of request.body.items has it.sku is "red" }',
    steps: [
      [{ sku: 'a', price: 7 }],
      [{ sku: 'a', price: 100 }, { sku: 'red' }],
      [{ sku: 'a', price: null }],
    ].map((items) => ({ body: { currency: 'EUR', urgent: true, order: { id: 'a' }, items } })),
    ends: ['forbidden', 'forbidden', 'permitted'],
  },
  {
    what: 'of a list in an element each is asked about its own',
    routes: { orders: { body: 'strict' } },
    policies:
      'policy "p" { permit  forbid when any of request.body.items has it.sku is "red" and it.parts is present and no one of it.parts has it.code is "blue" }',
    steps: [
      [
        { sku: 'a', parts: [{ code: 'x' }] },
        { sku: 'red', parts: [{ code: 'x' }, { code: 'blue' }] },
      ],
      [
        { sku: 'a', parts: [{ code: 'blue' }] },
        { sku: 'red', parts: [{ code: 'x' }] },
      ],
      [{ sku: 'red' }],
    ].map((items) => ({ body: { currency: 'EUR', urgent: true, order: { id: 'a' }, items } })),
    ends: ['permitted', 'forbidden', 'permitted'],
  },
  {
    what: 'a share of nobody holds for none, one of everybody for all, and none for callers without identity',
    routes: { orders: {} },
    policies:
      'policy "p" { permit  forbid "a" 0% of requests  forbid "b" 100% of requests when request.method is "PUT"  forbid "c" 100% of tenants when tenant is present }',
    steps: [{}, { method: 'PUT' }, { caller: WEB }],
    ends: ['permitted', 'forbidden', 'forbidden'],
  },
  {
    what: 'a request that comes again by the same id is in the same share',
    routes: { orders: {} },
    policies: 'policy "p" { permit  forbid 50% of requests }',
    steps: TWELVE.map((index) => ({ id: { high: index % 2, low: 7 } })),
    ends: TWELVE.map((index) => (index % 2 === 0 ? 'forbidden' : 'permitted')),
  },
  {
    what: 'what a default sets is capped too, null is missing, and no object is made for a member',
    routes: { orders: { body: 'open' } },
    policies:
      'policy "p" { permit  cap request.body.amount at 100  default request.body.amount to 700  cap request.body.amount at 300  default request.body.order.lines to 1  default request.body.due to 2027-01-01 }',
    steps: [{ amount: null }, { amount: 501, order: {} }, { due: '2026-12-31' }].map((body) => ({
      body,
    })),
    ends: ['permitted', 'permitted', 'permitted'],
  },
  {
    what: 'defaults and caps that stand in tables are of one member, each made for whom it is meant',
    routes: { orders: { auth: 'required', body: 'open' } },
    policies: `policy "p" { permit }\n${TWELVE.map(
      (at) =>
        `policy "crowd ${at}" applies to tenant is "v${at}" { default request.body.amount to ${at + 300}  cap request.body.amount at ${at + 100} }`,
    ).join('\n')}`,
    steps: [
      { caller: { tenant: 'v7' }, body: {} },
      { caller: { tenant: 'v8' }, body: { amount: 200 } },
      { caller: WEB, body: { amount: 200 } },
    ],
    ends: ['permitted', 'permitted', 'permitted'],
  },
  {
    what: 'members that no word can name are read, shown, counted by and changed like others',
    routes: { orders: { body: 'open' } },
    policies:
      'policy "p" { permit  forbid when request.body["a.b\\u{5b}]}"] is present and request.body["a.b[]}"] > 5  because "{request.body[\\"a.b[]}\\"]} for {request.body[\\"ship-to\\"][\\"@type\\"]}"  forbid when request.body.items is present and any of request.body.items has it["unit.of \\"it\\""] is present and it["unit.of \\"it\\""] is "red"  limit at most 1 requests in any 60s  for each request.body["ship-to"]["@type"] otherwise request.ip  default request.body["ship-to"]["@type"] to "blue"  cap request.body["a.b[]}"] at 3 }',
    steps: [
      { 'a.b[]}': 7, 'ship-to': { '@type': 'x' } },
      { items: [{ sku: 'a' }, { sku: 'b', 'unit.of "it"': 'red' }] },
      { 'a.b[]}': 4, 'ship-to': { '@type': 'x' } },
      { 'a.b[]}': 4, 'ship-to': { '@type': 'x' } },
      { 'ship-to': {} },
    ].map((body) => ({ body })),
    ends: ['forbidden', 'forbidden', 'permitted', 'limit_exceeded', 'permitted'],
  },
  {
    what: 'values of a body are told as its masks leave them, by texts and as keys of alerts',
    routes: { orders: { body: 'open' } },
    policies: `policy "p" {
  permit
  mask pattern /bl[a-z]{2}/ in request
  forbid when request.body.urgent is present and request.body.urgent is true  because "{request.body.note}"
  alert when response.status >= 200  for each request.body.note otherwise request.ip
}`,
    steps: [{ body: { note: 'blue', urgent: true } }, { body: { note: 'blue' } }],
    ends: ['forbidden', 'permitted'],
  },
  {
    what: 'a limit for each key asks for members of the body and for fields, as every limit does',
    routes: { chat: { ai: 'openai/chat', service: null, body: 'open' } },
    policies: `policy "p" {
  permit
  limit at most 1 requests in any 1m  for each key
    when request.body.labels is present and any of request.body.labels has it is "red"
  limit at most 1 requests in any 1m  for each request.header["x-color"] and target otherwise request.ip
}`,
    steps: ['red', 'red', 'blue'].map((label) => ({
      body: { labels: ['blue', label] },
      call: callTo('gpt', { input: 1, output: 1, outputCap: 1, money: 1 }),
      headers: ['x-color', label],
    })),
    ends: ['permitted', 'permitted', 'permitted'],
  },
];
