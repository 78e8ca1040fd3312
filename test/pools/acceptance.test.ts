/** What today's gateways get wrong about provider keys (design/keys-acceptance.md), at the built gateway; numbers are those of the list. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelView } from '../../src/admin/routes/models.ts';
import type { PoolView } from '../../src/admin/routes/pools.ts';
import { ADMIN_ROUTES } from '../../src/admin/routes.ts';
import { runPortunus } from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';
import { formsOf } from './secret-forms.ts';

/** Keys of a burst: a hundred calls of 1,000 tokens each come back in a second and a half. */
const BURST = ['acc-burst-1', 'acc-burst-2', 'acc-burst-3'];
const BURST_TPM = 4_000_000;

const SECRETS = [
  ...BURST,
  'acc-flood',
  ...[
    'acc-a',
    'acc-b',
    'acc-s1',
    'acc-s2',
    'acc-r',
    'acc-t',
    'acc-big',
    'acc-little',
    'acc-low',
    'acc-money',
    ...['acc-stormy', 'acc-brief', 'acc-house', 'acc-worded', 'acc-cool', 'acc-m1', 'acc-m2', 'acc-m3'],
    'sk-due-first-7',
    'sk-hooked-8',
    'acc-costly',
  ],
  ...['sk-stored-first-1', 'sk-stored-second-2', 'sk-filed-first-3', 'sk-filed-second-4'],
  ...['sk-rotated-third-5', 'sk-nobody-knows-6'],
];
const WEBHOOK_SECRET = 'whsec_d2ViaG9vay1zZWNyZXQtMDEyMzQ1Njc4OWFi';
/** A thousand bytes of which no tokenizer makes much. */
const IDS = Array.from({ length: 111 }, (_, nth) => (nth * 2_654_435_761).toString(16).slice(-8)).join(' ');
/** Sixty-one days back. */
const CLOCK_OF_LONG_AGO = 'const now = Date.now; Date.now = () => now() - 5270400000';
let running: ModelsProject;
let openai: OpenAI;
/** A service that is no provider: to the first request for each path it breaks the connection once it has read it. */
let jobs: UpstreamServer;
/** Who is told of alerts and traces: path, fields and body of each message. */
let people: { readonly server: UpstreamServer; readonly told: (readonly [string, string, string])[] };
const secret = (key: string): string => `secret: "env:${variableOf(key)}"`;

