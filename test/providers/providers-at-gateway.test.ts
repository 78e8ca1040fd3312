/**
 * Each shipped description at the built gateway: a mock provider answers as the real one documents, and what the gateway made of that
 * is seen where people see it – in its pools, and in what callers get.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import shipped from '../../providers/all.json' with { type: 'json' };
import type { PoolKeyView, PoolView } from '../../src/admin/routes/pools.ts';
import type { CallError } from '../../src/model/pools.ts';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from '../pools/models-project.ts';
import { answersAt, KEY_PLACES, type ProviderAnswer, USUAL_KEY_PLACE } from './answers.cases.ts';

interface Description {
  readonly dialect: string;
  readonly limits?: readonly {
    readonly limit?: string | undefined;
    readonly remaining: string;
    readonly reset?: string | undefined;
  }[];
}
const DESCRIPTIONS: Readonly<Record<string, Description>> = shipped;
const NAMES = Object.keys(shipped);

/** An answer, and the pool, key and model that are its own: what one of them teaches says nothing of the others. */
interface Replay {
  readonly name: string;
  readonly answer: ProviderAnswer;
}

function replaysOf(provider: string, nowMs: number): readonly Replay[] {
  const answers = answersAt(nowMs).filter((answer) => answer.provider === provider);
  return [...answers, ...answers.flatMap(usedUp)].map((answer, nth) => ({
    name: `${provider}.${nth}`,
    answer,
  }));
}

/** The same limits with nothing left, told by a refusal that does not say when to try again: their resets do. */
function usedUp(answer: ProviderAnswer): readonly ProviderAnswer[] {
  const resets = (answer.reports ?? []).map(({ resetMs }) => resetMs).filter((ms) => !Number.isNaN(ms));
  if (resets.length === 0) return [];
  const { limits = [] } = DESCRIPTIONS[answer.provider]!;
  const nothingLeft = Object.fromEntries(limits.map(({ remaining }) => [remaining, '0']));
  const { provider } = answer;
  const fields = { ...answer.fields, ...nothingLeft };
  return [{ provider, status: 429, fields, body: {}, means: 'throttled', waitMs: Math.max(...resets) }];
}

/** Only these take an address out, each that of a provider of its own. */
function failsAddress({ status }: ProviderAnswer): boolean {
  return status >= 500;
}

/** Of a million tokens: what a call costs tells what was counted of it. */
const PRICE = '{ input: $1, cached: $0.10, output: $10, asOf: 2026-11-30 }';
const NANO_EACH = { input: 1_000, cached: 100, output: 10_000 };

function costNanoOf({
  inputTokens,
  outputTokens,
  cachedTokens = 0,
  surcharge = 0,
  costNano,
}: NonNullable<ProviderAnswer['usage']>): number {
  const { input, cached, output } = NANO_EACH;
  const byPrice = ((inputTokens ?? 0) - cachedTokens + surcharge) * input + cachedTokens * cached;
  return costNano ?? byPrice + (outputTokens ?? 0) * output;
}

/** Pools whose providers are called at the address of their region, and one whose provider is in none. */
const PLACED = ['in-eu', 'in-us', 'anywhere'];
const DEAD_URL = 'http://127.0.0.1:1/v1';

/** Only the address of that region leads somewhere. */
function regions(region: string, url: string): string {
  const addresses = { eu: DEAD_URL, us: DEAD_URL, [region]: url };
  return `{ eu: "${addresses.eu}", us: "${addresses.us}" }`;
}

const secretOf = (name: string): string => `sk-${name}`;

let running: ModelsProject;
let consumerKey: string;

beforeAll(async () => {
  const replays = NAMES.flatMap((provider) => replaysOf(provider, Date.now()));
  running = await startModelsProject({
    accounts: [
      ...replays.map(({ name, answer: { provider } }) => ({
        ...{ name, keys: [secretOf(name)], limits: {} },
        keysAt: KEY_PLACES[provider] ?? USUAL_KEY_PLACE,
      })),
      ...PLACED.map((name) => ({ name, keys: [secretOf(name)], limits: {} })),
    ],
    settings: 'limits: { pools: 1_000 }\ntellCosts: true',
    providers: (url) => [
      ...['eu', 'us'].map(
        (region) => `in-${region}: { dialect: openai, regions: ${regions(region, url)}, region: ${region} }`,
      ),
      `anywhere: { dialect: openai, baseUrl: "${url}" }`,
      ...NAMES.map((name) => `${name}.usual: { extends: builtin/${name}, baseUrl: "${url}" }`),
      ...replays
        .filter(({ answer }) => failsAddress(answer))
        .map(
          ({ name, answer: { provider } }) =>
            `${name}: { extends: builtin/${provider}, baseUrl: "${url}", outliers: { failures: 1, first: 1m, longest: 1m } }`,
        ),
    ],
    pools: [
      'pools:',
      ...replays.map(
        ({ name, answer }) =>
          `  ${name}: { provider: ${failsAddress(answer) ? name : `${answer.provider}.usual`}, queue: { upTo: 0s }, keys: { k: { account: ${name}, secret: "env:${variableOf(secretOf(name))}" } } }`,
      ),
      ...PLACED.map(
        (name) =>
          `  ${name}: { provider: ${name}, keys: { k: { secret: "env:${variableOf(secretOf(name))}" } } }`,
      ),
      'models:',
      '  placed: { pools: [in-us, anywhere, in-eu], as: gpt-4o }',
      '  abroad: { pools: [in-us, anywhere], as: gpt-4o }',
      ...replays.map(({ name }) => `  ${name}: { pools: [${name}], as: gpt-4o, price: ${PRICE} }`),
      '',
    ].join('\n'),
    policies: `language 1
policy "base" { permit when consumer is subscribed to route }
policy "residency" applies to route "chat" {
  require target.region in ["eu"]  when request.header["x-residency"] is present and request.header["x-residency"] is "eu"
    because "Data of Europe stays there."
  forbid when target.region is "us" and request.header["x-residency"] is present and request.header["x-residency"] is "not us"
    because "Nothing of it goes to the United States."
}
`,
  });
  consumerKey = await running.gateway.key('acme', 'web');
});
afterAll(() => running.close());

