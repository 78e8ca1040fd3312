import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../base/ports.ts';
import { type MockProvider, type StoodFor, startMockProvider } from './server.ts';

const CLOCK: Clock & { nowMs: number } = {
  nowMs: 1_000,
  monotonicMs: () => CLOCK.nowMs,
  wallMs: () => Date.parse('2026-11-30T12:00:00Z') + CLOCK.nowMs,
};

const STOOD_FOR: StoodFor = {
  accounts: [
    { name: 'open', keys: ['k-open', 'k-revoked'], limits: { rpm: 1_000, tpm: 100_000 } },
    { name: 'small', keys: ['k-small-1', 'k-small-2'], limits: { rpm: 2, tpm: 100_000 } },
    { name: 'broke', keys: ['k-broke'], limits: { rpm: 10 }, creditTokens: 0 },
    { name: 'claude', keys: ['k-claude'], limits: { rpm: 50, itpm: 1_000, otpm: 1_000 } },
  ],
  models: ['gpt-4o', 'claude-sonnet'],
};

let provider: MockProvider;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  const started = await startMockProvider({
    port: 0,
    seed: 7,
    ...STOOD_FOR,
    latencyMs: [0, 0],
    eventMs: 0,
    clock: CLOCK,
  });
  if (!started.ok) throw new Error(started.error);
  provider = started.value;
  openai = new OpenAI({ apiKey: 'k-open', baseURL: `${provider.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'k-claude', baseURL: provider.url, maxRetries: 0 });
});
afterAll(() => provider.close());
// Every case finds full buckets.
beforeEach(() => {
  CLOCK.nowMs += 86_400_000;
});

const HELLO = [{ role: 'user' as const, content: 'Say hello, please.' }];
const as = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${provider.url}/v1`, maxRetries: 0 });

