/** Tests of policies, run as the command line runs them: on the gateway's own matcher, code and counters. */
import { describe, expect, it } from 'vitest';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { type CheckedProject, checkProject } from '../../src/tools/build-project.ts';
import { CoverageCounter } from '../../src/tools/policy-tests/coverage.ts';
import { untestedRules } from '../../src/tools/policy-tests/dropped-rules.ts';
import { buildMachine } from '../../src/tools/policy-tests/machine.ts';
import { renderTestGithub, renderTestJUnit, renderTestText } from '../../src/tools/policy-tests/render.ts';
import { caseReport, type TestReport } from '../../src/tools/policy-tests/report.ts';
import { TestRunner } from '../../src/tools/policy-tests/run.ts';
import { quickstart } from './quickstart.ts';

/** The quick start with one test of ours in place of its own. */
function withTest(body: string, more = ''): CheckedProject {
  return quickstart((path, text) => {
    if (path.endsWith('plans.test.policy')) return `language 1\n${more}\ntest "t" {\n${body}\n}\n`;
    return path.endsWith('.test.policy') ? 'language 1\n' : text;
  });
}

function reportOf(project: CheckedProject): TestReport {
  expect(renderText(project.diagnostics, { colour: 'off' })).toBe('No findings.\n');
  const { policies, world } = project.built!;
  const runner = new TestRunner(policies, world, testPorts());
  const tests = project.tests.map((test) => caseReport(runner.run(test)));
  const failed = tests.filter(({ failures }) => failures.length > 0).length;
  return { passed: tests.length - failed, failed, tests, coverage: null, untestedRules: null };
}

function failuresOf(body: string): string[] {
  return reportOf(withTest(body)).tests.flatMap(({ failures }) =>
    failures.flatMap(({ happened }) => happened[0]!),
  );
}