beforeAll(async () => {
  jobs = await startUpstream((request, response) => {
    request.resume().on('end', () => {
      const asked = `${request.method} ${request.url}`;
      if (jobs.requests.filter((each) => each === asked).length > 1) response.end();
      else request.socket.resetAndDestroy();
    });
  });
  const told: [string, string, string][] = [];
  const server = await startUpstream((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      told.push([request.url!, JSON.stringify(request.headers), body]);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  people = { server, told };
  running = await startModelsProject({
    settings: `deliveries: { people: { webhook: "http://127.0.0.1:${server.port}/alerts", secretFile: ./webhook.secret } }
traces: { endpoint: "http://127.0.0.1:${server.port}/v1/traces", share: 0% }`,
    accounts: [
      { name: 'a', keys: ['acc-a'], limits: { rpm: 600, tpm: 1_000_000 } },
      { name: 'b', keys: ['acc-b'], limits: { rpm: 600, tpm: 1_000_000 } },
      { name: 'shared', keys: ['acc-s1', 'acc-s2'], limits: { rpm: 5, tpm: 1_000_000 } },
      { name: 'revoked', keys: ['acc-r'], limits: { rpm: 600, tpm: 1_000_000 } },
      { name: 'tokens', keys: ['acc-t'], limits: { rpm: 600, tpm: 10_000 } },
      { name: 'big', keys: ['acc-big'], limits: { rpm: 600, tpm: 100_000 } },
      { name: 'little', keys: ['acc-little'], limits: { rpm: 600, tpm: 5_000 } },
      { name: 'money', keys: ['acc-money'], limits: { rpm: 10_000, tpm: 10_000_000 } },
      { name: 'costly', keys: ['acc-costly'], limits: { rpm: 10_000, tpm: 10_000_000 } },
      { name: 'kept', keys: SECRETS.slice(-6, -1), limits: { rpm: 6_000, tpm: 1_000_000 } },
      ...BURST.map((name) => ({ name, keys: [name], limits: { rpm: 1_000_000, tpm: BURST_TPM } })),
      { name: 'flood', keys: ['acc-flood'], limits: { rpm: 1_000_000, tpm: 600_000 } },
      { name: 'due', keys: ['sk-due-first-7', 'sk-hooked-8'], limits: { rpm: 6_000, tpm: 1_000_000 } },
      { name: 'lowered', keys: ['acc-low'], limits: { rpm: 600, tpm: 1_000_000 } },
      ...['stormy', 'brief', 'house', 'worded', 'cool', 'm1', 'm2', 'm3'].map((name) => ({
        name,
        keys: [`acc-${name}`],
        limits: { rpm: 6_000, tpm: 1_000_000 },
      })),
    ],
    providers: (url) => [
      `stormy: { extends: builtin/openai, baseUrl: "${url}", outliers: { failures: 3, first: 1m, longest: 1m } }`,
      `brief: { extends: builtin/openai, baseUrl: "${url}", outliers: { failures: 3, first: 300ms, longest: 300ms } }`,
      `house: { dialect: openai, baseUrl: "${url}", errors: [{ statuses: [429], means: throttled }, { statuses: [503], means: overloaded }] }`,
    ],
    pools: `pools:
  two: { provider: openai, choose: priority, keys: { a: { ${secret('acc-a')}, priority: 1 }, b: { ${secret('acc-b')}, priority: 2 } } }
  shared: { provider: openai, keys: { s1: { account: org, ${secret('acc-s1')}, limits: { rpm: 5 } }, s2: { account: org, ${secret('acc-s2')}, limits: { rpm: 5 } } } }
  revoked: { provider: openai, choose: priority, keys: { r: { ${secret('acc-r')}, priority: 1 }, b: { account: b, ${secret('acc-b')}, priority: 2 } } }
  tokens: { provider: openai, keys: { t: { ${secret('acc-t')} } } }
  sizes: { provider: openai, choose: priority, keys: { little: { ${secret('acc-little')}, priority: 1, limits: { tpm: 5_000 } }, big: { ${secret('acc-big')}, priority: 2, limits: { tpm: 100_000 } } } }
  budgeted: { provider: openai, keys: { m: { ${secret('acc-money')} } } }
  costly: { provider: openai, keys: { costly: { ${secret('acc-costly')} } } }
  lowered: { provider: openai, keys: { low: { ${secret('acc-low')}, limits: { rpm: 600 } } } }
  stored: { provider: openai, keys: { s: { secret: "store:openai/s" } } }
  filed: { provider: openai, keys: { f: { secret: "file:../filed.key" } } }
  burst: { provider: openai, queue: { upTo: 5s, waiting: 1_000 }, keys: { ${BURST.map((name, nth) => `b${nth}: { ${secret(name)}, limits: { tpm: ${BURST_TPM} } }`).join(', ')} } }
  flood: { provider: openai, queue: { upTo: 5s, waiting: 1_000 }, keys: { f: { ${secret('acc-flood')}, limits: { tpm: 600_000 } } } }
  stormy: { provider: stormy, keys: { s: { ${secret('acc-stormy')} } } }
  brief: { provider: brief, keys: { k: { ${secret('acc-brief')} } } }
  house: { provider: house, keys: { h: { ${secret('acc-house')} } } }
  worded: { provider: openai, keys: { w: { ${secret('acc-worded')} } } }
  cool: { provider: openai, keys: { c: { ${secret('acc-cool')} } } }
  due: { provider: openai, rotation: { command: [/bin/sh, -c, 'grep -q due && echo sk-hoo""ked-8'] }, keys: { d: { secret: "store:openai/d" } } }
models:
  stormy: { pools: [stormy], as: gpt-4o }
  sheltered: { pools: [stormy, two], as: gpt-4o }
  brief: { pools: [brief], as: gpt-4o }
  custom: { pools: [house, two], as: gpt-4o }
  worded: { pools: [worded, two], as: gpt-4o }
  cool: { pools: [cool], as: gpt-4o }
  burst: { pools: [burst], as: gpt-4o }
  flood: { pools: [flood], as: gpt-4o }
  stored: { pools: [stored], as: gpt-4o }
  filed: { pools: [filed], as: gpt-4o }
  due: { pools: [due], as: gpt-4o }
  two: { pools: [two], as: gpt-4o }
  shared: { pools: [shared], as: gpt-4o }
  revoked: { pools: [revoked], as: gpt-4o }
  tokens: { pools: [tokens], as: gpt-4o }
  sizes: { pools: [sizes], as: gpt-4o }
  lowered: { pools: [lowered], as: gpt-4o }
  fallback: { pools: [tokens, two], as: gpt-4o }
  routed: { pools: [tokens, two, sizes], as: gpt-4o }
  priced: { pools: [budgeted], as: gpt-4o, price: { input: $2.50, output: $10, asOf: 2026-11-30 } }
  dear: { pools: [budgeted], as: gpt-4o, price: { input: $2.50, output: $10, asOf: 2026-11-30 } }
  cheap: { pools: [budgeted], as: gpt-4o-mini, price: { input: $0.15, output: $0.60, asOf: 2026-11-30 } }
  counted: { pools: [budgeted], as: gpt-4o }
  near: { pools: [budgeted], as: gpt-4o }
  opaque: { pools: [budgeted], as: gpt-4o, tokenizer: none }
  costly: { pools: [costly], as: gpt-4o, outputTokensMax: 100, price: { input: $1_000, output: $1_000, asOf: 2026-11-30 } }
  capped: { pools: [budgeted], as: gpt-4o, outputTokensMax: 4_000 }
`,
    policies: `language 1
policy "base" {
    permit when consumer is subscribed to route
    limit "pace" at most 90 requests in any 1m  for each tenant  when tenant.plan is "trial"
}
policy "jobs" applies to route "once", "again" { permit }
policy "spending" applies to route "chat" {
  budget "dollar" $1.00 per month in UTC  for each consumer  when model is "costly"
  budget "purse" $0.02 per year  for each consumer  when model is "priced"
  budget "app" $0.006 per year  for each consumer  when model in ["dear", "cheap"]
    when exhausted fall back to model "cheap" for at most $0.0006 more  status 402
  limit "tokens" at most 1_000 tokens in any 24h  for each consumer  when model is "counted"
  limit "near" at most 900 tokens in any 24h  for each model  when model in ["near", "opaque"]
  cap request.output_cap at 5  when model is "capped"
}
policy "europe" applies to route "chat" { route to pool "sizes" then "two" when request.header["x-region"] is present and request.header["x-region"] is "eu" }
policy "p5-eu" applies to route "chat" {
    require "eu-only" target.pool in ["two", "sizes"]  when request.header["x-tags"] is present and request.header["x-tags"] is "eu"
        status 503  code "no_eu_target"  because "EU data stays in the EU, and no EU target is available"
}
policy "own" applies to route "chat" { route to pool "shared" when request.header["x-region"] is present and request.header["x-region"] is "own" }
policy "supply" {
  alert "lost" when key.state is "invalid"  because "{key} of {pool} is {key.state}"
  alert "scarce" when pool is "shared" and (pool.headroom < 50% or pool exhausted within 1s)
  alert "idle" when pool is "lowered" and pool.usable_keys < 1
  rotate keys of pool "due" every 60 days  overlap 1h
}
`,
    prepare: async (project) => {
      await project.write('webhook.secret', WEBHOOK_SECRET);
      await project.write('filed.key', 'sk-filed-first-3\n');
      await project.write('providers/moved.yaml', moved('m1', 'm2', 'm3'));
      const longAgo = {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK_OF_LONG_AGO)}`,
      };
      const due = ['secrets', 'set', 'openai/d', project.folder];
      expect(await runPortunus(due, { input: 'sk-due-first-7', environment: longAgo })).toMatchObject({
        code: 0,
      });
      await project.write(
        'routes/jobs.yaml',
        `services: { jobs: { endpoints: [{ url: "http://127.0.0.1:${jobs.port}" }] } }
routes:
  once: { service: jobs, match: { path: /jobs/once } }
  again: { service: jobs, match: { path: /jobs/again }, repeatUnsafeMethods: true }
`,
      );
      const set = ['secrets', 'set', 'openai/s', project.folder];
      expect(await runPortunus(set, { input: 'sk-stored-first-1\n' })).toMatchObject({ code: 0, stderr: '' });
    },
  });
  await connect();
});
afterAll(async () => {
  await running.close();
  await people.server.close();
  await jobs.close();
});

async function connect(): Promise<void> {
  const key = await running.gateway.key('acme', 'web');
  openai = new OpenAI({ apiKey: key, baseURL: `${running.gateway.url}/v1`, maxRetries: 0 });
}

/** A pool and its model, whose keys go first in this order. */
function moved(...keys: readonly string[]): string {
  const lines = keys.map((key, nth) => `      ${key}: { ${secret(`acc-${key}`)}, priority: ${nth + 1} }\n`);
  return `pools:
  moved:
    provider: openai
    choose: priority
    keys:
${lines.join('')}models: { moved: { pools: [moved], as: gpt-4o } }
`;
}

const say = (model: string, maxTokens = 20, content = 'Hello') =>
  openai.chat.completions.create({ model, max_tokens: maxTokens, messages: [{ role: 'user', content }] });

/** Without the SDK, which would make up most of the time of many calls. */
async function send(key: string, model: string, maxTokens: number): Promise<Response> {
  const body = { model, max_tokens: maxTokens, messages: [{ role: 'user', content: 'Hello' }] };
  const response = await fetch(`${running.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response;
}

const mock = (path: string, body: unknown): Promise<Response> =>
  fetch(`${running.provider.url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });

async function pool(name: string): Promise<PoolView> {
  const { pools } = JSON.parse(await admin('/v1/pools')) as { readonly pools: readonly PoolView[] };
  return pools.find((one) => one.name === name)!;
}

/** What the admin API answers. */
async function admin(path: string): Promise<string> {
  const { folder, adminPort } = running.project;
  const access = readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8');
  const { token } = JSON.parse(access) as { readonly token: string };
  const headers = { authorization: `Bearer ${token}` };
  return await (await fetch(`http://127.0.0.1:${adminPort}${path}`, { headers })).text();
}

async function keyState(name: string, key: string): Promise<string> {
  return (await pool(name)).keys.find((one) => one.name === key)!.state;
}

describe('money and tokens of calls', () => {
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: { status: number; code: string }) => `${error.status} ${error.code}`,
    );

  it('are never overspent, however many streams run at once (22)', async () => {
    const before = countsOf(running, 'money');
    const stream = async (nth: number) => {
      const events = await openai.chat.completions.create({
        model: 'priced',
        stream: true,
        max_tokens: 100,
        messages: [{ role: 'user', content: `Say ${nth}` }],
      });
      for await (const _ of events);
    };
    const ends = await Promise.all(Array.from({ length: 60 }, (_, nth) => refused(stream(nth))));
    const after = countsOf(running, 'money');
    const spent =
      (after.inputTokens - before.inputTokens) * 2.5e-6 + (after.outputTokens - before.outputTokens) * 1e-5;
    expect(new Set(ends)).toEqual(new Set([null, '429 budget_exhausted']));
    expect(spent).toBeLessThanOrEqual(0.02);
    // what was reserved and not used serves the next ones
    while ((await refused(stream(0))) === null);
    const all = countsOf(running, 'money');
    const used =
      (all.inputTokens - before.inputTokens) * 2.5e-6 + (all.outputTokens - before.outputTokens) * 1e-5;
    expect(used).toBeLessThanOrEqual(0.02);
    expect(used).toBeGreaterThan(0.018);
  });

  it('fall back to another model where a budget is exhausted, and what it allows more is not overspent either', async () => {
    const spent = { 'gpt-4o': 0, 'gpt-4o-mini': 0 };
    const call = async (): Promise<string | null> => {
      const answer = say('dear', 100).then(({ model, usage }) => {
        const [input, output] = model === 'gpt-4o' ? [2.5e-6, 1e-5] : [1.5e-7, 6e-7];
        spent[model as keyof typeof spent] +=
          usage!.prompt_tokens * input + usage!.completion_tokens * output;
      });
      return refused(answer);
    };
    await Promise.all(Array.from({ length: 40 }, call));
    while ((await call()) === null);
    // reserved are some $0.0012 of the one and $0.00007 of the other
    expect(spent['gpt-4o']).toBeGreaterThan(0.0045);
    expect(spent['gpt-4o']).toBeLessThanOrEqual(0.006);
    expect(spent['gpt-4o-mini']).toBeGreaterThan(0.0005);
    expect(spent['gpt-4o-mini']).toBeLessThanOrEqual(0.0006);
    // none has room, and the limit says so as it would without the other model
    expect(await refused(say('dear', 100))).toBe('402 budget_exhausted');
  });

  it('that nothing bounds are refused, and it is said why', async () => {
    const image = { type: 'image_url' as const, image_url: { url: 'https://example.com/cat.png' } };
    const seen = openai.chat.completions.create({
      model: 'priced',
      max_tokens: 5,
      messages: [{ role: 'user', content: [image] }],
    });
    await expect(seen).rejects.toMatchObject({
      status: 403,
      code: 'no_sound_bound',
      message: expect.stringContaining('an image by its URL'),
    });
    // as much as its model can answer is more than the limit has
    const unending = openai.chat.completions.create({ model: 'counted', messages: [] });
    await expect(unending).rejects.toMatchObject({
      ...{ status: 403, code: 'larger_than_limit', message: expect.stringContaining('max_tokens') },
    });
  });

  it('count by what the provider tells, and a call larger than the limit is told so', async () => {
    // how long answers are depends on the calls before: as many as leave less than 890 tokens
    let used = 0;
    while (used <= 110) used += (await say('counted', 200)).usage!.total_tokens;
    expect(await refused(say('counted', 2_000))).toBe('403 larger_than_limit');
    // with the prompt, of a byte for each token, it fits the limit, but not what is left of it
    expect(await refused(say('counted', 890))).toBe('429 limit_exceeded');
    expect(await refused(say('counted', 500))).toBe(null);
  });

  it('are counted where there is no room for the bytes of a prompt, unless nobody knows how', async () => {
    expect(await refused(say('opaque', 20, IDS))).toBe('403 larger_than_limit');
    const { usage } = await say('near', 20, IDS);
    expect(usage!.total_tokens).toBeLessThan(900);
    // settled by what was used: a shorter one has room by its bytes, and is not counted
    expect(await refused(say('near', 20, IDS.slice(0, IDS.length / 2)))).toBe(null);
    expect(await refused(say('near', 20, IDS))).toBe('429 limit_exceeded');
    // what threads say of themselves is written once a second
    await expect
      .poll(() => admin('/metrics'), { timeout: 5_000 })
      .toMatch(/^portunus_prompts_counted_total\{.*\} [1-9]/m);
    expect(await admin('/v1/log?model=near&limit=10')).not.toContain('estimate_low');
  });

  it('are capped by rules in the field that the provider knows', async () => {
    const answer = await openai.chat.completions.create({
      model: 'capped',
      messages: [{ role: 'user', content: 'Write a long text' }],
    });
    expect(answer.usage!.completion_tokens).toBeLessThanOrEqual(5);
  });
});

/** The status that the caller of a model got. */
const statusOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 200,
    ({ status }: { readonly status: number }) => status,
  );

describe('a key that is throttled', () => {
  it('gets no call for as long as its provider says, and another one serves (1)', async () => {
    await mock('faults', { status: 429, times: 1, account: 'a', fields: { 'retry-after': '5' } });
    const before = { a: countsOf(running, 'a').requests, b: countsOf(running, 'b').requests };
    const fromMs = Date.now();
    await say('two');
    const toMs = Date.now();
    const view = (await pool('two')).keys[0]!;
    expect(view).toMatchObject({ name: 'a', state: 'active', throttled: [{ model: 'gpt-4o' }] });
    expect(view.throttled[0]!.untilMs).toBeGreaterThanOrEqual(fromMs + 5_000);
    expect(view.throttled[0]!.untilMs).toBeLessThanOrEqual(toMs + 5_002);
    for (let nth = 0; nth < 5; nth++) await say('two');
    expect(countsOf(running, 'a').requests).toBe(before.a + 1);
    expect(countsOf(running, 'b').requests).toBe(before.b + 6);
  });

  it('is one by the words of its provider too, and not an invalid one (2)', async () => {
    const message = 'Rate limit reached on tokens per min (TPM). Please try again in 1.574s.';
    const body = { error: { message, type: 'tokens', param: null, code: 'rate_limit_exceeded' } };
    await mock('faults', { status: 429, times: 1, account: 'worded', body });
    const before = countsOf(running, 'b').requests;
    await say('worded');
    expect(countsOf(running, 'b').requests).toBe(before + 1);
    expect(await keyState('worded', 'w')).toBe('active');
  });

  it('or whose provider is overloaded leaves the call to the next pool, at a provider of the own description too (3)', async () => {
    for (const status of [503, 429]) {
      await mock('faults', { status, times: 1, account: 'house' });
      const before = [countsOf(running, 'house').requests, countsOf(running, 'b').requests];
      await say('custom');
      const after = [countsOf(running, 'house').requests, countsOf(running, 'b').requests];
      expect(after).toEqual(before.map((count) => count + 1));
    }
  });

  it('that is the only one is told of with the moment of its return, in words of OpenAI, and is not called (5)', async () => {
    const fromMs = performance.now();
    await say('tokens', 9_000);
    // What the provider itself would say, whose time stands still. Few of its tokens are those of the prompt, which the gateway takes for more.
    const asked = new OpenAI({ apiKey: 'acc-t', baseURL: `${running.provider.url}/v1`, maxRetries: 0 });
    const told = await asked.chat.completions
      .create({ model: 'gpt-4o', max_tokens: 9_000, messages: [{ role: 'user', content: 'Hello' }] })
      .catch((error: { headers: Headers }) => Number(error.headers.get('retry-after')));
    expect(told).toBeGreaterThan(40);
    const before = countsOf(running, 'tokens');
    const refused = await say('tokens', 9_000).then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.RateLimitError>,
    );
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
    expect(refused).toMatchObject({ code: 'keys_exhausted', type: 'rate_limit_error' });
    const seconds = Number(refused!.headers.get('retry-after'));
    expect(seconds).toBeLessThanOrEqual((told as number) + 1);
    // That of the gateway passed meanwhile.
    expect(seconds + (performance.now() - fromMs) / 1_000).toBeGreaterThanOrEqual((told as number) - 1);
    expect(countsOf(running, 'tokens')).toEqual(before);
  });

  it('in the first pool leaves the call to the next pool of the model (4)', async () => {
    const answer = await say('fallback', 9_000);
    expect(answer.choices).toHaveLength(1);
  });
});

it('a prompt too large for one key goes to the one that has room for it, without an error of any (9)', async () => {
  const before = countsOf(running, 'little');
  await say('sizes', 100, 'word '.repeat(1_500));
  expect(countsOf(running, 'little')).toEqual(before);
  expect(countsOf(running, 'big').refused).toBe(0);
  await say('sizes', 100);
  expect(countsOf(running, 'little').requests).toBe(before.requests + 1);
});

it('a rule says which pools of a model a call may use, and in which order', async () => {
  const send = (region: string) =>
    openai.chat.completions.create(
      { model: 'routed', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] },
      { headers: { 'x-region': region } },
    );
  const before = [countsOf(running, 'little'), countsOf(running, 'tokens')];
  await send('eu');
  expect(countsOf(running, 'little').requests).toBe(before[0]!.requests + 1);
  expect(countsOf(running, 'tokens')).toEqual(before[1]);
  const refused = await send('own').then(
    () => null,
    (error: unknown) => error as InstanceType<typeof OpenAI.PermissionDeniedError>,
  );
  expect(refused).toMatchObject({ status: 403, code: 'no_pool_for_model' });
});

it('a rule over targets keeps calls from others, and refuses where none is left', async () => {
  const send = (model: string) =>
    openai.chat.completions.create(
      { model, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] },
      { headers: { 'x-tags': 'eu' } },
    );
  const before = countsOf(running, 'tokens');
  await send('fallback');
  const refused = await send('tokens').then(
    () => null,
    (error: unknown) => error as InstanceType<typeof OpenAI.InternalServerError>,
  );
  expect(refused).toMatchObject({ status: 503, code: 'no_eu_target' });
  expect(countsOf(running, 'tokens')).toEqual(before);
});

