/** The official SDKs, unmodified, at the built gateway: a base URL and a key are all that they are told. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

let running: ModelsProject;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  running = await startModelsProject({
    accounts: [
      { name: 'o', keys: ['sdk-o'], limits: { rpm: 1_000, tpm: 1_000_000 } },
      { name: 'c', keys: ['sdk-c'], limits: { rpm: 1_000, itpm: 1_000_000, otpm: 1_000_000 } },
      { name: 'o-small', keys: ['sdk-o-small'], limits: { rpm: 1 } },
      { name: 'c-small', keys: ['sdk-c-small'], limits: { rpm: 1 } },
    ],
    pools: `pools:
  openai-main: { provider: openai, keys: { k1: { secret: "env:${variableOf('sdk-o')}" } } }
  claude-main: { provider: anthropic, keys: { k1: { secret: "env:${variableOf('sdk-c')}" } } }
  openai-small: { provider: openai, keys: { rare: { secret: "env:${variableOf('sdk-o-small')}", limits: { rpm: 1 } } } }
  claude-small: { provider: anthropic, keys: { rare: { secret: "env:${variableOf('sdk-c-small')}", limits: { rpm: 1 } } } }
models:
  gpt-4o: { pools: [openai-main] }
  fast: { pools: [openai-main], as: gpt-4o-mini }
  text-embedding-3-small: { pools: [openai-main] }
  claude-sonnet: { pools: [claude-main] }
  gpt-rare: { pools: [openai-small], as: gpt-4o }
  claude-rare: { pools: [claude-small], as: claude-sonnet }
`,
    eventMs: 1,
  });
  const key = await running.gateway.key('acme', 'web');
  openai = new OpenAI({ apiKey: key, baseURL: `${running.gateway.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: key, baseURL: running.gateway.url, maxRetries: 0 });
});
afterAll(() => running.close());

const HELLO = [{ role: 'user' as const, content: 'Say hello, please.' }];

describe("OpenAI's", () => {
  it('chats', async () => {
    const answer = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO });
    expect(answer.choices[0]!.message.content).toMatch(/^[a-z ]+$/);
    expect(answer.usage!.total_tokens).toBeGreaterThan(0);
  });

  it('is served by the model that a name stands for', async () => {
    const answer = await openai.chat.completions.create({ model: 'fast', messages: HELLO });
    expect(answer.model).toBe('gpt-4o-mini');
  });

  it('streams, and sees the usage only where it asked', async () => {
    for (const asked of [true, false]) {
      const stream = await openai.chat.completions.create({
        model: 'gpt-4o',
        messages: HELLO,
        stream: true,
        ...(asked ? { stream_options: { include_usage: true } } : {}),
      });
      let text = '';
      let usages = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        if (chunk.usage) usages++;
      }
      expect(text).toMatch(/^[a-z ]+$/);
      expect(usages).toBe(asked ? 1 : 0);
    }
  });

  it('calls tools, and gets structured output', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const tooled = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: HELLO,
      tools: [{ type: 'function', function: { name: 'weather', parameters } }],
      tool_choice: 'required',
    });
    expect(tooled.choices[0]!.message.tool_calls![0]).toMatchObject({ type: 'function' });
    const structured = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: HELLO,
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: parameters } },
    });
    expect(() => JSON.parse(structured.choices[0]!.message.content!)).not.toThrow();
  });

  it('asks for responses, embeddings and models', async () => {
    const response = await openai.responses.create({ model: 'gpt-4o', input: 'Say hello, please.' });
    expect(response.output_text).toMatch(/^[a-z ]+$/);
    const embedded = await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' });
    expect(embedded.data[0]!.embedding.length).toBeGreaterThan(0);
    const names: string[] = [];
    for await (const { id } of openai.models.list()) names.push(id);
    expect(names).toEqual(['gpt-4o', 'fast', 'text-embedding-3-small', 'gpt-rare']);
  });

  it('streams responses', async () => {
    const events = await openai.responses.create({
      model: 'gpt-4o',
      input: 'Say hello, please.',
      stream: true,
    });
    let text = '';
    let last = null;
    for await (const event of events) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event;
    }
    expect(text).toMatch(/^[a-z ]+$/);
    expect(last).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
  });

  it('is told when a key has room again', async () => {
    const asked = { model: 'gpt-rare', messages: HELLO };
    await openai.chat.completions.create(asked);
    const refused = await openai.chat.completions.create(asked).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
    const { code, headers } = refused as InstanceType<typeof OpenAI.RateLimitError>;
    expect(code).toBe('keys_exhausted');
    expect(secondsUntilRoom(headers)).toBe(true);
  });

  it('reads errors of the gateway as its own kinds', async () => {
    const stranger = new OpenAI({
      apiKey: 'ptn_live_nobody',
      baseURL: `${running.gateway.url}/v1`,
      maxRetries: 0,
    });
    await expect(
      stranger.chat.completions.create({ model: 'gpt-4o', messages: HELLO }),
    ).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(openai.chat.completions.create({ model: 'gpt-9', messages: HELLO })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    await expect(
      openai.chat.completions.create({ model: 'claude-sonnet', messages: HELLO }),
    ).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('reads that a request is too large as an error of its own', async () => {
    const messages = [{ role: 'user' as const, content: 'x'.repeat(2_000_000) }];
    await expect(openai.chat.completions.create({ model: 'gpt-4o', messages })).rejects.toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
  });

  it('may leave in the middle of a stream, and its key is free again', async () => {
    const before = countsOf(running, 'o').requests;
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO, stream: true });
    for await (const _ of stream) break;
    stream.controller.abort();
    await openai.chat.completions.create({ model: 'gpt-4o', messages: HELLO });
    expect(countsOf(running, 'o').requests).toBe(before + 2);
  });
});

describe("Anthropic's", () => {
  const asked = { model: 'claude-sonnet', max_tokens: 50, messages: HELLO };

  it('sends messages', async () => {
    const answer = await anthropic.messages.create(asked);
    expect(answer.content[0]).toMatchObject({ type: 'text' });
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  });

  it('streams them', async () => {
    const final = await anthropic.messages.stream(asked).finalMessage();
    expect(final.content[0]).toMatchObject({ type: 'text' });
    expect(final.usage.output_tokens).toBeGreaterThan(0);
  });

  it('reads errors of the gateway as its own kinds', async () => {
    await expect(anthropic.messages.create({ ...asked, model: 'claude-9' })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
    const stranger = new Anthropic({
      apiKey: 'ptn_live_nobody',
      baseURL: running.gateway.url,
      maxRetries: 0,
    });
    await expect(stranger.messages.create(asked)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  it('calls tools, whole and in streams', async () => {
    const input_schema = { type: 'object' as const, properties: { place: { type: 'string' } } };
    const tooled = {
      ...asked,
      tools: [{ name: 'weather', input_schema }],
      tool_choice: { type: 'any' as const },
    };
    const called = { type: 'tool_use', name: 'weather', input: { place: 'Berlin' } };
    const whole = await anthropic.messages.create(tooled);
    expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [called] });
    const final = await anthropic.messages.stream(tooled).finalMessage();
    expect(final).toMatchObject({ stop_reason: 'tool_use', content: [called] });
  });

  it('may leave in the middle of a stream, and its key is free again', async () => {
    const before = countsOf(running, 'c').requests;
    const stream = anthropic.messages.stream(asked);
    for await (const _ of stream) break;
    stream.abort();
    await anthropic.messages.create(asked);
    expect(countsOf(running, 'c').requests).toBe(before + 2);
  });

  it('is told when a key has room again', async () => {
    const rare = { ...asked, model: 'claude-rare' };
    await anthropic.messages.create(rare);
    const refused = await anthropic.messages.create(rare).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Anthropic.RateLimitError);
    const { headers, error } = refused as InstanceType<typeof Anthropic.RateLimitError>;
    expect(error).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    expect(secondsUntilRoom(headers)).toBe(true);
  });
});

/** A minute has one call: it comes back after some sixty seconds. */
function secondsUntilRoom(headers: Headers): boolean {
  const seconds = Number(headers.get('retry-after'));
  return Number.isInteger(seconds) && seconds > 0 && seconds <= 61;
}
