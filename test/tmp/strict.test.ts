import { it } from 'vitest';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkProject } from '../../src/tools/build-project.ts';

const BASE = {
  'portunus.yaml': `portunus: 1
attributes: { tenant: { eu: { type: boolean, label: caller }, models: { type: list, of: text, label: caller }, tags: { type: list, of: text, label: caller } } }
deliveries: { oncall: { webhook: "https://hooks.example.com/x", secretFile: /run/s } }
`,
  'providers/p.yaml': `providers:
  near: { extends: builtin/openai, region: DE }
  far: { extends: builtin/openai, region: US }
pools:
  near: { provider: near, keys: { k: { secret: "env:K" }, l: { secret: "store:L" } } }
  far: { provider: far, keys: { k: { secret: "env:K" } } }
models:
  both: { pools: [near, far], tags: [large], price: { input: $10, output: $100, asOf: 2026-11-01 } }
  abroad: { pools: [far] }
`,
  'tenants/t.yaml': `tenants:
  berlin: { plan: free, attributes: { eu: true, models: [both], tags: [eu] }, teams: { shop: {} }, consumers: { web: { team: shop, subscriptions: [chat] } } }
`,
  'routes/ai.yaml': 'routes:\n  chat: { ai: openai/chat, tags: [ai] }\n',
};
const RULES = [
  'limit "a" 90_000 tokens per 1m, burst 20_000  for each tenant and model',
  'limit at most 100 input tokens in any 1m  for each consumer',
  'limit at most 100 output tokens in any 1m  for each consumer',
  'limit at most 100 cached tokens in any 1m  for each consumer',
  'limit at most 100 reasoning tokens in any 1m  in total',
  'quota "m" 5_000_000 output tokens per month  for each tenant',
  'budget "b" $250 per month  for each team',
  'budget "b" $250 per month  for each team otherwise consumer  alert at 50%, 100%  notify "oncall"',
  'budget "b" $250 per month  for each tenant  when exhausted fall back to model "abroad" for at most $5 more  alert at 50%, 80%',
  'forbid "own" when model not in tenant.models  status 403  code "x"  because "{tenant.name} may use {tenant.models}; ask for {model}"',
  'forbid "largest" when model in models tagged "large" and team is not "shop"',
  'forbid "largest" when model in models tagged "large" and team otherwise "none" is not "shop"',
  'cap request.output_cap at 4096',
  'default request.output_cap to 100',
  'cap request.max_tokens at 4096',
  'cap request.body.max_tokens at 4096',
  'forbid when response.tokens > 5_000',
  'forbid when usage.output_tokens > 5_000',
  'forbid when usage.cost > $5',
  'permit when target.region in ["DE"]',
  'require "eu" target.region in ["DE", "FR"]  when tenant.tags contains "eu"  because "EU"',
  'forbid when target.provider is "far"',
  'forbid when target is "far"',
  'mask email, card, iban, phone, ip, ssn, secret in request and response',
  'mask pattern /ORD-[0-9]{8}/ in request with "(x)"',
  'mask pattern /a+/ in response',
  'cache 10m when tenant.plan is "free"',
  'route to pool "near" then "far" when tenant.plan is "free"',
  'route to pool "nearr"',
  'rotate keys of pool "near" every 60 days  overlap 24h',
  'rotate keys of pool "far" every 60 days  overlap 24h',
  'alert "low" when pool.headroom < 15% or pool exhausted within 10m  notify "oncall"',
  'alert when key.state is "invalid"',
  'alert when key.age > 90 days and pool is "near"',
  'limit at most 4 requests at once  for each model',
  'limit at most 4 requests at once  for each model  when exceeded queue up to 5s',
  'limit at most 10 tokens at once  in total',
  'limit at most 10 requests in any 1m  for each key',
  'limit 10 requests per 1m, burst 2  for each key and consumer',
  'limit at most 10 requests in any 1m  for each pool',
  'limit at most 10 requests in any 1m  for each target.region',
  'limit at most 10 requests in any 1m  for each key otherwise request.ip',
  'limit at most 10 requests in any 1m  for each key  on failure allow  max keys 10',
  'budget $5 per day  for each key',
  'alert when response.status >= 500  for each key',
  'forbid when key is "k"',
  'forbid when pool.headroom < 5%',
  'forbid when request.model is "both"\nlimit at most 10 requests in any 1m  in total  when exceeded fall back to model "abroad" for any amount',
  'forbid when request.tokens > 1000',
  'forbid when request.tokens otherwise 0 > 1000  because "{request.tokens} {model} {request.model} {request.output_cap}"',
  'set header "x-model" to "{model}" in response',
  'set header "x-t" to "{usage.cost}" in response',
  'warn when usage.cost > $1',
  'alert "dear" when usage.cost is present and usage.cost > $1  for each consumer  because "{usage.cost} {model}"',
  'alert "much" when usage.tokens otherwise 0 > 1000  for each model otherwise route',
  'timeout 5s when model is "both"',
  'cap request.output_cap at 10 when model is "both"',
  'forbid when request.cost > $5',
  'forbid when model is "bothh"',
  'forbid when model like "b*"',
  'limit at most 10 requests in any 1m  for each request.model otherwise route',
  'limit "u" at most 10 requests in any 1m  for each tenant  when exceeded because "{limit.used} of {limit.amount}; {model}"',
  'limit "u" at most 10 requests in any 1m  for each tenant and key  when exceeded because "{limit.used} of {limit.amount}; {key}"',
];
it('prints', () => {
  for (const rule of RULES) {
    const texts = {
      ...BASE,
      'policies/a.policy': `language 1\npolicy "p" applies to routes tagged "ai" {\n  permit\n  ${rule}\n}\n`,
    };
    const sources = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
    const { diagnostics } = checkProject(sources, '/project', Date.UTC(2026, 10, 24)) as never as {
      diagnostics: { code: string; severity: string; message: string; help: string }[];
    };
    console.log(`${rule}\n${diagnostics.map(({ code, severity, message, help }) => `    ${severity} ${code} ${message} | ${help}`).join('\n')}`);
  }
});
