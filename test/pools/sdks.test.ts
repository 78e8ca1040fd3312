/** The official SDKs, unmodified, at the built gateway: a base URL and a key are all that they are told. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PoolView } from '../../src/admin/routes/pools.ts';
import { normalisationGrowth } from '../../src/ai/normalisation.ts';
import type { Dialect } from '../../src/model/pools.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';
import {
  afterCut,
  bytesOf,
  type CutKind,
  dataIn,
  GOLDEN_STREAMS,
  type GoldenStream,
} from './golden-streams.ts';
import { countsOf, type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

let running: ModelsProject;
let cutter: UpstreamServer;
let openai: OpenAI;
let anthropic: Anthropic;

/** Sends as much of a golden stream as the caller's `x-cut` says, and ends it as it says. */
function cutStream(request: IncomingMessage, response: ServerResponse): void {
  const [nth, bytes, end] = String(request.headers['x-cut']).split(' ') as [
    string,
    string,
    CutKind | 'silent',
  ];
  const come = bytesOf(GOLDEN_STREAMS[Number(nth)]!).subarray(0, Number(bytes));
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (end === 'ends') response.end(come);
    else response.write(come.length === 0 ? ':\n\n' : come, () => end === 'breaks' && response.destroy());
  });
}

beforeAll(async () => {
  cutter = await startUpstream(cutStream);
  const cut = `baseUrl: "http://127.0.0.1:${cutter.port}/v1"`;
  const often = 'outliers: { failures: 1_000, requests: 1_000_000 }';
  running = await startModelsProject({
    providers: () => [
      `cut-openai: { extends: builtin/openai, ${cut}, ${often} }`,
      `cut-anthropic: { extends: builtin/anthropic, ${cut}, ${often} }`,
      `silent: { extends: builtin/openai, ${cut}, timeouts: { idle: 200ms } }`,
      `fragile: { extends: builtin/openai, ${cut}, outliers: { failures: 3, first: 1m } }`,
    ],
    policies: `language 1
policy "p" {
  permit when consumer is subscribed to route
  limit "tokens" at most ${CUT_TOKENS + PROBE_TOKENS} tokens in any 24h  for each consumer  when model is present and model in models tagged "cut"
}
`,
    tenants: `tenants:
  acme: { plan: free, consumers: { web: { subscriptions: [chat, responses, embeddings, models, messages] } } }
  globex: { plan: free, consumers: { web: { subscriptions: [responses] } } }
`,
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
${CUT_POOLS.map((name) => `  ${name}: { provider: ${name}, keys: { k: { account: ${name}, secret: "env:${variableOf('sdk-o')}", limits: { perMonth: $1_000 } } } }`).join('\n')}
models:
  gpt-4o: { pools: [openai-main] }
  fast: { pools: [openai-main], as: gpt-4o-mini }
  text-embedding-3-small: { pools: [openai-main] }
  claude-sonnet: { pools: [claude-main] }
  gpt-rare: { pools: [openai-small], as: gpt-4o }
  claude-rare: { pools: [claude-small], as: claude-sonnet }
${CUT_POOLS.map((name, nth) => `  ${name}: { pools: [${name}], tags: [${nth < 2 ? 'cut' : 'apart'}], price: { input: $2, output: $10, asOf: 2026-11-30 } }`).join('\n')}
`,
    eventMs: 1,
  });
  const key = await running.gateway.key('acme', 'web');
  openai = new OpenAI({ apiKey: key, baseURL: `${running.gateway.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: key, baseURL: running.gateway.url, maxRetries: 0 });
});
afterAll(async () => {
  await running.close();
  await cutter.close();
});

const CUT_POOLS = ['cut-openai', 'cut-anthropic', 'silent', 'fragile'];

/** A golden stream of which so many bytes come. */
interface Cut {
  readonly stream: GoldenStream;
  readonly bytes: number;
  readonly end: CutKind;
}

/** Both ends, before and within each event, and within what ends it. */
const CUTS: readonly Cut[] = GOLDEN_STREAMS.filter(
  ({ operation }) => operation !== 'openai/completions',
).flatMap((stream) => {
  let at = 0;
  return stream.events.flatMap(({ text }) => {
    const [from, length] = [at, Buffer.byteLength(text)];
    at += length;
    const places = [from, from + (length >> 1), at - 1];
    return places.flatMap((bytes) => (['breaks', 'ends'] as const).map((end) => ({ stream, bytes, end })));
  });
});

function bodyOf(stream: GoldenStream, model = `cut-${stream.dialect}`): string {
  return JSON.stringify({ model, ...stream.asks });
}

/** What a call reserves of a limit: a token for each byte that its body can come to once it is normalised, and the longest answer. */
function reservedBy(stream: GoldenStream): number {
  const body = Buffer.from(bodyOf(stream));
  return body.length + normalisationGrowth(body) + stream.outputMax;
}

/** What all of them together take of the limit of the policy, and a whole call behind them reserves. */
const CUT_TOKENS = CUTS.reduce((sum, { stream, bytes, end }) => {
  const { settled } = afterCut(stream, bytes, end);
  return sum + (settled === null ? reservedBy(stream) : settled.input + settled.output);
}, 0);
const [PROBE] = GOLDEN_STREAMS as readonly [GoldenStream];
const PROBE_TOKENS = reservedBy(PROBE);

const HELLO = [{ role: 'user' as const, content: 'Say hello, please.' }];

describe('what no route has taken is read as an error of its own kind', () => {
  const told = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
  const hello = { messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 9 };

  it('where the base URL has one /v1 too many or too few', async () => {
    const { url } = running.gateway;
    const bare = new OpenAI({ apiKey: 'k', baseURL: url, maxRetries: 0 });
    const twice = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1/v1`, maxRetries: 0 });
    for (const call of [
      () => bare.chat.completions.create({ model: 'gpt-4o', ...hello }),
      () => twice.embeddings.create({ model: 'm', input: 'Hello' }),
      () => twice.models.retrieve('gpt-4o'),
    ]) {
      const error = await told(call());
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: 'route_not_found', type: 'invalid_request_error' });
      expect(error!.message).toBe('404 There is no route for this request.');
    }
    const doubled = new Anthropic({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });
    for (const call of [
      () => doubled.messages.create({ model: 'claude-sonnet', ...hello }),
      () => doubled.messages.countTokens({ model: 'claude-sonnet', messages: hello.messages }),
      () => doubled.models.list(),
    ]) {
      const error = await told(call());
      expect(error).toBeInstanceOf(Anthropic.NotFoundError);
      expect(error!.error).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
      expect(error!.message).toContain('There is no route for this request. (route_not_found)');
    }
  });

  it('where the endpoint is none that is served, or the request is refused before its route is looked for', async () => {
    const missing = await told(openai.moderations.create({ input: 'Hello' }));
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    const wrong = await told(anthropic.get('/v1/messages'));
    expect([wrong!.status, wrong!.message]).toEqual([405, expect.stringContaining('(method_not_allowed)')]);
    const malformed = await told(openai.get('/models/%zz'));
    expect(malformed).toBeInstanceOf(OpenAI.BadRequestError);
    expect(malformed).toMatchObject({ code: 'malformed_target', type: 'invalid_request_error' });
  });

  it('and as a problem of RFC 9457 where nobody asks for a model', async () => {
    const elsewhere = await fetch(`${running.gateway.url}/v1/orders`);
    expect(elsewhere.headers.get('content-type')).toBe('application/problem+json');
    expect(await elsewhere.json()).toMatchObject({ code: 'route_not_found' });
  });
});

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
    const own = ['gpt-4o', 'fast', 'text-embedding-3-small', 'gpt-rare'];
    expect(names).toEqual([...own, 'cut-openai', 'silent', 'fragile']);
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

  const PLACE = {
    type: 'object',
    properties: {
      city: { type: 'string' },
      size: { type: 'integer', minimum: 1 },
      kind: { enum: ['big', 'small'] },
    },
    required: ['city', 'size', 'kind'],
    additionalProperties: false,
  } as const;
  const IS_PLACE = { city: expect.stringMatching(/^[a-z ]+$/), size: 1, kind: 'big' };

  it('puts streams together by its helpers: a chat, a response, and one that calls a tool', async () => {
    const chat = await openai.chat.completions
      .stream({ model: 'gpt-4o', messages: HELLO })
      .finalChatCompletion();
    const input = 'Say hello, please.';
    const asked = { model: 'gpt-4o', input };
    const [streamed, whole] = [
      await openai.responses.stream(asked).finalResponse(),
      await openai.responses.create(asked),
    ];
    expect(chat.choices[0]!.message.content).toMatch(/^[a-z ]+$/);
    expect(streamed.output_text).toMatch(/^[a-z ]+$/);
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed.usage).toEqual(whole.usage);
    const tool = {
      type: 'function' as const,
      name: 'weather',
      parameters: { type: 'object' },
      strict: false,
    };
    const called = await openai.responses.stream({ ...asked, tools: [tool] }).finalResponse();
    expect(called.output[0]).toMatchObject({
      type: 'function_call',
      name: 'weather',
      arguments: '{"place":"Berlin"}',
    });
  });

  it('parses what it asked for by a schema', async () => {
    const schema = { name: 'place', strict: true, schema: PLACE };
    const chat = await openai.chat.completions.parse({
      model: 'gpt-4o',
      messages: HELLO,
      response_format: { type: 'json_schema', json_schema: schema },
    });
    expect(JSON.parse(chat.choices[0]!.message.content!)).toEqual(IS_PLACE);
    const response = await openai.responses.parse({
      model: 'gpt-4o',
      input: 'Say hello, please.',
      text: { format: { type: 'json_schema', ...schema } },
    });
    expect(JSON.parse(response.output_text)).toEqual(IS_PLACE);
  });

  it('runs tools until the model speaks', async () => {
    const seen: unknown[] = [];
    const run = openai.chat.completions.runTools({
      model: 'gpt-4o',
      messages: HELLO,
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'Of a place.',
            parameters: { type: 'object', properties: { place: { type: 'string' } } },
            parse: JSON.parse as (text: string) => object,
            function: (given: object) => {
              seen.push(given);
              return 'sunny';
            },
          },
        },
      ],
    });
    expect(await run.finalContent()).toMatch(/^[a-z ]+$/);
    expect(seen).toEqual([{ place: 'Berlin' }]);
  });

  it('asks for several vectors, as numbers and as its own bytes', async () => {
    const asked = { model: 'text-embedding-3-small', input: ['a', 'b', 'c'] };
    const [bytes, numbers] = [
      await openai.embeddings.create(asked),
      await openai.embeddings.create({ ...asked, encoding_format: 'float' }),
    ];
    expect(bytes.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(bytes.data.map(({ embedding }) => [...embedding])).toEqual(
      numbers.data.map(({ embedding }) => embedding),
    );
    expect(numbers.data[0]!.embedding).not.toEqual(numbers.data[1]!.embedding);
  });

  it('is refused an answer that it could not fetch, with the member that is at fault', async () => {
    await expect(
      openai.responses.create({ model: 'gpt-4o', input: 'x', background: true }),
    ).rejects.toMatchObject({ status: 400, code: 'background_not_offered', param: 'background' });
  });

  it('is not told what another tenant said', async () => {
    const key = await running.gateway.key('globex', 'web');
    const other = new OpenAI({ apiKey: key, baseURL: `${running.gateway.url}/v1`, maxRetries: 0 });
    const { id } = await openai.responses.create({ model: 'gpt-4o', input: 'a secret' });
    const asked = { model: 'gpt-4o', input: 'Say it again.', previous_response_id: id };
    const refused = await other.responses.create(asked).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.NotFoundError);
    expect(refused).toMatchObject({ code: 'previous_response_not_found' });
    expect((await openai.responses.create(asked)).output_text).toMatch(/^[a-z ]+$/);
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

  it('streams them, event by event and as text', async () => {
    const stream = anthropic.messages.stream(asked);
    let text = '';
    stream.on('text', (piece) => {
      text += piece;
    });
    const final = await stream.finalMessage();
    expect(final.content).toEqual([expect.objectContaining({ type: 'text', text })]);
    expect(text).toMatch(/^[a-z ]+$/);
    expect(await stream.finalText()).toBe(text);
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
/** Every end, near every event, through all of the gateway. */
describe('streams that are cut', () => {
  const send = async (stream: GoldenStream, bytes: number, end: string, body = bodyOf(stream)) => {
    const key = await running.gateway.key('acme', 'web');
    const response = await fetch(`${running.gateway.url}${stream.path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-cut': `${GOLDEN_STREAMS.indexOf(stream)} ${bytes} ${end}`,
      },
      body,
    });
    return { status: response.status, data: dataIn(`${await response.text()}\n\n`) };
  };
  const keysNow = async () => {
    const { folder, adminPort } = running.project;
    const access = readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8');
    const { token } = JSON.parse(access) as { readonly token: string };
    const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/pools`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { pools } = (await answer.json()) as { readonly pools: readonly PoolView[] };
    return CUT_POOLS.map((name) => {
      const [key] = pools.find((pool) => pool.name === name)!.keys;
      return { money: key!.limits[0]!.left, is: [key!.state, key!.inFlight] };
    });
  };
  /** In nano-units. */
  const cost = (input: number, output: number): number => 2_000 * input + 10_000 * output;

  it('end in words of their dialect, are counted once, and leave key and budget as they should be', async () => {
    const before = await keysNow();
    const spent: Record<Dialect, number> = { openai: 0, anthropic: 0 };
    const one = async ({ stream, bytes, end }: Cut): Promise<void> => {
      const { data } = await send(stream, bytes, end);
      const after = afterCut(stream, bytes, end);
      const at = `${stream.name}, ${end} at ${bytes}`;
      expect([at, ...data.slice(0, after.data.length)]).toEqual([at, ...after.data]);
      expect(data.length - after.data.length, at).toBe(after.isToldOff ? 1 : 0);
      const { input, output } = after.counted ?? {
        input: Buffer.byteLength(bodyOf(stream)),
        output: stream.outputMax,
      };
      spent[stream.dialect] += cost(input, output);
    };
    for (let next = 0; next < CUTS.length; next += 10)
      await Promise.all(CUTS.slice(next, next + 10).map(one));
    const after = await keysNow();
    expect(before[0]!.money - after[0]!.money).toBe(spent.openai);
    expect(before[1]!.money - after[1]!.money).toBe(spent.anthropic);
    expect(after.map(({ is }) => is)).toEqual(CUT_POOLS.map(() => ['active', 0]));
    // a byte more than is left, if each was counted once; and all that is left
    const longer = bodyOf(PROBE).replace('Grüße!', 'Grüße!!');
    expect((await send(PROBE, bytesOf(PROBE).length, 'ends', longer)).status).toBe(429);
    expect((await send(PROBE, bytesOf(PROBE).length, 'ends')).status).toBe(200);
  });

  it('by a provider that falls silent end as well, and one that breaks off often is left alone', async () => {
    const half = bytesOf(PROBE).length >> 1;
    const { data } = await send(PROBE, half, 'silent', bodyOf(PROBE, 'silent'));
    expect(JSON.parse(data.at(-1)!)).toMatchObject({ error: { code: 'upstream_idle_timeout' } });
    for (let nth = 0; nth < 3; nth++) await send(PROBE, half, 'breaks', bodyOf(PROBE, 'fragile'));
    expect((await send(PROBE, half, 'breaks', bodyOf(PROBE, 'fragile'))).status).toBe(503);
    expect((await keysNow()).map(({ is }) => is)).toEqual(CUT_POOLS.map(() => ['active', 0]));
  });
});
