/** `portunus explain` on the quick start: what is printed, word for word. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { explainConfiguration, renderConfiguration } from '../../src/tools/explain/config.ts';
import { renderRequest } from '../../src/tools/explain/render-request.ts';
import { renderRoute } from '../../src/tools/explain/render-route.ts';
import { type AskedRequest, explainRequest } from '../../src/tools/explain/request.ts';
import { explainRoute } from '../../src/tools/explain/route.ts';
import { NOW_MS, quickstart, quickstartTexts } from './quickstart.ts';

const { policies, world } = quickstart().built!;
const PROJECT = { policies, world, texts: quickstartTexts() };

function route(name: string): string {
  return renderRoute(explainRoute(policies, world, world.routes.get(name)!));
}

function asked(target: string, more: Partial<AskedRequest> = {}): ReturnType<typeof explainRequest> {
  const nothing = { consumer: null, given: [], headers: [], body: null, time: null, wallMs: NOW_MS };
  return explainRequest(PROJECT, { target, ...nothing, ...more }, testPorts());
}

function request(target: string, more: Partial<AskedRequest> = {}): string {
  const explanation = asked(target, more);
  return 'diagnostics' in explanation
    ? explanation.diagnostics.map(({ code }) => code).join()
    : renderRequest(explanation);
}

describe('a route in plain words', () => {
  it('with every phase', () => {
    expect(route('order-reports')).toMatchInlineSnapshot(`
      "Route "order-reports": GET /reports
          service orders, published, tagged orders, reports  (routes/orders.yaml:29:3)

      match       before anyone is asked for a key
          refused 415 code "json_expected" when request.method is "POST" unless request.header["content-type"] otherwise "application/json" starts with "application/json"
              "subscriptions" "json"  (policies/access.policy:13:5)
      identify    a valid key is required: 401 without one
      authorise   at least one permit has to hold, and nothing refuse
          permitted when consumer is subscribed to route
              "subscriptions"  (policies/access.policy:10:5)
          [shadow: noted, nobody is told] refused 403 code "key_too_old" when credential.age > 90 days
              "key-hygiene" "old-key"  (policies/key-hygiene.policy:10:5)
          refused 403 code "plan_too_small" when tenant.plan is "free"
              "plans" "reports"  (policies/plans.policy:9:5)
      admit       limits: all of them, or none is counted
          at most 10_000_000 requests per month in Europe/Berlin, for each tenant, when tenant.plan is "enterprise"
              "plans" "enterprise-month"  (policies/plans.policy:24:5); one counter for 5 routes (create-order, get-order, list-orders, order-events, order-reports)
          at most 1000 requests per month in Europe/Berlin, for each tenant, when tenant.plan is "free"
              "plans" "free-month"  (policies/plans.policy:21:5); one counter for 5 routes (create-order, get-order, list-orders, order-events, order-reports)
          200 requests per 1s, up to 400 at once, for each tenant, when tenant.plan is "enterprise"
              "plans" "pace"  (policies/plans.policy:18:5); one counter for 5 routes (create-order, get-order, list-orders, order-events, order-reports)
          at most 5 requests in any 10s, for each consumer, when tenant.plan is "free"
              "plans" "trial-pace"  (policies/plans.policy:14:5); one counter for 5 routes (create-order, get-order, list-orders, order-events, order-reports)
      request     what the service is told
          sets x-consumer to "{consumer.name}"
              "headers"  (policies/headers.policy:9:5)
          sets x-tenant to "{tenant.name}"
              "headers"  (policies/headers.policy:8:5)
      dispatch    how long it may take
          answers within 10s
              "headers"  (policies/headers.policy:14:5)
      response    what the caller is told
          removes x-powered-by
              "headers"  (policies/headers.policy:12:5)
          sets x-support to "{tenant.support}"
              "headers"  (policies/headers.policy:11:5)

      Cost of a request: at most 6 checks, 4 counters, and its body is not read.

      Decided by the route alone, so no request is asked:
          routes tagged "orders"
          not (route.tags contains "stream")
          routes requiring identity
          routes tagged "orders" and routes requiring identity
          route.tags contains "reports"
          route.tags contains "orders"

      Left out for this route:
          "models": its scope is not this route: routes tagged "models" does not hold  (policies/models.policy:7:16)
          "public": its scope is not this route: route "service-status" does not hold  (policies/access.policy:21:16)
          "streams": its scope is not this route: routes tagged "stream" does not hold  (policies/plans.policy:31:16)
      "
    `);
  });
  it('without identity', () => {
    expect(route('service-status')).toMatchInlineSnapshot(`
      "Route "service-status": GET /status
          service orders, published  (routes/orders.yaml:43:3)

      identify    no key is looked at: every caller is anonymous
      authorise   at least one permit has to hold, and nothing refuse
          permitted
              "public"  (policies/access.policy:23:5)
      admit       limits: all of them, or none is counted
          at most 60 requests in any 1m, for each request.ip
              "public" "per-address"  (policies/access.policy:24:5); counts this route alone

      Cost of a request: at most 0 checks, 1 counter, and its body is not read.

      Decided by the route alone, so no request is asked:
          route "service-status"

      Left out for this route:
          "headers": its scope is not this route: routes tagged "orders" does not hold  (policies/headers.policy:5:16)
          "key-hygiene": its scope is not this route: routes requiring identity does not hold  (policies/key-hygiene.policy:8:16)
          "models": its scope is not this route: routes tagged "models" does not hold  (policies/models.policy:7:16)
          "plans": its scope is not this route: routes tagged "orders" does not hold  (policies/plans.policy:7:16)
          "streams": its scope is not this route: routes tagged "stream" does not hold  (policies/plans.policy:31:16)
          "subscriptions": its scope is not this route: routes requiring identity does not hold  (policies/access.policy:8:16)
      "
    `);
  });
  it('counts what a request is asked', () => {
    const { cost } = explainRoute(policies, world, world.routes.get('order-events')!);
    expect(cost).toEqual({ checks: 6, counters: 5, bodyReads: 0, elements: [] });
  });
});

describe('one request', () => {
  it('that a rule refuses', () => {
    expect(request('GET /reports', { consumer: 'web-shop' })).toMatchInlineSnapshot(`
      "GET /reports by consumer "web-shop" of tenant "acme"
      route "order-reports"

      refused 403 by "plans" "reports" code "plan_too_small": "Reports are not part of the free plan. Ask acme's administrator to upgrade it"

      What each rule saw:
        "plans" forbid "reports": refused  (policies/plans.policy:9:5)
            ✓ route.tags contains "reports": route.tags was ["orders", "reports"]
            ✓ tenant.plan is "free": tenant.plan was "free"
        "subscriptions" permit: permitted  (policies/access.policy:10:5)
            ✓ consumer is subscribed to route: consumer was "web-shop", route was "order-reports"
        "key-hygiene" forbid "old-key" [shadow]: did not hold  (policies/key-hygiene.policy:10:5)
            ✗ credential.age > 90 days: credential.age was 0s
        "subscriptions" require "json": did not hold  (policies/access.policy:13:5)
            ✗ request.method is "POST": request.method was "GET"
            - route.tags contains "orders": not asked
            - request.header["content-type"] otherwise "application/json" starts with "application/json": not asked
        (9 further rules were not asked or do not apply here)

      To be permitted:
        tenant.plan would have to be other than "free", for example "enterprise"
          so that tenant.plan is "free" does not hold  (policies/plans.policy:9:61)

      What the running gateway has counted is not looked at: limits begin unused here.
      "
    `);
  });
  it('that needs two changes', () => {
    const more = { consumer: 'erp', headers: ['content-type: text/csv'] };
    expect(request('POST /orders', more)).toMatchInlineSnapshot(`
      "POST /orders by consumer "erp" of tenant "globex"
      route "create-order"

      refused 415 by "subscriptions" "json" code "json_expected": "Send orders as application/json"

      What each rule saw:
        "subscriptions" require "json": refused  (policies/access.policy:13:5)
            ✓ request.method is "POST": request.method was "POST"
            ✓ route.tags contains "orders": route.tags was ["orders"]
            ✗ request.header["content-type"] otherwise "application/json" starts with "application/json": request.header["content-type"] was "text/csv"
        (12 further rules were not asked or do not apply here)

      To be permitted:
        request.header["content-type"] would have to be "application/json" (it was "text/csv")
          so that request.header["content-type"] otherwise "application/json" starts with "application/json" holds  (policies/access.policy:13:20)
        the consumer would have to be subscribed to route "create-order"
          so that consumer is subscribed to route holds  (policies/access.policy:10:17)

      What the running gateway has counted is not looked at: limits begin unused here.
      "
    `);
  });
  it('without identity', () => {
    expect(request('GET /orders')).toContain(
      'the caller would have to be consumer "web-shop" of tenant "acme" (it was nobody)',
    );
  });
  it('in shadow nobody is refused', () => {
    const explained = request('GET /orders', { consumer: 'erp', given: ['credential aged 91 days'] });
    expect(explained).toContain('\npermitted by "subscriptions"');
    expect(explained).toContain('"key-hygiene" forbid "old-key" [shadow]: would refuse');
  });
  it('that a limit refuses says when to come back', () => {
    const given = ['"trial-pace" in "plans" used 5'];
    const explained = request('GET /orders', { consumer: 'web-shop', given });
    expect(explained).toContain('refused 429 by "plans" "trial-pace"');
    expect(explained).toContain('To be permitted: wait 11s.');
  });
  it('with a mistake in it', () => {
    expect(request('GET /ordrs', { consumer: 'erpp' })).toBe('PT1101,PT1403');
    expect(request('GET', {})).toBe('PT0101,PT0101');
  });
  it('is refused before any rule is asked', () => {
    const explained = asked('POST /orders', { consumer: 'web-shop', body: 'x'.repeat(65_537) });
    expect(explained).toMatchObject({ route: null, reply: { status: 413 }, change: null });
  });
});

describe('the configuration in force', () => {
  const values = explainConfiguration(PROJECT.texts, world, policies);
  const of = (path: string) => values.find((value) => value.path === path);

  it('says where each value came from', () => {
    expect(of('listen.port')).toEqual({
      file: 'portunus.yaml',
      path: 'listen.port',
      value: '8080',
      place: 'portunus.yaml:4:37',
    });
    expect(of('routes.service-status.auth')).toMatchObject({
      value: '"none"',
      place: 'routes/orders.yaml:46:11',
    });
    expect(of('routes.list-orders.auth')).toMatchObject({ value: '"required"', place: null });
    expect(of('currency')).toMatchObject({ value: '"USD"', place: null });
  });

  it('has what follows from another value, and the modes that nobody named', () => {
    expect(of('routes.list-orders.request.maxBody')).toMatchObject({
      value: '"67108864B"',
      place: 'limits.requestBodyBytes',
    });
    expect(of('policies.key-hygiene')).toMatchObject({ value: '"shadow"', place: 'enforcement.yaml:4:16' });
    expect(of('policies.plans')).toMatchObject({ value: '"enforce"', place: null });
  });

  it('has every bound', () => {
    const bounds = values.filter(({ path }) => path.startsWith('limits.')).map(({ path }) => path.slice(7));
    expect(bounds.sort()).toEqual(Object.keys(LIMITS).sort());
  });

  it('is printed file by file', () => {
    const [enforcement] = renderConfiguration(values).split('\n\n');
    expect(enforcement!.split('\n').slice(0, 3)).toEqual([
      'enforcement.yaml',
      '  policies.key-hygiene: "shadow"     enforcement.yaml:4:16',
      '  policies.headers: "enforce"        default',
    ]);
  });
});