function change(path: string, body: unknown): Promise<Response> {
  return fetch(`${provider.url}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });
}

describe("the mock provider, as OpenAI's SDK sees it", () => {
  it('chats, and says the same to the same call', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO })),
    );
    expect(one!.choices[0]!.message.content).toMatch(/^[a-z ]+$/);
    expect(one!.choices).toEqual(two!.choices);
    expect(one!.usage!.total_tokens).toBe(one!.usage!.prompt_tokens + one!.usage!.completion_tokens);
  });

  it('streams what it would have said at once', async () => {
    const whole = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO });
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(usage).toEqual(whole.usage);
  });

  it('calls tools, and answers in JSON where it has to', async () => {
    const parameters = { type: 'object', properties: { place: { type: 'string' } } };
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }];
    const called = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO, tools });
    expect(called.choices[0]!.finish_reason).toBe('tool_calls');
    expect(called.choices[0]!.message.tool_calls![0]).toMatchObject({ function: { name: 'weather' } });
    const json = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: HELLO,
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(json.choices[0]!.message.content!)).toHaveProperty('answer');
  });

  it('answers responses, embeddings and models', async () => {
    const response = await openai.responses.create({ model: 'gpt-4o', input: 'hello' });
    expect(response.output_text).toMatch(/^[a-z ]+$/);
    const events = await openai.responses.create({ model: 'gpt-4o', input: 'hello', stream: true });
    const types = [];
    for await (const event of events) types.push(event.type);
    expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed']);
    const embedding = await openai.embeddings.create({
      model: 'gpt-4o',
      input: 'hello',
      encoding_format: 'float',
    });
    expect(embedding.data[0]!.embedding).toHaveLength(8);
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['gpt-4o', 'claude-sonnet']);
  });

  it('refuses beyond the limit of the account, whichever of its keys is used, and says until when', async () => {
    for (const key of ['k-small-1', 'k-small-2']) {
      await as(key).chat.completions.create({ model: 'gpt-4o', messages: HELLO });
    }
    const refused = await as('k-small-1')
      .chat.completions.create({ model: 'gpt-4o', messages: HELLO })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' });
    expect((refused as Error).message).toContain('Please try again in 30s');
    const { headers } = refused as InstanceType<typeof OpenAI.RateLimitError>;
    expect(headers.get('retry-after')).toBe('30');
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0');
    CLOCK.nowMs += 30_000;
    await as('k-small-2').chat.completions.create({ model: 'gpt-4o', messages: HELLO });
  });

  it('counts the tokens that a call asks for, and gives none back', async () => {
    const { response } = await openai.chat.completions
      .create({ model: 'gpt-4o', messages: HELLO, max_tokens: 5_000 })
      .withResponse();
    expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(95_000);
  });

  it('tells apart an unknown key, a revoked one, no credit, an unknown model and faults', async () => {
    const fails = (key: string, model = 'gpt-4o'): Promise<unknown> =>
      as(key)
        .chat.completions.create({ model, messages: HELLO })
        .catch((error: unknown) => error);
    expect(await fails('k-nobody')).toMatchObject({ status: 401, code: 'invalid_api_key' });
    await change('keys', { key: 'k-revoked', state: 'revoked' });
    expect(await fails('k-revoked')).toMatchObject({ status: 401 });
    expect(await fails('k-broke')).toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect(await fails('k-open', 'gpt-9')).toMatchObject({ status: 404, code: 'model_not_found' });
    await change('faults', { status: 503, times: 1, account: 'open' });
    expect(await fails('k-open')).toMatchObject({ status: 503 });
    expect(await fails('k-open')).toHaveProperty('choices');
    const body = { error: { message: 'Please try again in 1.574s.', code: 'rate_limit_exceeded' } };
    await change('faults', { status: 429, times: 1, fields: { 'retry-after': '5' }, body });
    const scripted = (await fails('k-open')) as InstanceType<typeof OpenAI.RateLimitError>;
    expect(scripted).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      message: expect.stringContaining('1.574s'),
    });
    expect(scripted.headers.get('retry-after')).toBe('5');
    expect(await fails('k-open')).toHaveProperty('choices');
  });
});

describe('the mock provider, as it can be changed', () => {
  const chat = (key: string, model = 'gpt-4o', more = {}): Promise<OpenAI.ChatCompletion> =>
    as(key).chat.completions.create({ model, messages: HELLO, ...more });
  const failure = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'answered',
      (error: unknown) => error,
    );

  it('tells limits of a day as such, and what no wait makes fit', async () => {
    await change('limits', { account: 'open', limits: { rpd: 1, tpm: 1_000 } });
    await chat('k-open');
    const refused = (await failure(chat('k-open'))) as InstanceType<typeof OpenAI.RateLimitError>;
    expect(refused.message).toContain('on requests per day (RPD): Limit 1. Please try again in 1440m0s.');
    await change('limits', { account: 'open', limits: { tpm: 1_000 } });
    const tooLarge = (await failure(chat('k-open', 'gpt-4o', { max_tokens: 2_000 }))) as InstanceType<
      typeof OpenAI.RateLimitError
    >;
    expect(tooLarge.message).toContain('Request too large for gpt-4o');
    expect(tooLarge.headers.get('retry-after')).toBeNull();
    await change('limits', { account: 'open', limits: { rpm: 1_000, tpm: 100_000 } });
  });

  it('closes connections before and in the middle of answers', async () => {
    for (const breaks of ['connection', 'answer']) {
      await change('faults', { breaks, times: 1, account: 'open' });
      await expect(chat('k-open')).rejects.toThrow();
    }
    await change('faults', { breaks: 'answer', times: 1 });
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO, stream: true });
    const read = (async () => {
      for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk');
    })();
    await expect(read).rejects.toThrow();
    await chat('k-open');
  });

  it('answers in words that it was told, whole and as a stream', async () => {
    const body = { object: 'chat.completion', choices: [], usage: { prompt_tokens: 3 } };
    await change('faults', { status: 200, times: 1, fields: { 'x-told': 'yes' }, body });
    const { data, response } = await as('k-open')
      .chat.completions.create({ model: 'gpt-4o', messages: HELLO })
      .withResponse();
    expect(data).toMatchObject(body);
    expect(response.headers.get('x-told')).toBe('yes');
    await change('faults', { status: 200, times: 1, body: [body, '[DONE]'] });
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO, stream: true });
    const events: unknown[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toEqual([body]);
  });

  it('takes a key only at the place where its account wants it', async () => {
    const account = { name: 'other', keys: ['k-other'], limits: {} };
    provider.standInFor({
      accounts: [{ ...account, keysAt: { header: 'api-key', prefix: '' } }],
      models: ['gpt-4o'],
    });
    const statusWith = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(`${provider.url}/v1/models`, { headers })).status;
    expect(await statusWith({ 'api-key': 'k-other' })).toBe(200);
    expect(await statusWith({ 'api-key': 'k-other', authorization: 'Bearer k-callers-own' })).toBe(401);
    expect(await statusWith({ authorization: 'Bearer k-other' })).toBe(401);
    provider.standInFor(STOOD_FOR);
  });

  it('says other words with another seed', async () => {
    const before = (await chat('k-open')).choices[0]!.message.content;
    await change('answers', { seed: 8 });
    expect((await chat('k-open')).choices[0]!.message.content).not.toBe(before);
    await change('answers', { seed: 7 });
    expect((await chat('k-open')).choices[0]!.message.content).toBe(before);
  });

  it.each([
    [
      'limits',
      { account: 'nobody', limits: {} },
      'There is no account "nobody": open, small, broke, claude.',
    ],
    ['limits', { account: 'open', limits: { rpm: 0 } }, '"limits" are amounts above 0'],
    ['keys', { key: 'k-nobody', state: 'valid' }, 'There is no such key.'],
    ['keys', { key: 'k-open', state: 'lost' }, '"state" is "revoked" or "valid".'],
    ['credit', { account: 'broke', tokens: 'many' }, '"tokens" is a number'],
    ['faults', { status: 204, times: 1 }, '"status" is 200 or 400 … 599'],
    ['faults', { status: 429, times: 1, fields: { 'x y': '1' } }, '"status" is 200 or 400 … 599'],
    ['faults', { status: 500, times: 0 }, '"times" is a number'],
    ['answers', { latencyMs: [5, 1] }, '"latencyMs" is [least, most]'],
    ['answers', { eventMs: -1 }, '"eventMs" is a number'],
    ['answers', [], 'The body is not a JSON object.'],
  ])('refuses what it can’t do: %s %j', async (path, body, said) => {
    const answer = await change(path, body);
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
      400,
      expect.stringContaining(said),
    ]);
  });

  it('goes on with what was counted when it is told of other keys', async () => {
    const options = { name: 'open', keys: ['k-other'], limits: { rpm: 1_000, tpm: 100_000 } };
    const { requests } = provider.accounts[0]!.counts;
    provider.standInFor({ accounts: [options], models: ['gpt-5'] });
    await chat('k-other', 'gpt-5');
    expect(provider.accounts.map(({ name, counts }) => [name, counts.requests])).toEqual([
      ['open', requests + 1],
    ]);
    expect(await failure(chat('k-open', 'gpt-5'))).toMatchObject({ status: 401 });
    expect(await failure(chat('k-other'))).toMatchObject({ status: 404 });
    provider.standInFor(STOOD_FOR);
  });
});

describe("the mock provider, as Anthropic's SDK sees it", () => {
  const call = { model: 'claude-sonnet', max_tokens: 100, messages: HELLO };

  it('answers messages, whole and as a stream', async () => {
    const whole = await anthropic.messages.create(call);
    const streamed = await anthropic.messages.stream(call).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect((await anthropic.messages.countTokens({ model: call.model, messages: HELLO })).input_tokens).toBe(
      whole.usage.input_tokens,
    );
  });

  it('gives back what was not used, and tells resets as moments', async () => {
    await anthropic.messages.create(call);
    const { response } = await anthropic.messages.create({ ...call, max_tokens: 1 }).withResponse();
    expect(Number(response.headers.get('anthropic-ratelimit-output-tokens-remaining'))).toBeGreaterThan(930);
    expect(response.headers.get('anthropic-ratelimit-requests-reset')).toMatch(
      /^2026-12-\d\dT[\d:]+Z$|^20\d\d-/,
    );
  });

  it('refuses as Anthropic does', async () => {
    const error = await anthropic.messages
      .create({ ...call, max_tokens: 2_000 })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      status: 429,
      error: { type: 'error', error: { type: 'rate_limit_error' } },
    });
  });
});
