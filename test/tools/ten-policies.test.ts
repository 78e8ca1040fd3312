/**
 * The ten policies that the language was designed for (policies-to-express), with the words of the design, and their tests. Left out is what
 * this version does not have, waivers and approvals; what may be missing is guarded, and regions are written as providers write them.
 */
import { expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../../src/base/limits.ts';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { renderText } from '../../src/diagnostics/render/text.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { parsePolicyFile } from '../../src/language/parse.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { untestedRules } from '../../src/tools/policy-tests/dropped-rules.ts';
import { caseReport } from '../../src/tools/policy-tests/report.ts';
import { TestRunner } from '../../src/tools/policy-tests/run.ts';

const WORLD = {
  'portunus.yaml': `portunus: 1
attributes:
  tenant: { tags: { list: text, label: caller } }
  team: { models: { list: text, label: caller } }
deliveries: { oncall: { webhook: "https://hooks.example/oncall", secretFile: /run/secrets/oncall } }
`,
  'providers/p.yaml': `providers:
  openai-eu: { extends: builtin/openai, region: de, baseUrl: "https://de.example/v1" }
  openai-us: { extends: builtin/openai, region: us }
pools:
  eu: { provider: openai-eu, keys: { k: { secret: "env:EU" } } }
  us: { provider: openai-us, keys: { k: { secret: "env:US" } } }
models:
  gpt-4o: { pools: [eu, us], price: { input: $2.5, output: $10, asOf: 2026-11-01 } }
  gpt-4o-mini: { pools: [eu, us], price: { input: $0.15, output: $0.6, asOf: 2026-11-01 } }
  gpt-5-pro: { pools: [us], tags: [largest], price: { input: $15, output: $120, asOf: 2026-11-01 } }
`,
  'tenants/t.yaml': `tenants:
  acme:
    plan: team
    attributes: { tags: [] }
    teams:
      research: { attributes: { models: [gpt-4o, gpt-4o-mini, gpt-5-pro] } }
      data-science: { attributes: { models: [gpt-4o, gpt-4o-mini, gpt-5-pro] } }
      shop: { attributes: { models: [gpt-4o] } }
    consumers:
      web: { team: research, subscriptions: [chat, orders] }
      root: { team: shop, roles: [admin], subscriptions: [chat] }
      watch: { team: shop, roles: [on-call], subscriptions: [chat] }
  berlin:
    plan: team
    attributes: { tags: [] }
    teams: { ops: { attributes: { models: [gpt-4o] } } }
    consumers: { maps: { team: ops, subscriptions: [chat] } }
`,
  'routes/r.yaml': `services: { shop: { endpoints: [{ url: "http://127.0.0.1:9001" }] } }
routes:
  chat: { ai: openai/chat, tags: [ai] }
  orders: { service: shop, match: { methods: [GET], path: /orders } }
  admin: { service: shop, match: { methods: [GET], path: /admin }, tags: [admin] }
  orders-v1: { service: shop, match: { methods: [GET], path: /v1/orders }, state: deprecated, tags: [v1] }
  orders-v2: { service: shop, match: { methods: [GET], path: /v2/orders } }
`,
};

const POLICIES = `language 1
zone Europe/Berlin
holidays "berlin" 2026-12-25, 2026-12-26, 2027-01-01, 2027-03-08, 2027-03-26
calendar "office" in Europe/Berlin  mon..fri 08:00..18:00 except holidays "berlin"
define eu = ["de", "fr", "nl", "ie"]

policy "p1-models" "Teams call the models on their list"  owner "ai@acme.example"  applies to routes tagged "ai" {
    permit when consumer is subscribed to route
    forbid "own-list" when team.models is absent or model not in team.models
        status 403  code "model_not_allowed"  because "{team.name} may use {team.models}"
    forbid "largest" when model in models tagged "largest" and (team is absent or team is not "data-science")
        status 403  code "model_reserved"  because "{model} is for data-science"
}
test "research is refused the largest" { given team "research" when POST /v1/chat/completions is sent with model "gpt-5-pro" expect refused 403 by "p1-models" "largest" }
test "data-science is not" { given team "data-science" when POST /v1/chat/completions is sent with model "gpt-5-pro" expect permitted with model "gpt-5-pro" }
test "a model on no list" { given team "shop" when POST /v1/chat/completions is sent with model "gpt-4o-mini" expect refused 403 by "p1-models" "own-list" because "shop may use gpt-4o" }

policy "p2-tokens" applies to routes tagged "ai" {
    limit "minute" at most 50_000 tokens in any 1m  for each tenant
    quota "month" 10_000_000 tokens per month in Europe/Berlin  for each tenant
        when exceeded status 403  code "monthly_tokens"  because "{limit.name}: {limit.used} of {limit.amount}; resets {limit.resets}"
}
test "the month says 403" { given tenant "acme", team "research", "month" in "p2-tokens" used 10_000_000 when POST /v1/chat/completions is sent expect refused 403 by "p2-tokens" "month" }
test "the minute says 429" { given team "research", "minute" in "p2-tokens" used 50_000 when POST /v1/chat/completions is sent expect refused 429 by "p2-tokens" "minute" }
test "what replies use is counted, not what they may" { given consumer "web", "month" in "p2-tokens" used 9_990_000, model "gpt-4o" replies "Hi" with 1_000 input tokens and 2_000 output tokens
    when 4 requests POST /v1/chat/completions are sent within 8m
    expect first 3 permitted
    expect the last refused 403 by "p2-tokens" "month" }

policy "p3-ceilings" applies to routes tagged "ai" {
    budget "app" $20 per day  for each consumer
        when exhausted fall back to model "gpt-4o-mini" for at most $5 more
    budget "team" $200 per day  for each team otherwise tenant
    budget "gateway" $2_000 per day  in total
        alert at 100%  notify "oncall"
}
test "the app's ceiling changes the model" { given consumer "web", "app" in "p3-ceilings" used $20 when POST /v1/chat/completions is sent expect permitted with model "gpt-4o-mini" }
test "the team's refuses" { given consumer "web", "team" in "p3-ceilings" used $200 when POST /v1/chat/completions is sent expect refused 429 by "p3-ceilings" "team" }
test "the gateway's refuses" { given consumer "web", "gateway" in "p3-ceilings" used $2_000 when POST /v1/chat/completions is sent expect refused 429 by "p3-ceilings" "gateway" }

policy "p4-personal-data" applies to model "gpt-4o" { mask email, card in request and response with "[removed]" }
test "split over chunks" { given team "research", model "gpt-4o" replies in chunks "a@exa", "mple.org" when POST /v1/chat/completions is sent expect reply "[removed]" }
test "in the prompt" { given team "research" when POST /v1/chat/completions is sent with model "gpt-4o" and body.max_tokens 9 and body.messages[1].content "I am a@example.org" expect permitted with body.messages[1].content "I am [removed]" }

policy "p5-eu" applies to routes tagged "ai" {
    require "eu-only" target.region in eu  when tenant.tags contains "eu"
        status 503  code "no_eu_target"  because "EU data stays in the EU, and no EU target is available"
}
test "never elsewhere" { given tenant "berlin" with tags "eu", consumer "maps", target "openai-eu" is down when POST /v1/chat/completions is sent expect refused 503 by "p5-eu" and no call upstream }
test "others are served elsewhere" { given team "research", target "openai-eu" is down when POST /v1/chat/completions is sent expect permitted with pool "us" }

policy "p6-key-age" applies to routes requiring identity {
    warn when credential.age > 90 days  because "Rotate your key soon: it is {credential.age} old"
    forbid "old-key" when credential.age > 120 days  code "key_too_old"  because "Rotate your key: it is {credential.age} old"
}
test "121 days" { given credential "web-1" aged 121 days when GET /orders is sent expect refused 403 by "p6-key-age" "old-key" }
test "91 days" { given credential "web-1" aged 91 days when GET /orders is sent expect permitted warned by "p6-key-age" }

policy "p7-admin-hours" applies to routes tagged "admin" {
    permit when consumer has role "admin" or consumer has role "on-call"
    forbid "office" when outside "office" and consumer does not have role "on-call"
        code "outside_hours"  because "Admin routes open again {calendar.opens}"
}
test "Saturday" { given role "admin", time 2026-12-05 10:00 when GET /admin is sent expect refused 403 by "p7-admin-hours" "office" }
test "Saturday, on call" { given role "on-call", time 2026-12-05 10:00 when GET /admin is sent expect permitted }
test "Monday" { given role "admin", time 2026-12-07 10:00 when GET /admin is sent expect permitted }

policy "p10-v1" applies to routes tagged "v1" {
    permit
    deprecate from 2026-11-01  sunset 2027-03-31  successor route "orders-v2"
    forbid "brown-out" 10% of requests  from 2027-03-25 until 2027-03-31  status 503  code "brown_out"  because "v1 ends on 2027-03-31; use {successor.url}"
    forbid "gone" after 2027-03-31  status 410  code "gone"  because "v1 ended; use {successor.url}"
}
test "gone" { given time 2027-04-01 00:00 when GET /v1/orders is sent expect refused 410 by "p10-v1" "gone" }
test "in the last week" { given time 2027-03-26 00:00, "brown-out" in "p10-v1" at 100% when GET /v1/orders is sent expect refused 503 by "p10-v1" "brown-out" }
test "before" { given time 2026-12-01 00:00 when GET /v1/orders is sent expect permitted }

policy "orders" applies to route "orders", "orders-v2" { permit when consumer is subscribed to route }
`;

it('do what their tests say, and each of their rules is needed for one', () => {
  const texts = { ...WORLD, 'policies/ten.policy': POLICIES };
  const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const project = checkProject(sources, '/project', Date.UTC(2026, 10, 24));
  expect(renderText(project.diagnostics, { colour: 'off' })).toBe('No findings.\n');
  const { policies, world } = project.built!;
  const runner = new TestRunner(policies, world, testPorts());
  const reports = project.tests.map((test) => caseReport(runner.run(test)));
  expect(
    reports.flatMap(({ name, failures }) => failures.map(({ happened }) => `${name}: ${happened}`)),
  ).toEqual([]);
  const names = [...POLICIES.matchAll(/^test "([^"]*)"/gm)].map(([, name]) => name);
  expect(reports.map(({ name }) => name)).toEqual(names);
  expect(untestedRules(policies, world, project.tests, testPorts()).map(({ kind }) => kind)).toEqual([
    'deprecate',
  ]);
});

it.each([
  ['waivable when credential.kind is "service"  for at most 30 days', 'waivable'],
  ['role "incident" may lift "office" in "p7-admin-hours" for at most 60m with ticket', 'role'],
  ['require "two-people" approval by 2 people with role "finance"', 'approval'],
])('what this version does not have is said so: %s', (rule, word) => {
  const source = new SourceText('a.policy', `language 1\npolicy "p" {\n  permit\n  ${rule}\n}\n`);
  const { diagnostics } = parsePolicyFile(source, LIMIT_DEFAULTS.nestingDepth);
  expect(diagnostics.length).toBeGreaterThan(0);
  expect(renderText(diagnostics, { colour: 'off' })).toContain(word);
});