it('calls to models are read as the gateway reads them, and count what they reserve', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'providers/p.yaml': `providers:
  openai: { extends: builtin/openai }
pools:
  main: { provider: openai, keys: { k: { secret: "env:K" } } }
models:
  large: { pools: [main], tags: [large], price: { input: $10, output: $100, asOf: 2026-11-01 } }
  small: { pools: [main], price: { input: $1, output: $10, asOf: 2026-11-01 } }
`,
    'routes/ai.yaml': 'routes:\n  chat: { ai: openai/chat, auth: none }\n',
    'policies/a.policy': `language 1
policy "ai" applies to route "chat" {
  permit
  forbid "largest" when model in models tagged "large" and request.output_cap otherwise 100 > 50  status 403
  limit "minute" at most 500 tokens in any 1m  in total
  quota "month" 10_000 output tokens per month  in total
  budget "purse" $1 per day  in total
  cap request.output_cap at 200
  limit "pace" at most 1 request in any 1h  for each model
    when request.header["x-paced"] is present  when exceeded fall back to model "small"
  limit "patient" at most 1 request in any 1h  for each model
    when request.header["x-patient"] is present  when exceeded fall back to model "small" queue up to 10m
}
`,
    'policies/a.test.policy': `language 1
test "large answers of large models are refused" {
  when POST /v1/chat/completions is sent with body.model "large" and body.max_tokens 60
  expect refused 403 by "ai" "largest"
  when POST /v1/chat/completions is sent with body.model "large" and body.max_tokens 40
  expect permitted
}
test "an answer that nobody bounds is capped, and its bound counts" {
  when POST /v1/chat/completions is sent with body.model "small"
  expect permitted
  when POST /v1/chat/completions is sent with body.model "small"
  expect permitted
  when POST /v1/chat/completions is sent with body.model "small"
  expect refused 429 by "ai" "minute"
}
test "the month" {
  given "month" in "ai" used 9_990
  when POST /v1/chat/completions is sent with body.model "small" and body.max_tokens 11
  expect refused 429 by "ai" "month"
}
test "the purse" {
  given "purse" in "ai" used $1
  when POST /v1/chat/completions is sent
  expect refused 429 code "budget_exhausted"
}
test "another model where there is no room" {
  given request with header "x-paced" is "yes"
  when 3 requests POST /v1/chat/completions are sent with body.model "large" and body.max_tokens 40
  expect first 1 permitted with model "large"
  expect 1..1 permitted with model "small"
  expect the last refused 429 by "ai" "pace"
}
test "and waiting where that has none" {
  given request with header "x-patient" is "yes"
  when 3 requests POST /v1/chat/completions are sent with body.model "large" and body.max_tokens 40
  expect 2..2 permitted
  expect the last refused 429 by "ai" "patient"
}
test "the wrong model" {
  when POST /v1/chat/completions is sent with body.model "large" and body.max_tokens 40
  expect permitted with model "small"
}
test "no model of that name" {
  when POST /v1/chat/completions is sent with body.model "other"
  expect refused 404 code "model_not_found"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { tests } = reportOf(checkProject(sources, '/project', Date.UTC(2026, 10, 24)));
  expect(
    tests.flatMap(({ name, failures }) => failures.map(({ happened }) => `${name}: ${happened[0]}`)),
  ).toEqual(['the wrong model: the model was "large"']);
  expect(tests).toHaveLength(8);
});

it('rules leave calls the pools that the gateway would leave them, mask what is counted, and tell what is used', () => {
  const texts = {
    'portunus.yaml': `portunus: 1
attributes: { tenant: { eu: { type: boolean, label: caller }, models: { list: text, label: caller } } }
`,
    'providers/p.yaml': `providers:
  near: { extends: builtin/openai, region: eu }
  far: { extends: builtin/openai, region: us }
pools:
  near: { provider: near, keys: { k: { secret: "env:K" } } }
  far: { provider: far, keys: { k: { secret: "env:K" } } }
models:
  both: { pools: [near, far], price: { input: $10, output: $100, asOf: 2026-11-01 } }
  abroad: { pools: [far] }
  other: { pools: [far] }
`,
    'tenants/t.yaml': `tenants:
  berlin: { plan: free, attributes: { eu: true, models: [both, abroad] }, consumers: { web: { subscriptions: [chat] } } }
  acme: { plan: free, attributes: { eu: false, models: [both, abroad] }, consumers: { app: { subscriptions: [chat] } } }
`,
    'routes/ai.yaml': 'routes:\n  chat: { ai: openai/chat }\n',
    'policies/a.policy': `language 1
policy "ai" applies to route "chat" {
  permit
  forbid "own-list" when model not in tenant.models  because "{tenant.name} may use {tenant.models}"
  require "eu-only" target.region is "eu"  when tenant.eu is true  because "EU data stays in the EU"
  route to pool "near"  when request.header["x-near"] is present
  mask pattern /long[x]{200}/ in request
  limit "prompt" at most 200 input tokens in any 1m  in total
  limit "gentle" at most 1 requests in any 1h  for each key
  alert "dear" when usage.cost is present and usage.cost > $0.001
}
`,
    'policies/a.test.policy': `language 1
test "a pool abroad is left out" {
  given consumer "web"
  when POST /v1/chat/completions is sent with body.model "abroad" and body.max_tokens 1
  expect refused 403 by "ai" "eu-only" because "EU data stays in the EU"
  when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 1
  expect permitted
}
test "a model on no list" {
  given consumer "app"
  when POST /v1/chat/completions is sent with body.model "other" and body.max_tokens 1
  expect refused 403 by "ai" "own-list" because "acme may use both, abroad"
}
test "a rule routes to none of its pools" {
  given consumer "app", request with header "x-near" is "1"
  when POST /v1/chat/completions is sent with body.model "abroad" and body.max_tokens 1
  expect refused 403 code "no_pool_for_model"
}
test "what is masked is not counted" {
  given consumer "app"
  when POST /v1/chat/completions is sent with body.model "abroad" and body.max_tokens 1 and body.note "long${'x'.repeat(200)}"
  expect permitted
  when POST /v1/chat/completions is sent with body.model "abroad" and body.max_tokens 1 and body.note "lone${'x'.repeat(200)}"
  expect refused 403 code "larger_than_limit"
}
test "what an answer may cost is told" {
  given consumer "app"
  when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 1
  expect permitted
  when POST /v1/chat/completions is sent with body.model "both" and body.max_tokens 100
  expect alerted by "ai" "dear"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { tests } = reportOf(checkProject(sources, '/project', Date.UTC(2026, 10, 24)));
  expect(
    tests.flatMap(({ name, failures }) => failures.map(({ happened }) => `${name}: ${happened[0]}`)),
  ).toEqual([]);
  expect(tests).toHaveLength(5);
});