function keyOf(pools: readonly PoolView[], name: string): PoolKeyView {
  return pools.find((pool) => pool.name === name)!.keys[0]!;
}

async function readPools(): Promise<readonly PoolView[]> {
  const { folder, adminPort } = running.project;
  const access = JSON.parse(readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8'));
  const headers = { authorization: `Bearer ${(access as { readonly token: string }).token}` };
  const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/pools`, { headers });
  return ((await answer.json()) as { readonly pools: readonly PoolView[] }).pools;
}

async function replay({ name, answer: { status, fields, body, means } }: Replay): Promise<void> {
  // A key that is not known is proven so twice.
  const times = means === 'unauthorised' ? 2 : 1;
  const fault = { status, fields, body, times, account: name };
  const set = await fetch(`${running.provider.url}/mock/faults`, {
    method: 'POST',
    body: JSON.stringify(fault),
  });
  expect(set.status).toBe(200);
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly sentMs: number;
  readonly answeredMs: number;
}

async function call({ name, answer }: Replay): Promise<Answered> {
  const { provider, operation, body } = answer;
  const asked = { model: name, stream: Array.isArray(body) };
  const [path, question]: readonly [string, object] =
    operation === 'openai/responses'
      ? ['responses', { input: 'Hello', max_output_tokens: 5 }]
      : [
          DESCRIPTIONS[provider]!.dialect === 'anthropic' ? 'messages' : 'chat/completions',
          { max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] },
        ];
  const sentMs = Date.now();
  const answered = await fetch(`${running.gateway.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${consumerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, ...question }),
  });
  const text = await answered.text();
  return { status: answered.status, headers: answered.headers, text, sentMs, answeredMs: Date.now() };
}

/** What callers get the first time and the next, and the state of the key after each. */
interface Outcome {
  readonly first: number | 'as the provider';
  readonly state: string;
  readonly next: number;
  readonly stateThen: string;
}
const SERVES = { state: 'active', next: 200, stateThen: 'active' };
const OUTCOMES: Readonly<Record<CallError | 'answered', Outcome>> = {
  answered: { first: 200, ...SERVES },
  throttled: { first: 429, state: 'active', next: 429, stateThen: 'active' },
  'out-of-credit': { first: 503, state: 'exhausted', next: 503, stateThen: 'exhausted' },
  unauthorised: { first: 503, state: 'suspect', next: 503, stateThen: 'invalid' },
  overloaded: { first: 'as the provider', ...SERVES },
  'context-too-long': { first: 'as the provider', ...SERVES },
  request: { first: 'as the provider', ...SERVES },
};

test.each(NAMES)('%s: limits are learned, and errors mean what they say', async (provider) => {
  const baseMs = Math.floor(Date.now() / 1_000) * 1_000;
  const replays = replaysOf(provider, baseMs);
  expect(replays.length).toBeGreaterThan(0);
  await Promise.all(replays.map(replay));
  const firsts = await Promise.all(replays.map(call));
  const pools = await readPools();
  const readMs = Date.now();
  for (const [nth, { name, answer }] of replays.entries()) {
    const key = keyOf(pools, name);
    const outcome = OUTCOMES[answer.means ?? 'answered'];
    const { status, text, headers, answeredMs } = firsts[nth]!;
    const first = outcome.first === 'as the provider' ? answer.status : outcome.first;
    expect([name, status, key.state], text).toEqual([name, first, outcome.state]);
    if (outcome.first === 'as the provider') expect(JSON.parse(text)).toEqual(answer.body);
    if (answer.means === 'throttled') expectWait(answer, { key, headers, baseMs, answeredMs, readMs });
    else expect([name, key.throttled]).toEqual([name, []]);
    expectLimits(answer, key, firsts[nth]!, readMs);
    expectCost(answer, firsts[nth]!);
  }
  const calls = replays.map(({ name }) => countsOf(running, name).requests);
  const nexts = await Promise.all(
    // A wait of a second may be over by now.
    replays.map((each) => (each.answer.means === 'throttled' ? null : call(each))),
  );
  const poolsThen = await readPools();
  for (const [nth, { name, answer }] of replays.entries()) {
    const { next, stateThen } = OUTCOMES[answer.means ?? 'answered'];
    const answered = nexts[nth];
    if (answered == null) continue;
    const isOut = failsAddress(answer);
    const { state } = keyOf(poolsThen, name);
    expect([name, answered.status, state], answered.text).toEqual([name, isOut ? 503 : next, stateThen]);
    // Neither an address that failed nor a key without credit is called again; what may serve is.
    const isCalled = !isOut && answer.means !== 'out-of-credit';
    expect([name, countsOf(running, name).requests - calls[nth]!]).toEqual([name, isCalled ? 1 : 0]);
  }
});