it('keys of one account share its limit: both do not double it, and the provider refuses nothing (16)', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => say('shared')));
  const served = outcomes.filter(({ status }) => status === 'fulfilled').length;
  expect(served).toBeGreaterThanOrEqual(4);
  expect(served).toBeLessThanOrEqual(5);
  expect(countsOf(running, 'shared')).toMatchObject({ requests: served, refused: 0 });
});

it('a key that its provider revokes under load is invalid after two proofs, and callers see nothing (17)', async () => {
  await say('revoked');
  await mock('keys', { key: 'acc-r', state: 'revoked' });
  await Promise.all(Array.from({ length: 20 }, () => say('revoked')));
  await say('revoked');
  expect(await keyState('revoked', 'r')).toBe('invalid');
  const { unauthorised } = countsOf(running, 'revoked');
  for (let nth = 0; nth < 5; nth++) await say('revoked');
  expect(countsOf(running, 'revoked').unauthorised).toBe(unauthorised);
  await running.gateway.printed(/Key \\?"r\\?" of pool \\?"revoked\\?" is invalid/);
  await running.gateway.printed(
    /supply\/lost for key \\?"r\\?" of pool \\?"revoked\\?": r of revoked is invalid/,
  );
});

it('limits that the provider lowers hold from its next answer on (18)', async () => {
  await say('lowered');
  await mock('limits', { account: 'lowered', limits: { rpm: 4, tpm: 1_000_000 } });
  await say('lowered');
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => say('lowered')));
  expect(countsOf(running, 'lowered').refused).toBe(0);
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(2);
});