it('alerts are asked of what the service answers, or the gateway, and count', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  open: { service: shop, match: { path: /open }, auth: none }
  own: { service: shop, match: { path: /own }, auth: required }
`,
    'policies/a.policy': `language 1
policy "p" {
  permit
  alert "errors" when response.status >= 500  for at least 2 requests in any 1m  for each request.ip
  alert "refusals" when response.code is present and response.code is "not_permitted"
  alert "ours" when tenant.name is "acme"
}
`.replace('tenant.name is', 'tenant is present and tenant.name is'),
    'policies/a.test.policy': `language 1
test "t" {
  when GET /open is sent with status 503
  expect permitted
  when GET /open is sent with status 503 and ip "192.0.2.9"
  expect 0..0 alerted by "p"
  when GET /open is sent after 10s with status 500
  expect permitted alerted by "p" "errors"
  when GET /open is sent after 2m with status 500
  expect 0..0 alerted by "p"
  when GET /open is sent with status 404
  expect 0..0 alerted by "p"
}
test "in shadow nobody is told" {
  given "p" in shadow
  when 3 requests GET /open are sent with status 500
  expect 0..0 alerted by "p"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const report = reportOf(checkProject(sources, '/project', Date.UTC(2026, 10, 24)));
  expect(report.tests.flatMap(({ failures }) => failures.map(({ happened }) => happened))).toEqual([]);
});

it('an amount of money in a body is the number of its units, as rules read it', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  refund:
    service: shop
    match: { methods: [POST], path: /refunds }
    auth: none
    request: { schema: refund.schema.json }
`,
    'routes/refund.schema.json':
      '{ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "number" } } }',
    'policies/a.policy':
      'language 1\npolicy "p" {\n  permit\n  forbid "large" when request.body.amount as USD > $500.5\n}\n',
    'policies/a.test.policy': `language 1
test "t" {
  when POST /refunds is sent with body.amount $500.50
  expect permitted with body.amount 500.5
  when POST /refunds is sent with body.amount 501 USD
  expect refused 401 by "p" "large"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { tests } = reportOf(checkProject(sources, '/project', 0));
  expect(tests.map(({ failures }) => failures)).toEqual([[]]);
});

it('amounts in a currency with a rate are what they are worth, in prices, budgets and tests', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\nrates: { EUR: { rate: 1.5, date: 2026-11-01 } }\n',
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  chat: { service: shop, match: { path: /chat }, auth: none, cost: "€2 per request" }
  told: { service: shop, match: { path: /told }, auth: none, cost: { atMost: $4, header: x-cost } }
`,
    'policies/a.policy': `language 1
policy "p" {
  permit when request.path is "/told" or route.cost is $3
  budget "b" €10 per day for each request.ip when exhausted because "{limit.used} of {limit.amount}"
}
`,
    'policies/a.test.policy': `language 1
test "fifteen dollars are five requests of three" {
  when 6 requests GET /chat are sent
  expect first 5 permitted
  expect the last refused 429 by "p" "b" because contains "$15 of $15"
}
test "what was used before" {
  given "b" in "p" used €9
  when GET /chat is sent
  expect refused 429 by "p" "b" because contains "$13.5 of $15"
}
test "what an answer tells" {
  given "b" in "p" used $11
  when GET /told is sent with cost €1
  expect permitted
  when GET /told is sent with cost €1
  expect refused 429 by "p" "b" because contains "$12.5 of $15"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const report = reportOf(checkProject(sources, '/project', Date.UTC(2026, 10, 24)));
  expect(report.tests.flatMap(({ failures }) => failures)).toEqual([]);
  expect(report.passed).toBe(3);
});

it('a budget is spent by what answers tell, and reserves the most that they can while requests are open', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'routes/ai.yaml': `services: { ai: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  ask: { service: ai, match: { path: /ask }, auth: none, cost: { body: usage.cost, atMost: $0.40 } }
`,
    'policies/a.policy': 'language 1\npolicy "p" {\n  permit\n  budget "b" $1 per day in total\n}\n',
    'policies/a.test.policy': `language 1
test "told" {
  when 7 requests GET /ask are sent with cost $0.10
  expect permitted
  when 2 requests GET /ask are sent with cost $0.70
  expect first 1 refused 429 by "p" "b" because contains "exhausted"
}
test "untold" {
  when 3 requests GET /ask are sent
  expect first 2 permitted
  expect the last refused 429 by "p" "b" code "budget_exhausted"
}
test "open" {
  when 3 requests GET /ask are sent at once with cost $0.01
  expect first 2 permitted
  expect the last refused by "p" "b"
  when GET /ask is sent after 1s with cost $5
  expect permitted
  when GET /ask is sent after 24h
  expect permitted
}
test "debt" {
  given "b" in "p" used $0.5
  when 2 requests GET /ask are sent with cost $5
  expect first 1 permitted
  expect the last refused by "p" "b"
}
`,
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  expect(reportOf(checkProject(sources, '/project', 0))).toMatchObject({ passed: 4, failed: 0 });
});

