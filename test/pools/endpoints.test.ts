/** Every operation of a dialect below one line of routes, at the built gateway in front of the mock provider. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOf } from '../../src/tools/mock-provider/words.ts';
import { runPortunus } from '../gateway/running-gateway.ts';
import { type ModelsProject, startModelsProject, variableOf } from './models-project.ts';

let running: ModelsProject;
let openai: OpenAI;
let anthropic: Anthropic;
/** Of a consumer whose tokens and money are limited hard. */
let bounded: OpenAI;

const PRICED = 'outputTokensMax: 2_000, price: { input: $1, output: $2, asOf: 2026-11-30 }';
const BY_THE_CALL = 'price: { input: $0, output: $0, request: $0.01, asOf: 2026-11-30 }';

beforeAll(async () => {
  running = await startModelsProject({
    accounts: [
      { name: 'o', keys: ['end-o'], limits: { rpm: 10_000, tpm: 100_000_000 } },
      { name: 'c', keys: ['end-c'], limits: { rpm: 10_000 } },
    ],
    served: ['gpt-4o', 'gpt-image-1', 'gpt-4o-transcribe', 'rerank-v3.5', 'claude-sonnet'],
    pools: `pools:
  main: { provider: openai, keys: { k1: { secret: "env:${variableOf('end-o')}" } } }
  claude: { provider: anthropic, keys: { k1: { secret: "env:${variableOf('end-c')}" } } }
models:
  gpt-4o: { pools: [main], ${PRICED} }
  pictures: { pools: [main], as: gpt-image-1, ${PRICED} }
  unbounded: { pools: [main], as: gpt-4o, price: { input: $1, output: $2, asOf: 2026-11-30 } }
  ears: { pools: [main], as: gpt-4o-transcribe, ${PRICED} }
  jina/reranker: { pools: [main], as: gpt-4o, ${PRICED} }
  searches: { pools: [main], as: rerank-v3.5, ${BY_THE_CALL} }
  claude-sonnet: { pools: [claude] }
  claude/next: { pools: [claude], as: claude-sonnet }
`,
    routes: 'routes:\n  openai: { ai: openai }\n  anthropic: { ai: anthropic }\n',
    tenants: `tenants:
  acme:
    plan: free
    consumers:
      web: { subscriptions: [openai, anthropic] }
      bounded: { subscriptions: [openai] }
      stranger: {}
`,
    policies: `language 1
policy "base" { permit when consumer is subscribed to route }
policy "calls" applies to route "openai" and model is present {
  limit "tokens" at most 1_000_000 tokens in any 24h  for each consumer  when consumer is "bounded"
  budget "purse" $1 per year  for each consumer  when consumer is "bounded"
}
policy "images" applies to route "openai/image-variations" {
  forbid when consumer is "bounded"  because "no variations"
}
`,
  });
  const client = async (consumer: string): Promise<OpenAI> =>
    new OpenAI({
      apiKey: await running.gateway.key('acme', consumer),
      baseURL: `${running.gateway.url}/v1`,
      maxRetries: 0,
    });
  openai = await client('web');
  bounded = await client('bounded');
  anthropic = new Anthropic({ apiKey: openai.apiKey, baseURL: running.gateway.url, maxRetries: 0 });
});
afterAll(() => running.close());

type Fields = Readonly<Record<string, unknown>>;

/** The record of the call that was answered with this request id. */
async function recordOf(id: string | null | undefined): Promise<Fields> {
  const line = await running.gateway.printed(new RegExp(`\\{[^\\n]*"portunus.request_id":"${id}"[^\\n]*\\}`));
  return JSON.parse(line) as Fields;
}

const SOUND = Uint8Array.from({ length: 50_000 }, (_, at) => (at * 7) & 0xff);
const fileSaid = (field: string, name: string): string =>
  `${field} ${name}: ${SOUND.length} bytes, ${hashOf(Buffer.from(SOUND).toString('latin1'), 0)}.`;