describe('a storm of errors of a provider (10)', () => {
  it('marks no key: nothing is sent there, and the next pool serves', async () => {
    await mock('faults', { status: 500, times: 3, account: 'stormy' });
    for (let nth = 0; nth < 3; nth++) expect(await statusOf(say('stormy'))).toBe(500);
    const before = countsOf(running, 'stormy');
    for (let nth = 0; nth < 3; nth++) expect(await statusOf(say('sheltered'))).toBe(200);
    const refused = await say('stormy').then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.InternalServerError>,
    );
    expect(refused).toMatchObject({ status: 503, code: 'upstream_none_available' });
    const seconds = Number(refused!.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(countsOf(running, 'stormy')).toEqual(before);
    expect(await keyState('stormy', 's')).toBe('active');
    const status = await runPortunus(['status', running.project.folder]);
    expect(status.stdout).toMatch(/stormy.*too many of its answers are errors; left alone for \d+ ms more/);
  });

  it('is over when one call, sent alone, is answered well', async () => {
    await mock('faults', { status: 500, times: 5, account: 'brief' });
    for (let nth = 0; nth < 3; nth++) expect(await statusOf(say('brief'))).toBe(500);
    const seen: number[] = [];
    while (!seen.includes(200)) {
      const round = await Promise.all(Array.from({ length: 4 }, () => statusOf(say('brief'))));
      expect(round.filter((status) => status === 500).length).toBeLessThanOrEqual(1);
      seen.push(...round);
    }
    expect(seen.filter((status) => status === 500)).toHaveLength(2);
    expect(new Set(seen)).toEqual(new Set([503, 500, 200]));
    for (let nth = 0; nth < 3; nth++) expect(await statusOf(say('brief'))).toBe(200);
    expect(await keyState('brief', 'k')).toBe('active');
  });
});