it('a body that does not fit is refused by its schema, and rules that read it are not asked', () => {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  refund:
    service: shop
    match: { methods: [POST], path: /refunds }
    auth: none
    request: { schema: refund.schema.json }
`,
    'routes/refund.schema.json':
      '{ "type": "object", "required": ["amount"], "properties": { "amount": { "type": "integer" } } }',
    'policies/a.policy':
      'language 1\npolicy "p" {\n  permit\n  forbid "large" when request.body.amount > 500\n}\n',
    'policies/a.test.policy':
      'language 1\ntest "t" {\n  when POST /refunds is sent with body.amount "x"\n  expect permitted\n}\n',
  };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const [failure] = reportOf(checkProject(sources, '/project', 0)).tests[0]!.failures;
  expect(failure!.happened).toEqual([
    'refused 422 by the schema routes/refund.schema.json code "invalid_body": "/amount in the body is not a whole number."',
  ]);
  expect(failure!.rules.map(({ rule, verdict }) => [rule, verdict])).toContainEqual(['large', 'not asked']);
});

describe('networks and addresses of the directory', () => {
  const texts = {
    'portunus.yaml': `portunus: 1
attributes:
  tenant: { networks: { list: network, optional: true }, office: { type: network }, hosts: { list: ip } }
  consumer: { home: { type: ip, optional: true } }
`,
    'routes/shop.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes: { orders: { service: shop, match: { methods: [GET], path: /orders }, auth: required } }
`,
    'tenants/acme.yaml': `tenants:
  acme:
    plan: free
    attributes: { networks: [10.0.0.0/8, "2001:db8::/32"], office: 192.0.2.0/24, hosts: ["::1", 203.0.113.9] }
    consumers: { web: { attributes: { home: "0:0::7" } }, app: {} }
  globex: { plan: free, attributes: { office: "::/0", hosts: [] }, consumers: { bot: {} } }
`,
  };
  const project = (condition: string, ip = '10.0.0.1', consumer = 'web') => {
    const policy = `language 1\npolicy "p" { permit  forbid "f" when ${condition} }
test "t" { given consumer "${consumer}", request with ip "${ip}"  when GET /orders is sent  expect permitted }`;
    const sources = Object.entries({ ...texts, 'policies/a.policy': policy });
    return checkProject(
      sources.map(([path, text]) => new SourceText(path, text)),
      '/project',
      0,
    );
  };

  it.each([
    ['tenant.networks is present and request.ip in tenant.networks', '10.1.2.3', '11.1.2.3'],
    ['tenant.networks is present and request.ip not in tenant.networks', '2001:db9::1', '2001:db8:0::1'],
    ['request.ip in tenant.office', '192.0.2.7', '192.0.3.7'],
    ['request.ip in tenant.hosts', '0:0::1', '::2'],
    ['consumer.home is present and request.ip is consumer.home', '::7', '::8'],
    ['consumer.home is present and request.ip is not consumer.home', '::8', '::7'],
    ['any of tenant.hosts has request.ip is it', '0::1', '::2'],
    ['request.ip is "0:0::1" and tenant.hosts contains "0:0::1"', '::1', '::2'],
  ])('%s: holds for %s, not for %s', (condition, inside, outside) => {
    const refused = [inside, outside].map((ip) => reportOf(project(condition, ip)).failed);
    expect(refused).toEqual([1, 0]);
  });

  it('are those of the caller', () => {
    const [of, ip] = ['request.ip not in tenant.office', '192.0.3.7'];
    expect(['web', 'bot'].map((consumer) => reportOf(project(of, ip, consumer)).failed)).toEqual([1, 0]);
  });

  it.each(['tenant.networks', 'consumer.home'])('need a guard where they may be missing: %s', (path) => {
    const test = path === 'consumer.home' ? 'is' : 'in';
    const codes = project(`request.ip ${test} ${path}`).diagnostics.map(({ code }) => code);
    expect(codes).toContain('PT1301');
  });
});