describe('one line serves', () => {
  it('completions, whole and as streams', async () => {
    const asked = { model: 'gpt-4o', prompt: 'Say hello.', max_tokens: 20 };
    const { data, response } = await openai.completions.create(asked).withResponse();
    expect(data.choices[0]!.text).toMatch(/^[a-z ]+$/);
    const record = await recordOf(response.headers.get('x-request-id'));
    const { prompt_tokens: input, completion_tokens: output } = data.usage!;
    expect(record).toMatchObject({
      'http.route': 'openai/completions',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': input,
      'gen_ai.usage.output_tokens': output,
      'portunus.tokens_from': 'provider',
      'portunus.cost_nano': input * 1_000 + output * 2_000,
    });
    let text = '';
    for await (const chunk of await openai.completions.create({ ...asked, stream: true }))
      text += chunk.choices[0]?.text ?? '';
    expect(text).toBe(data.choices[0]!.text);
  });

  it('moderations', async () => {
    const { data, response } = await openai.moderations
      .create({ model: 'gpt-4o', input: 'hello' })
      .withResponse();
    expect(data.results[0]!.flagged).toBe(false);
    // nobody tells what it took: it may have been all of the prompt
    expect(await recordOf(response.headers.get('x-request-id'))).toMatchObject({
      ...{ 'http.route': 'openai/moderations', 'portunus.tokens_from': 'bound' },
      'gen_ai.usage.output_tokens': 0,
    });
  });

  it('images: made, edited and varied', async () => {
    const made = await openai.images.generate({ model: 'pictures', prompt: 'A key.', n: 2 }).withResponse();
    expect(made.data.data).toHaveLength(2);
    const { input_tokens: input, output_tokens: output } = made.data.usage!;
    expect(await recordOf(made.response.headers.get('x-request-id'))).toMatchObject({
      ...{ 'http.route': 'openai/images', 'portunus.tokens_from': 'provider' },
      'portunus.cost_nano': input * 1_000 + output * 2_000,
    });
    const image = await toFile(SOUND, 'a.png', { type: 'image/png' });
    const edited = await openai.images
      .edit({ model: 'pictures', prompt: 'Turn it.', image, n: 1 })
      .withResponse();
    const picture = Buffer.from(edited.data.data![0]!.b64_json!, 'base64').toString();
    expect(picture).toContain(fileSaid('image', 'a.png'));
    expect(await recordOf(edited.response.headers.get('x-request-id'))).toMatchObject({
      ...{ 'http.route': 'openai/image-edits', 'gen_ai.request.model': 'pictures' },
    });
    const varied = await openai.images.createVariation({ model: 'pictures', image });
    expect(varied.data).toHaveLength(1);
  });

  it('speech, whose bytes pass as they are', async () => {
    const answer = await openai.audio.speech.create({ model: 'gpt-4o', voice: 'alloy', input: 'Hello.' });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.every((byte, at) => byte === (at & 0xff))).toBe(true);
  });

  it('transcriptions and translations, with the name of the model put in its place', async () => {
    const file = await toFile(SOUND, 'a.mp3');
    const asked = { model: 'ears', file };
    const { data, response } = await openai.audio.transcriptions.create(asked).withResponse();
    expect(data.text).toContain(fileSaid('file', 'a.mp3'));
    const usage = data.usage as { readonly input_tokens: number; readonly output_tokens: number };
    expect(await recordOf(response.headers.get('x-request-id'))).toMatchObject({
      ...{ 'http.route': 'openai/transcriptions', 'portunus.tokens_from': 'provider' },
      'portunus.cost_nano': usage.input_tokens * 1_000 + usage.output_tokens * 2_000,
    });
    expect(await openai.audio.transcriptions.create({ ...asked, response_format: 'text' })).toContain(
      'bytes',
    );
    let text = '';
    for await (const event of await openai.audio.transcriptions.create({ ...asked, stream: true }))
      if (event.type === 'transcript.text.delta') text += event.delta;
    expect(text).toMatch(/^[a-z ]+$/);
    const translated = await openai.audio.translations.create(asked).withResponse();
    expect(translated.data.text).toContain(fileSaid('file', 'a.mp3'));
    // it tells seconds, which no price is for
    const record = await recordOf(translated.response.headers.get('x-request-id'));
    expect(record).toMatchObject({ 'http.route': 'openai/translations', 'portunus.tokens_from': 'bound' });
    expect(record).not.toHaveProperty('portunus.cost_nano');
  });

  it('rerank, paid by the token or by the search, as its provider tells', async () => {
    const documents = Array.from({ length: 150 }, (_, at) => `document ${at}`);
    const rank = async (model: string): Promise<Fields> => {
      const response = await openai
        .post('/rerank', { body: { model, query: 'a key', documents } })
        .asResponse();
      expect(((await response.json()) as { readonly results: unknown[] }).results).toHaveLength(150);
      return recordOf(response.headers.get('x-request-id'));
    };
    const byToken = await rank('jina/reranker');
    expect(byToken).toMatchObject({ 'http.route': 'openai/rerank', 'portunus.tokens_from': 'provider' });
    expect(byToken['portunus.cost_nano']).toBe(Number(byToken['gen_ai.usage.input_tokens']) * 1_000);
    // two searches of a hundred documents
    expect(await rank('searches')).toMatchObject({ 'portunus.cost_nano': 20_000_000 });
  });

  it('the models that each dialect can ask for, and each of them by its name', async () => {
    const names: string[] = [];
    for await (const { id } of openai.models.list()) names.push(id);
    expect(names).toEqual(['gpt-4o', 'pictures', 'unbounded', 'ears', 'jina/reranker', 'searches']);
    expect(await openai.models.retrieve('jina/reranker')).toMatchObject({ id: 'jina/reranker' });
    await expect(openai.models.retrieve('claude-sonnet')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const claudes: string[] = [];
    for await (const { id } of anthropic.models.list({ limit: 1 })) claudes.push(id);
    expect(claudes).toEqual(['claude-sonnet', 'claude/next']);
    expect(await anthropic.models.retrieve('claude/next')).toMatchObject({
      type: 'model',
      id: 'claude/next',
    });
    await expect(anthropic.models.retrieve('gpt-4o')).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it('messages and the count of their tokens', async () => {
    const asked = { model: 'claude-sonnet', messages: [{ role: 'user' as const, content: 'Say hello.' }] };
    const answer = await anthropic.messages.create({ ...asked, max_tokens: 9 });
    expect(answer.content[0]).toMatchObject({ type: 'text' });
    expect((await anthropic.messages.countTokens(asked)).input_tokens).toBeGreaterThan(0);
  });
});

it('is explained by each of its routes', async () => {
  const line = await runPortunus(['explain', 'anthropic', running.project.folder]);
  expect([line.code, line.stderr]).toEqual([
    2,
    'portunus explain: "anthropic" stands for several routes. Name one: anthropic/models, anthropic/model, anthropic/messages, anthropic/count-tokens.\n',
  ]);
});

describe('what can not be served is refused in words of the dialect', () => {
  it('unknown paths below it', async () => {
    await expect(openai.get('/assistants')).rejects.toMatchObject({
      ...{ status: 404, code: 'route_not_found', type: 'invalid_request_error' },
    });
    await expect(anthropic.get('/v1/files')).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
    await expect(openai.get('/chat/completions')).rejects.toMatchObject({
      status: 405,
      code: 'method_not_allowed',
    });
    // not below it
    const elsewhere = await fetch(`${running.gateway.url}/v2/files`);
    expect(elsewhere.headers.get('content-type')).toBe('application/problem+json');
  });

  it('callers that are unknown or not subscribed', async () => {
    const unknown = new OpenAI({ apiKey: 'x', baseURL: `${running.gateway.url}/v1`, maxRetries: 0 });
    await expect(unknown.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const stranger = new OpenAI({
      ...{ apiKey: await running.gateway.key('acme', 'stranger'), maxRetries: 0 },
      baseURL: `${running.gateway.url}/v1`,
    });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
  });

  it('forms that can not be read, that are too large, or of another kind', async () => {
    const send = (body: string, contentType: string): Promise<Response> =>
      fetch(`${running.gateway.url}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${openai.apiKey}`, 'content-type': contentType },
        body,
      });
    const codeOf = async (answer: Promise<Response>): Promise<unknown> => {
      const response = await answer;
      const said = (await response.json()) as { readonly error: { readonly code: string } };
      return [response.status, said.error.code];
    };
    const type = 'multipart/form-data; boundary=b';
    const field = (name: string, value: string): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    expect(await codeOf(send(field('model', 'ears'), type))).toEqual([400, 'model_request_malformed']);
    expect(await codeOf(send(`${field('model', 'ears').repeat(2)}--b--`, type))).toEqual([
      ...[400, 'model_request_malformed'],
    ]);
    expect(await codeOf(send('--b--', type))).toEqual([400, 'model_required']);
    expect(await codeOf(send(`${field('model', 'nobody')}--b--`, type))).toEqual([404, 'model_not_found']);
    expect(await codeOf(send('x', 'multipart/form-data'))).toEqual([415, 'unsupported_media_type']);
    const large = `${field('model', 'ears')}${field('prompt', 'x'.repeat(2_000_000))}--b--`;
    expect(await codeOf(send(large, type))).toEqual([413, 'body_too_large']);
  });

  it('calls that a hard limit can not bound', async () => {
    const file = await toFile(SOUND, 'a.mp3');
    await expect(bounded.audio.transcriptions.create({ model: 'ears', file })).rejects.toMatchObject({
      ...{ status: 403, code: 'no_sound_bound', message: expect.stringContaining('sound, whose length') },
    });
    const spoken = { voice: 'alloy', input: 'Hello.' } as const;
    await expect(bounded.audio.speech.create({ ...spoken, model: 'unbounded' })).rejects.toMatchObject({
      ...{ status: 403, code: 'no_sound_bound', message: expect.stringContaining('an answer that neither') },
    });
    await bounded.audio.speech.create({ ...spoken, model: 'gpt-4o' });
    await bounded.images.generate({ model: 'pictures', prompt: 'A key.' });
    await expect(bounded.images.generate({ model: 'unbounded', prompt: 'A key.' })).rejects.toMatchObject({
      status: 403,
      code: 'no_sound_bound',
    });
  });

  it('operations that a rule names alone', async () => {
    const image = await toFile(SOUND, 'a.png', { type: 'image/png' });
    await expect(bounded.images.createVariation({ model: 'pictures', image })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('no variations'),
    });
  });
});