it('a key that is throttled serves again by itself when its time is over (1, 2, 4)', async () => {
  for (const [model, account] of [
    ['two', 'a'],
    ['worded', 'worded'],
    ['custom', 'house'],
  ] as const) {
    const before = countsOf(running, account).requests;
    while (countsOf(running, account).requests === before) await say(model);
    expect(await statusOf(say(model))).toBe(200);
    expect(countsOf(running, account).requests).toBe(before + 2);
  }
});

it('a key that is switched off stays off when keys change their places, and the others keep their order (6)', async () => {
  const { folder } = running.project;
  const served = async (): Promise<string> => {
    const counts = (name: string) => countsOf(running, name).requests;
    const before = ['m1', 'm2', 'm3'].map(counts);
    await say('moved');
    return ['m1', 'm2', 'm3'].find((name, nth) => counts(name) > before[nth]!)!;
  };
  const reload = async (...keys: readonly string[]): Promise<void> => {
    await running.project.write('providers/moved.yaml', moved(...keys));
    expect((await runPortunus(['reload', folder])).code).toBe(0);
  };
  expect((await runPortunus(['keys', 'disable', 'moved/m1', folder])).code).toBe(0);
  expect(await served()).toBe('m2');
  await reload('m1', 'm3', 'm2');
  expect(await keyState('moved', 'm1')).toBe('disabled');
  expect(await served()).toBe('m3');
  await reload('m1', 'm2');
  expect((await pool('moved')).keys.map(({ name, state }) => [name, state])).toEqual([
    ['m1', 'disabled'],
    ['m2', 'active'],
  ]);
  expect(await served()).toBe('m2');
});

it('a POST whose connection breaks after it was sent is made once, unless its route allows repeats (11)', async () => {
  const headers = { authorization: `Bearer ${await running.gateway.key('acme', 'web')}` };
  const post = async (path: string): Promise<number> =>
    (await fetch(`${running.gateway.url}/jobs/${path}`, { method: 'POST', headers, body: 'do it' })).status;
  expect([await post('once'), await post('again')]).toEqual([502, 200]);
  expect(jobs.requests).toEqual(['POST /jobs/once', 'POST /jobs/again', 'POST /jobs/again']);
  // A call to a model may be paid for.
  const before = countsOf(running, 'big').requests;
  await mock('faults', { breaks: 'connection', times: 1, account: 'big' });
  await expect(say('sizes', 6_000)).rejects.toMatchObject({ status: 502 });
  expect(countsOf(running, 'big').requests).toBe(before + 1);
});

it('pools with a field that nobody knows are refused with its place; the version before serves, and says so (13)', async () => {
  const { folder } = running.project;
  const path = join(folder, 'providers', 'p.yaml');
  const text = readFileSync(path, 'utf8');
  await running.project.write('providers/p.yaml', text.replace('limits: { rpm: 5 }', 'limits: { rpx: 5 }'));
  const reload = await runPortunus(['reload', folder]);
  const line = text.split('\n').findIndex((each) => each.includes('limits: { rpm: 5 }')) + 1;
  const refused = new RegExp(`"rpx"[^]*providers/p\\.yaml:${line}:`);
  expect(reload).toMatchObject({ code: 1, stdout: expect.stringMatching(refused) });
  expect(reload.stdout).toContain('The version before goes on serving.');
  expect((await runPortunus(['status', folder])).stdout).toMatch(refused);
  await say('sizes');
  await running.project.write('providers/p.yaml', text);
  expect((await runPortunus(['reload', folder])).code).toBe(0);
});