describe('the tests of the quick start', () => {
  const project = quickstart();
  const { policies, world } = project.built!;

  it('pass', () => {
    const report = reportOf(project);
    expect(report.tests.filter(({ failures }) => failures.length > 0)).toEqual([]);
    expect(report.passed).toBe(19);
  });

  it('miss every rule that is left out', () => {
    expect(untestedRules(policies, world, project.tests, testPorts())).toEqual([]);
  });

  it('name a rule that nothing tests', () => {
    const without = project.tests.filter(({ name }) => !name.includes('ten seconds at most'));
    const untested = untestedRules(policies, world, without, testPorts());
    expect(untested.map(({ policy, kind }) => [policy, kind])).toEqual([['headers', 'timeout']]);
  });

  it('see every clause true and false', () => {
    const { rules } = buildMachine(policies, world, { modes: new Map(), shares: [] }, testPorts());
    const counter = new CoverageCounter(rules, world);
    const runner = new TestRunner(policies, world, testPorts());
    for (const test of project.tests) runner.run(test, counter.listen);
    expect(counter.result().policies.flatMap(({ missing }) => missing)).toEqual([]);
    expect(counter.result()).toMatchObject({ clauses: 18, seenBothWays: 18 });
  });

  it('leave clauses unseen where they are fewer', () => {
    const { rules } = buildMachine(policies, world, { modes: new Map(), shares: [] }, testPorts());
    const counter = new CoverageCounter(rules, world);
    const runner = new TestRunner(policies, world, testPorts());
    const some = project.tests.filter(({ name }) => name.startsWith('reports are not'));
    for (const test of some) runner.run(test, counter.listen);
    const plans = counter.result().policies.find(({ policy }) => policy === 'plans');
    expect(plans!.missing.map(({ rule, text, missing }) => `${rule}: ${text} ${missing}`)).toEqual([
      'enterprise-month: tenant.plan is "enterprise" either',
      'enterprise-month: has room either',
      'free-month: tenant.plan is "free" either',
      'free-month: has room either',
      'pace: tenant.plan is "enterprise" either',
      'pace: has room either',
      'reports: tenant.plan is "free" false',
      'trial-pace: tenant.plan is "free" either',
      'trial-pace: has room either',
    ]);
  });
});

describe('a failing test says why', () => {
  const failing = withTest(`    given tenant "acme" with plan "enterprise", consumer "web-shop"
    when GET /reports is sent
    expect refused 403 by "plans" "reports"`);

  it('to people', () => {
    expect(renderTestText(reportOf(failing))).toBe(FAILING_TEXT);
  });

  it('to CI servers', async () => {
    const xml = renderTestJUnit(reportOf(failing));
    expect(xml).toContain('<testcase classname="policies/plans.test.policy" name="t">');
    expect(xml).toContain('<testsuites name="portunus test" tests="1" failures="1">');
    const annotations = renderTestGithub(reportOf(failing), 'shop/');
    expect(annotations).toBe(
      '::error file=shop/policies/plans.test.policy,line=6,title=test t::t: expected refused 403 by "plans" "reports"%0Ahappened permitted by "subscriptions" (permit at policies/access.policy:10:5)\n',
    );
  });
});

const FAILING_TEXT = `✗ t  (policies/plans.test.policy:3:1)
    GET /reports
    expected  refused 403 by "plans" "reports"  (policies/plans.test.policy:6:5)
    happened  permitted by "subscriptions" (permit at policies/access.policy:10:5)
    what each rule saw:
      "subscriptions" permit: permitted  (policies/access.policy:10:5)
          ✓ consumer is subscribed to route: consumer was "web-shop", route was "order-reports"
      "plans" quota "enterprise-month": had room, 9999999 left  (policies/plans.policy:24:5)
          ✓ tenant.plan is "enterprise": tenant.plan was "enterprise"
      "plans" limit "pace": had room, 399 left  (policies/plans.policy:18:5)
          ✓ tenant.plan is "enterprise": tenant.plan was "enterprise"
      "key-hygiene" forbid "old-key": did not hold  (policies/key-hygiene.policy:10:5)
          ✗ credential.age > 90 days: credential.age was 0s
      "plans" quota "free-month": did not hold  (policies/plans.policy:21:5)
          ✗ tenant.plan is "free": tenant.plan was "enterprise"
      "plans" forbid "reports": did not hold  (policies/plans.policy:9:5)
          ✓ route.tags contains "reports": route.tags was ["orders", "reports"]
          ✗ tenant.plan is "free": tenant.plan was "enterprise"
      "plans" limit "trial-pace": did not hold  (policies/plans.policy:14:5)
          ✗ tenant.plan is "free": tenant.plan was "enterprise"
      "subscriptions" require "json": did not hold  (policies/access.policy:13:5)
          ✗ request.method is "POST": request.method was "GET"
          - route.tags contains "orders": not asked
          - request.header["content-type"] otherwise "application/json" starts with "application/json": not asked
      (5 further rules were not asked or do not apply here)


1 failed, 0 tests passed.
`;

