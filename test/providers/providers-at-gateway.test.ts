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
    readonly limit?: string;
    readonly remaining: string;
    readonly reset?: string;
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

const secretOf = (name: string): string => `sk-${name}`;

let running: ModelsProject;
let consumerKey: string;

beforeAll(async () => {
  const replays = NAMES.flatMap((provider) => replaysOf(provider, Date.now()));
  running = await startModelsProject({
    accounts: replays.map(({ name, answer: { provider } }) => ({
      ...{ name, keys: [secretOf(name)], limits: {} },
      keysAt: KEY_PLACES[provider] ?? USUAL_KEY_PLACE,
    })),
    settings: 'limits: { pools: 1_000 }',
    providers: (url) => [
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
          `  ${name}: { provider: ${failsAddress(answer) ? name : `${answer.provider}.usual`}, queue: { upTo: 0s }, keys: { k: { secret: "env:${variableOf(secretOf(name))}" } } }`,
      ),
      'models:',
      ...replays.map(({ name }) => `  ${name}: { pools: [${name}], as: gpt-4o }`),
      '',
    ].join('\n'),
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

async function call({ name, answer: { provider } }: Replay): Promise<Answered> {
  const path = DESCRIPTIONS[provider]!.dialect === 'anthropic' ? 'messages' : 'chat/completions';
  const sentMs = Date.now();
  const answer = await fetch(`${running.gateway.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${consumerKey}` },
    body: JSON.stringify({ model: name, max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, sentMs, answeredMs: Date.now() };
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