it('secrets that are changed in the store or in a file count without a reload, and one in use is not removed', async () => {
  await say('stored');
  await say('filed');
  await mock('keys', { key: 'sk-stored-first-1', state: 'revoked' });
  await mock('keys', { key: 'sk-filed-first-3', state: 'revoked' });
  const { folder } = running.project;
  const set = await runPortunus(['secrets', 'set', 'openai/s', folder], { input: 'sk-stored-second-2' });
  expect(set.stdout).toBe('Sealed openai/s, value 2. In the files it is store:openai/s.\n');
  await say('stored');
  await running.project.write('filed.key', 'sk-filed-second-4');
  await running.gateway.printed(/"pool":"filed","key":"f","msg":"provider key has another secret"/);
  await say('filed');
  const removed = await runPortunus(['secrets', 'remove', 'openai/s', folder]);
  expect(removed).toMatchObject({ code: 3, stdout: '' });
  expect(removed.stderr).toContain('The secret is in use by key "s" of pool "stored".');
});

it('a secret is replaced without one failed request; one that does not work gives way, and the audit log says who (20)', async () => {
  const { folder } = running.project;
  const rotate = (input: string, overlap: string) =>
    runPortunus(['keys', 'rotate', 'stored/s', folder, '--overlap', overlap], { input });
  const rotated = await rotate('sk-rotated-third-5', '3s');
  expect(rotated.stdout).toMatch(
    /^stored\/s has another secret, which takes its first calls; the former one/,
  );
  await callUntil('stored', /"pool":"stored","key":"s","msg":"provider key has its new secret alone"/);
  await mock('keys', { key: 'sk-stored-second-2', state: 'revoked' });
  await say('stored');
  expect((await rotate('sk-nobody-knows-6', '1h')).code).toBe(0);
  await callUntil('stored', /is not known to its provider: the former one serves again/);
  await say('stored');
  expect((await pool('stored')).keys[0]).toMatchObject({ state: 'active', rotation: null });
  const { stdout } = await runPortunus(['audit', 'show', folder]);
  expect(stdout).toMatch(/secrets\.rotate .*openai\/s of key s of pool stored/);
  for (const action of ['secrets.retire', 'secrets.go-back', 'rotation hook'])
    expect(stdout).toContain(action);
});

it('a secret that is older than a policy allows is replaced by the hook of its pool', async () => {
  await running.gateway.printed(/The secret of key \\?"d\\?" of pool \\?"due\\?" is due/);
  await running.gateway.printed(
    /"pool":"due","key":"d","msg":"a hook has given a provider key another secret"/,
  );
  const [key] = (await pool('due')).keys;
  const hour = 3_600_000;
  expect(key!.rotation!.untilMs - key!.rotation!.sinceMs).toBe(hour);
  expect(key!.rotationDueMs! - key!.secretSinceMs).toBe(60 * 24 * hour);
  await mock('keys', { key: 'sk-due-first-7', state: 'revoked' });
  for (let nth = 0; nth < 3; nth++) await say('due');
  const { stdout } = await runPortunus(['keys', 'pools', running.project.folder]);
  expect(stdout).toMatch(/due +d .*in 60 days/);
});

/** Calls one after another, none of which may fail, until the gateway has printed something. */
async function callUntil(model: string, pattern: RegExp): Promise<void> {
  let printed = false;
  const told = running.gateway.printed(pattern).then(() => {
    printed = true;
  });
  while (!printed) await say(model);
  await told;
}

it('rules about pools are told of those alone of which they hold', async () => {
  const status = await runPortunus(['status', running.project.folder]);
  expect(status.stdout).toMatch(/supply\/scarce for pool "shared": pool.headroom is/);
  expect(status.stdout).toContain('supply/lost for key "r" of pool "revoked"');
  expect(status.stdout).not.toContain('supply/idle');
});

it('models are listed with their pools and prices, by the command as by the admin API', async () => {
  const { stdout } = await runPortunus(['models', running.project.folder, '--json']);
  const { models } = JSON.parse(await admin('/v1/models')) as { readonly models: readonly ModelView[] };
  expect(JSON.parse(stdout)).toEqual(models);
  expect(models.find(({ name }) => name === 'fallback')).toMatchObject({
    upstreamName: 'gpt-4o',
    dialect: 'openai',
    pools: [
      { name: 'tokens', provider: 'openai', region: null, keys: 1 },
      { name: 'two', keys: 2 },
    ],
    price: { currency: 'USD', input: 2.5, output: 10, source: 'catalogue' },
  });
});

it('a burst of 500 calls, with room for 300 now and 200 a little later, is served whole, and no provider refuses any (19)', async () => {
  // What is left of each key is room for a hundred calls; the rest comes back while others wait.
  for (const _ of BURST) await say('burst', BURST_TPM - 100_000);
  running.clock.passesSinceMs = performance.now();
  const before = BURST.map((name) => countsOf(running, name).requests);
  const key = await running.gateway.key('acme', 'web');
  const answers = await Promise.all(Array.from({ length: 500 }, () => send(key, 'burst', 970)));
  standStill();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const counts = BURST.map((name) => countsOf(running, name));
  expect(counts.map(({ refused }) => refused)).toEqual([0, 0, 0]);
  const calls = counts.map(({ requests }, nth) => requests - before[nth]!);
  expect(calls.reduce((sum, count) => sum + count, 0)).toBe(500);
});

it('a tenant that floods holds up nobody else, and is told of its limit (14)', async () => {
  await say('flood', 590_000);
  running.clock.passesSinceMs = performance.now();
  const keys = {
    flood: await running.gateway.key('flood', 'web'),
    small: await running.gateway.key('small', 'web'),
  };
  const ended: string[] = [];
  const call = async (tenant: keyof typeof keys): Promise<Response> => {
    const answer = await send(keys[tenant], 'flood', 470);
    ended.push(tenant);
    return answer;
  };
  // 10,000 tokens are left, and as many come back in a second: room for twenty calls of 500, and for twenty a second.
  const flood = Promise.all(Array.from({ length: 100 }, () => call('flood')));
  const small = await Promise.all(Array.from({ length: 3 }, () => call('small')));
  const flooded = await flood;
  standStill();
  expect(small.map(({ status }) => status)).toEqual([200, 200, 200]);
  // Those of the flood that waited came after it, though they were there before.
  expect(ended.length - 1 - ended.lastIndexOf('small')).toBeGreaterThan(20);
  const limited = flooded.filter(({ status, headers }) => status === 429 && headers.has('ratelimit'));
  expect(limited).toHaveLength(10);
  expect(countsOf(running, 'flood').refused).toBe(0);
});