test.each([
  ['placed', null, 200, 'in-us'],
  ['placed', 'eu', 200, 'in-eu'],
  ['placed', 'not us', 200, 'in-eu'],
  ['abroad', 'eu', 403, null],
] as const)(
  'the model "%s" for data of residency %s is answered %i by the pool %s',
  async (model, residency, status, pool) => {
    const countsBefore = PLACED.map((name) => countsOf(running, name).requests);
    const answer = await fetch(`${running.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${consumerKey}`,
        'content-type': 'application/json',
        ...(residency === null ? {} : { 'x-residency': residency }),
      },
      body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    expect(answer.status, await answer.text()).toBe(status);
    const called = PLACED.filter((name, nth) => countsOf(running, name).requests > countsBefore[nth]!);
    expect(called).toEqual(pool === null ? [] : [pool]);
  },
);

/** From the moment that the provider names or counts from; answers are told in whole seconds. */
function expectWait(
  { waitMs = UNTOLD_WAIT_MS }: ProviderAnswer,
  {
    key,
    headers,
    baseMs,
    answeredMs,
    readMs,
  }: {
    readonly key: PoolKeyView;
    readonly headers: Headers;
    readonly baseMs: number;
    readonly answeredMs: number;
    readonly readMs: number;
  },
): void {
  const [soonest, latest] = [baseMs + waitMs, answeredMs + waitMs];
  const retryAfterS = Number(headers.get('retry-after'));
  expect(retryAfterS).toBeGreaterThanOrEqual(Math.max(1, Math.ceil((soonest - answeredMs) / 1_000)));
  expect(retryAfterS).toBeLessThanOrEqual(Math.max(1, Math.ceil(waitMs / 1_000)));
  if (readMs >= soonest) return;
  expect(key.throttled).toEqual([{ model: 'gpt-4o', untilMs: expect.any(Number) }]);
  expect(key.throttled[0]!.untilMs).toBeGreaterThanOrEqual(soonest - CLOCKS_MS);
  expect(key.throttled[0]!.untilMs).toBeLessThanOrEqual(latest + CLOCKS_MS);
}
/** Where a provider says nothing of when to try again. */
const UNTOLD_WAIT_MS = 1_000;
/** What the wall clock and the monotonic one may differ by. */
const CLOCKS_MS = 5;

/** What answers tell of limits is known, to the caller it is not passed on, and it comes back evenly. */
function expectLimits(
  { provider, reports, means }: ProviderAnswer,
  key: PoolKeyView,
  { headers, sentMs }: Answered,
  readMs: number,
): void {
  for (const { limit, remaining, reset } of DESCRIPTIONS[provider]!.limits ?? [])
    for (const name of [limit, remaining, reset])
      if (name !== undefined) expect(headers.get(name)).toBeNull();
  if (reports === undefined || means !== undefined) return;
  const learned = { kind: 'bucket', source: 'learned', model: 'gpt-4o' };
  expect(key.limits).toEqual(
    reports.map(({ unit, windowMs, amount }) => ({
      ...{ ...learned, unit, windowMs, amount },
      left: expect.any(Number),
    })),
  );
  for (const [nth, { windowMs, amount, remaining }] of reports.entries()) {
    const back = ((readMs - sentMs) * amount) / windowMs;
    expect(key.limits[nth]!.left).toBeGreaterThanOrEqual(remaining);
    expect(key.limits[nth]!.left).toBeLessThanOrEqual(Math.min(amount, remaining + back));
  }
}

/** Of a stream it is not known when its head goes out; whole answers are settled by what their provider tells. */
function expectCost({ provider, usage, body }: ProviderAnswer, { headers, text }: Answered): void {
  if (usage === undefined) return;
  if (Array.isArray(body)) {
    for (const event of body)
      expect(text).toContain(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n`);
    return;
  }
  const nano = Math.round(Number(headers.get('portunus-cost')) * 1e9);
  expect([provider, nano]).toEqual([provider, costNanoOf(usage)]);
}