describe('every kind of expectation can fail', () => {
  const web = 'given consumer "web-shop"\n when';
  it.each([
    [
      'permitted',
      `${web} POST /orders is sent with header "content-type" is "a/b" expect permitted`,
      'refused 415 by "subscriptions" "json"',
    ],
    ['status', `${web} GET /reports is sent expect refused 402`, 'refused 403 by "plans" "reports"'],
    [
      'another rule',
      `${web} GET /reports is sent expect refused by "plans" "pace"`,
      'refused 403 by "plans" "reports"',
    ],
    ['code', `${web} GET /reports is sent expect refused code "x"`, 'the code was "plan_too_small"'],
    [
      'text',
      `${web} GET /reports is sent expect refused because "x"`,
      'the text was "Reports are not part of the free plan.',
    ],
    ['part of a text', `${web} GET /reports is sent expect refused because contains "gold"`, 'the text was'],
    [
      'Retry-After',
      `${web} 6 requests GET /orders are sent expect the last refused with retry after >= 1m`,
      'Retry-After was 11s',
    ],
    ['timeout', `${web} GET /orders is sent expect permitted with timeout 5s`, 'the timeout was 10s'],
    [
      'no timeout',
      `${web} GET /events is sent expect permitted with timeout 5s`,
      'the timeout was left to the service',
    ],
    [
      'header',
      `${web} GET /orders is sent expect permitted with header "x-tenant" is "a" in request`,
      'header "x-tenant" was "acme"',
    ],
    [
      'header not removed',
      `${web} GET /orders is sent expect permitted with no header "server" in response`,
      'header "server" was passed on',
    ],
    [
      'header not sent',
      `${web} GET /orders is sent expect permitted with no header "x-a" in request`,
      'header "x-a" was not sent',
    ],
    ['warning', `${web} GET /orders is sent expect warned by "plans"`, 'nothing warned'],
    ['alert', `${web} GET /orders is sent expect alerted by "plans"`, 'nothing alerted'],
    ['the first of many', `${web} 6 requests GET /orders are sent expect all permitted`, 'refused 429'],
    [
      'a body too large',
      `${web} POST /orders is sent with size 65KiB expect permitted`,
      'refused 413 (body_too_large)',
    ],
    ['a refusal that does not come', `${web} GET /orders is sent with host "x" expect refused`, 'permitted'],
  ])('%s', (_what, body, happened) => {
    const [first] = failuresOf(body);
    expect(first).toContain(happened);
  });
});

describe('modes', () => {
  it('warn lets through and tells', () => {
    const body =
      'given "key-hygiene" in warn, consumer "erp", credential aged 91 days when GET /orders is sent';
    expect(failuresOf(`${body} expect permitted warned by "key-hygiene" "old-key"`)).toEqual([]);
  });
  it('an expired or unknown caller is nobody', () => {
    expect(
      failuresOf('given no identity when GET /orders is sent expect refused 401 code "unauthenticated"'),
    ).toEqual([]);
  });
  it('without a caller, one is made for routes that need it, and none for others', () => {
    expect(
      failuresOf('when GET /orders is sent expect permitted when GET /status is sent expect permitted'),
    ).toEqual([]);
  });
  it('another consumer has counters of its own', () => {
    const body = 'given consumer "web-shop" when 6 requests GET /orders are sent expect the last refused 429';
    expect(failuresOf(`${body} when GET /orders is sent by consumer "erp" expect permitted`)).toEqual([]);
  });
});