function standStill(): void {
  running.clock.nowMs = running.clock.monotonicMs();
  running.clock.passesSinceMs = null;
}

/** Two hundred streams at once, none of which says how long it may become: how each ended. */
async function streamAtOnce(): Promise<readonly string[]> {
  const stream = async (nth: number): Promise<string> => {
    const messages = [{ role: 'user' as const, content: `Say ${nth}` }];
    const events = await openai.chat.completions.create({ model: 'costly', stream: true, messages });
    for await (const _ of events);
    return 'served';
  };
  const ended = ({ status, code, message }: { status?: number; code?: string; message: string }): string =>
    status === undefined ? 'broken off' : `${status} ${code}: ${message}`;
  return Promise.all(Array.from({ length: 200 }, (_, nth) => stream(nth).catch(ended)));
}

it('a key that a person has switched off stays off, over kill -9 too; what is used of limits, and a wait, is kept (6, 7)', async () => {
  await mock('faults', { status: 429, times: 1, account: 'cool', fields: { 'retry-after': '300' } });
  expect(await statusOf(say('cool'))).toBe(429);
  const cooling = (await pool('cool')).keys[0]!.throttled[0]!.untilMs;
  const off = await runPortunus(['keys', 'disable', 'two/b', running.project.folder]);
  expect(off).toMatchObject({ code: 0, stdout: 'two/b is disabled.\n' });
  expect(await keyState('two', 'b')).toBe('disabled');
  const used = (await pool('shared')).keys[0]!.limits[0]!.left;
  await mock('answers', { eventMs: 50 });
  const cut = streamAtOnce();
  await expect.poll(() => countsOf(running, 'costly').requests, { timeout: 20_000 }).toBeGreaterThan(1);
  await running.gateway.stop('SIGKILL');
  expect(await cut).toContain('broken off');
  await mock('answers', { eventMs: 0 });
  await running.start();
  await connect();
  expect(await keyState('two', 'b')).toBe('disabled');
  expect(await keyState('revoked', 'r')).toBe('invalid');
  const calls = countsOf(running, 'cool').requests;
  expect(await statusOf(say('cool'))).toBe(429);
  expect(countsOf(running, 'cool').requests).toBe(calls);
  expect(Math.abs((await pool('cool')).keys[0]!.throttled[0]!.untilMs - cooling)).toBeLessThan(100);
  expect((await pool('shared')).keys[0]!.limits[0]!.left - used).toBeLessThanOrEqual(2);
  const on = await runPortunus(['keys', 'enable', 'two/b', running.project.folder]);
  expect(on.stdout).toBe('two/b is active.\n');
  const audit = await runPortunus(['audit', 'show', running.project.folder]);
  expect(audit.stdout).toContain('provider-keys.disable');
});

it('keys that people have set aside stay so when the file of what is known of keys is damaged, which is told until somebody removes it (6)', async () => {
  const { folder } = running.project;
  for (const change of [
    ['disable', 'two/b'],
    ['drain', 'cool/c'],
  ] as const)
    expect((await runPortunus(['keys', ...change, folder])).code).toBe(0);
  await running.gateway.stop('SIGKILL');
  writeFileSync(join(folder, 'data', 'pools.json'), '');
  await running.start();
  await connect();
  expect([await keyState('two', 'b'), await keyState('cool', 'c')]).toEqual(['disabled', 'retired']);
  await expect.poll(() => admin('/v1/status')).toContain('pools-lost');
  rmSync(join(folder, 'data', 'pools.json.damaged'));
  await expect.poll(() => admin('/v1/status')).not.toContain('pools-lost');
  for (const key of ['two/b', 'cool/c'])
    expect((await runPortunus(['keys', 'enable', key, folder])).stdout).toBe(`${key} is active.\n`);
});

it('a dollar is not overspent by streams of unknown length, though a kill -9 came in their middle, and refusals say when there is another (22)', async () => {
  const { requests } = countsOf(running, 'costly');
  const ends = [...(await streamAtOnce()), ...(await streamAtOnce())];
  const counts = countsOf(running, 'costly');
  expect(ends.filter((end) => end === 'served')).toHaveLength(counts.requests - requests);
  // At a tenth of a cent for each token.
  expect(counts.inputTokens + counts.outputTokens).toBeLessThanOrEqual(1_000);
  const refusals = new Set(ends.filter((end) => end !== 'served'));
  expect([...refusals]).toEqual([
    expect.stringMatching(/^429 budget_exhausted: .* it resets \d{4}-\d\d-01T00:00:00Z\.$/),
  ]);
});

/** Texts that somebody could read, by where. */
class Told {
  readonly #texts: { readonly where: string; readonly text: string }[] = [];

  add(where: string, ...texts: readonly string[]): void {
    for (const text of texts) this.#texts.push({ where, text });
  }

  async answer(where: string, answered: Promise<Response>): Promise<Response> {
    const answer = await answered;
    this.add(where, JSON.stringify([...answer.headers]), await answer.text());
    return answer;
  }

  async run(...commandLine: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
    const { code, stdout, stderr } = await runPortunus([...commandLine, running.project.folder]);
    this.add(`portunus ${commandLine.join(' ')}`, stdout, stderr);
    return { code, stdout };
  }

  /** Each form of each secret that is told anywhere but where it has to be. */
  leaks(secrets: readonly string[], meant: (where: string) => readonly string[]): readonly string[] {
    return this.#texts.flatMap(({ where, text }) =>
      secrets
        .filter((secret) => !meant(where).includes(secret))
        .flatMap((secret) => formsOf(secret).filter((form) => text.includes(form)))
        .map((form) => `${form} in ${where}`),
    );
  }

  get places(): ReadonlySet<string> {
    return new Set(this.#texts.map(({ where }) => where));
  }
}

describe('no secret of a provider, a caller or an operator (12)', () => {
  const told = new Told();
  const secrets: string[] = [
    ...SECRETS,
    'sk-put-9-to-store',
    'sk-posted-10-there',
    'sk-inline-11-here',
    WEBHOOK_SECRET,
  ];
  /** Files whose purpose is to hold one, which nobody else may read. */
  const OWN_FILES = ['first-keys.json', 'admin-access.json', 'secrets.key', 'audit.key'].map((name) =>
    join('data', name),
  );

  it('is told to those who send or ask, whatever they send', async () => {
    const { folder, adminPort } = running.project;
    const { token } = JSON.parse(readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8'));
    const send = (method: string, path: string, body?: string) =>
      told.answer(
        `${method} ${path} ${body ?? ''}`,
        fetch(`http://127.0.0.1:${adminPort}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body }),
        }),
      );
    const bodiesOf = (name: string, secret: string): readonly string[] => [
      JSON.stringify({ [name]: secret }),
      JSON.stringify({ [name]: [secret] }),
      JSON.stringify({ [secret]: name, [name]: secret }),
      JSON.stringify({ [name]: `${secret} é` }),
      `{"${name}": ${secret}}`,
      `${secret}`,
    ];
    const puts = bodiesOf('value', 'sk-put-9-to-store');
    for (const body of puts) await send('PUT', '/v1/secrets/openai%2Fput', body);
    const path = '/v1/pools/due/keys/d/rotation';
    for (const body of bodiesOf('secret', 'sk-posted-10-there').slice(1)) await send('POST', path, body);
    expect((await send('POST', path, JSON.stringify({ secret: 'sk-posted-10-there' }))).status).toBe(409);
    await send('DELETE', '/v1/secrets/openai%2Fput');
    for (const { method, path: asked } of ADMIN_ROUTES)
      if (method === 'GET' && !asked.includes('{'))
        await send(method, asked === '/v1/usage' ? `${asked}?from=0&to=1` : asked);
    await mock('faults', {
      status: 400,
      times: 1,
      account: 'house',
      fields: { 'x-asked-with': 'Bearer acc-house' },
      body: { error: { message: 'There is no acc-house.', type: 'invalid_request_error' } },
    });
    const key = await running.gateway.key('acme', 'web');
    const call = (authorization: string, model: string) =>
      told.answer(
        `a call to ${model}`,
        fetch(`${running.gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            authorization,
            'content-type': 'application/json',
            traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          },
          body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
        }),
      );
    expect((await call(`Bearer ${key}`, 'custom')).status).toBe(502);
    const sent = 'sk-filed-second-4';
    const inBase64 = (before: string): string => Buffer.from(before + sent).toString('base64');
    const echoes = [sent, encodeURIComponent(sent), ...['', 'u', 'me:'].map(inBase64)];
    for (const echo of echoes) {
      const fields = { 'x-echo': `Bearer ${echo}`, 'x-other': 'a field of many characters' };
      await mock('faults', { status: 200, times: 1, account: 'kept', fields });
      const answer = await call(`Bearer ${key}`, 'filed');
      const { headers, status } = answer;
      expect([status, headers.get('x-other'), headers.get('x-echo')]).toEqual([200, fields['x-other'], null]);
    }
    expect((await call(`Bearer ${key}`, 'nobody')).status).toBe(404);
    expect((await call(`Bearer ${key}x`, 'custom')).status).toBe(401);
    expect((await call(`Basic ${key}`, 'custom')).status).toBe(401);
    // of all that has been sent, these alone are new
    secrets.push(
      key,
      await running.gateway.key('small', 'web'),
      await running.gateway.key('flood', 'web'),
      token,
    );
    const inline = "pools: { leak: { provider: openai, keys: { l: { secret: 'sk-inline-11-here' } } } }\n";
    await running.project.write('providers/leak.yaml', inline);
    await running.gateway.printed(/PT3401/);
    await told.run('check', '--format', 'json');
    await told.run('check');
    rmSync(join(folder, 'providers', 'leak.yaml'));
    expect((await told.run('reload')).code).toBe(0);
  });

  it('is shown by any command', async () => {
    const issued = await runPortunus(['keys', 'issue', 'acme/web', running.project.folder, '--json']);
    const made = await runPortunus([
      'tokens',
      'issue',
      'reader',
      running.project.folder,
      '--scope',
      'read',
      '--json',
    ]);
    for (const { stdout } of [issued, made])
      secrets.push(...Object.values(JSON.parse(stdout) as object).filter(isLongText));
    const commands = [
      ['status', '--json'],
      ['keys', 'list', '--json'],
      ['keys', 'pools', '--json'],
      ['secrets', 'list', '--json'],
      ['tokens', 'list', '--json'],
      ['audit', 'export'],
      ['log', '--json'],
      ['usage', '--json'],
      ['explain', 'config', '--json'],
      ['history', '--json'],
      ['backup', '--json'],
      ['doctor', '--json'],
    ];
    for (let next = 0; next < commands.length; next += 3)
      await Promise.all(commands.slice(next, next + 3).map((each) => told.run(...each)));
  });

  it('is in what the gateway printed, sent or wrote, or what a copy of its store has', async () => {
    const { folder } = running.project;
    for (const name of ['secrets.key', 'audit.key']) {
      const hex = readFileSync(join(folder, 'data', name), 'utf8').trim();
      const bytes = Buffer.from(hex, 'hex');
      secrets.push(hex, bytes.toString('latin1'), bytes.toString('base64'));
    }
    expect(people.told.some(([path]) => path === '/alerts')).toBe(true);
    await expect
      .poll(() => people.told.some(([path]) => path === '/v1/traces'), { timeout: 20_000 })
      .toBe(true);
    await running.gateway.stop();
    expect((await told.run('restore')).code).toBe(0);
    await told.run('doctor');
    for (const texts of people.told) told.add(`sent to ${texts[0]}`, ...texts);
    told.add('printed', running.gateway.output);
    for (const path of filesIn(folder)) told.add(relative(folder, path), readFileSync(path, 'latin1'));
    for (const own of OWN_FILES) expect([own, statSync(join(folder, own)).mode & 0o077]).toEqual([own, 0]);
    const seen = [...told.places].join('\n');
    for (const place of ['store.mdb', 'history.mdb', 'pools.json'].map((name) => join('data', name)))
      expect(seen).toContain(place);
    for (const place of ['backups', 'replaced', 'printed', 'sent to /alerts', 'sent to /v1/traces'])
      expect(seen).toContain(place);
    const meant = (where: string): readonly string[] =>
      [...OWN_FILES, 'filed.key', 'webhook.secret'].includes(where) ? secrets : [];
    expect(told.leaks(secrets, meant)).toEqual([]);
    // or else nothing was looked for
    expect(told.leaks(secrets, () => [])).not.toEqual([]);
  });
});

/** Of what an answer that shows a key or a token has: names are short, moments are numbers. */
function isLongText(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('ptn_');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}
