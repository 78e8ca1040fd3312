/** What calls may cost at most, and what rules see of them, at the built gateway: by what reaches a provider that writes down every body. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from '../gateway/running-gateway.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

interface Answered {
  readonly status: number;
  readonly text: string;
}

const HELLO = [{ role: 'user', content: 'hello' }];
const received: Record<string, unknown>[] = [];
let upstream: UpstreamServer;
let project: Project;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push(JSON.parse(body));
      response
        .setHeader('content-type', 'application/json')
        .end('{"usage":{"prompt_tokens":1,"completion_tokens":1}}');
    });
  });
  const baseUrl = `baseUrl: "http://127.0.0.1:${upstream.port}/v1"`;
  project = await writeProject({
    'providers/p.yaml': `providers:
  openai: { extends: builtin/openai, ${baseUrl} }
  house: { dialect: openai, ${baseUrl} }
  claude: { extends: builtin/anthropic, ${baseUrl} }
  openrouter: { extends: builtin/openrouter, ${baseUrl} }
  ollama: { extends: builtin/ollama, ${baseUrl} }
pools:
  claude: { provider: claude, keys: { c: { secret: env:KEY } } }
  openrouter: { provider: openrouter, keys: { o: { secret: env:KEY } } }
  ollama: { provider: ollama, keys: { l: { secret: env:KEY } } }
  openai: { provider: openai, keys: { k: { secret: env:KEY } } }
  house: { provider: house, keys: { h: { secret: env:KEY } } }
models:
  gpt-4o-mini: { pools: [openai] }
  capped: { pools: [openai], as: gpt-4o-mini }
  capped-at-home: { pools: [house] }
  thinks: { pools: [claude], as: claude-sonnet-4-5 }
  brief: { pools: [claude], as: claude-sonnet-4-5, outputTokensMax: 1_000 }
  routed: { pools: [openrouter] }
  gpt-4o-search-preview: { pools: [openai] }
  local: { pools: [ollama] }
  judged: { pools: [openai], as: gpt-4o-mini }
`,
    'routes/models.yaml': 'routes: { openai: { ai: openai }, anthropic: { ai: anthropic } }\n',
    'tenants/acme.yaml':
      'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [openai, anthropic] }, thrifty: { subscriptions: [openai, anthropic] }, metered: { subscriptions: [openai, anthropic] } } } }\n',
    'policies/p.policy': `language 1
policy "base" { permit when consumer is subscribed to route }
policy "money" applies to route "openai/chat", "openai/responses", "openai/embeddings", "anthropic/messages" {
    budget $1 per day  for each consumer  when consumer is "thrifty"
    limit at most 500_000 tokens in any 1m  for each consumer  when consumer is "metered"
}
policy "thought" applies to route "anthropic/messages" {
    cap request.output_cap at 12_000
    cap request.output_cap at 500 when request.header["x-brief"] is present
}
policy "caps" applies to route "openai/chat" {
    cap request.output_cap at 500 when model in ["capped", "capped-at-home"]
    forbid "long" when model is "judged" and request.output_cap otherwise 0 > 1_000
}
`,
  });
  gateway = await RunningGateway.start(project, { environment: { KEY: 'sk-upstream-of-test' } });
});
afterAll(async () => {
  await gateway.stop('SIGKILL');
  await project.remove();
  await upstream.close();
});
beforeEach(() => {
  received.length = 0;
});

async function ask(
  body: object | string,
  { path = '/v1/chat/completions', as = 'web', headers = {} } = {},
): Promise<Answered> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await gateway.key('acme', as)}`,
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

describe('a cap on the answer', () => {
  it.each([
    [{ max_tokens: 1, max_completion_tokens: 100_000 }, { max_completion_tokens: 1 }],
    [{ max_completion_tokens: 100_000, max_tokens: 900 }, { max_completion_tokens: 500 }],
    [{ max_tokens: 500, max_completion_tokens: 600 }, { max_completion_tokens: 500 }],
    [{ max_tokens: 400 }, { max_tokens: 400 }],
    [{}, { max_completion_tokens: 500 }],
  ])('leaves once, as its provider knows it, and no higher than rules say: %j', async (caps, expected) => {
    expect(await ask({ model: 'capped', messages: HELLO, ...caps })).toMatchObject({ status: 200 });
    expect(received).toEqual([{ model: 'gpt-4o-mini', messages: HELLO, ...expected }]);
  });

  it('is not one where its provider knows it by another name', async () => {
    await ask({ model: 'capped-at-home', messages: HELLO, max_completion_tokens: 50 });
    expect(received).toEqual([{ model: 'capped-at-home', messages: HELLO, max_tokens: 50 }]);
  });

  it('is what rules judge, though no rule writes it', async () => {
    const passed = { model: 'judged', messages: HELLO, max_tokens: 1, max_completion_tokens: 100_000 };
    expect(await ask(passed)).toMatchObject({ status: 200 });
    expect(received).toEqual([{ model: 'gpt-4o-mini', messages: HELLO, max_completion_tokens: 1 }]);
    expect(await ask({ ...passed, max_tokens: 1_001 })).toMatchObject({ status: 403 });
  });
});

describe('a cap below what may be thought', () => {
  const thinking = (budget_tokens: number) => ({ type: 'enabled', budget_tokens });
  const messages = { path: '/v1/messages' };

  it.each([
    [60_000, 50_000, 12_000, 10_000],
    [60_000, 10_000, 12_000, 10_000],
    [10_000, 5_000, 10_000, 5_000],
    [13_000, 12_999, 12_000, 11_999],
    [60_000, 60_000, 12_000, 11_999],
  ])('lowers that too, where it has to: %i, %i', async (max_tokens, budget, cap, lowered) => {
    const body = { model: 'thinks', messages: HELLO, max_tokens, thinking: thinking(budget) };
    expect(await ask(body, messages)).toMatchObject({ status: 200 });
    expect(received).toEqual([
      { ...body, model: 'claude-sonnet-4-5', max_tokens: cap, thinking: thinking(lowered) },
    ]);
  });

  it('is told where the model leaves no room to think', async () => {
    const body = { model: 'brief', messages: HELLO, max_tokens: 4_000, thinking: thinking(2_000) };
    const answer = await ask(body, { ...messages, as: 'metered' });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('thinking.budget_tokens') });
    expect(received).toEqual([]);
    expect(await ask({ ...body, thinking: { type: 'disabled' } }, messages)).toMatchObject({ status: 200 });
  });

  it('is told where nothing could be thought', async () => {
    const body = { model: 'thinks', messages: HELLO, max_tokens: 60_000, thinking: thinking(50_000) };
    const answer = await ask(body, { ...messages, headers: { 'x-brief': 'brief' } });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('thinking.budget_tokens') });
    expect(received).toEqual([]);
  });
});

describe('a member that has other models serve a call', () => {
  it.each([
    { models: ['openai/gpt-5-pro'] },
    { Models: ['openai/gpt-5-pro'] },
    { preset: '@preset/dear' },
    { plugins: [{ id: 'auto-router' }] },
    { plugins: [{ id: 'web' }, { id: 'next-year' }] },
    { plugins: [{ id: 'web', ID: 'fusion' }] },
    { plugins: [{ ID: 'fusion', id: 'web' }] },
    { models: [{ id: 'web', model: 'openai/gpt-5-pro' }] },
    { plugins: { id: 'web' } },
    { models: ['routed', 'openai/gpt-5-pro'] },
    { route: 'fallback', models: ['openai/gpt-5-pro'] },
  ])('is refused where its provider knows it: %j', async (more) => {
    const answer = await ask({ model: 'routed', messages: HELLO, ...more });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('model_request_malformed') });
    expect(answer.text).toContain(Object.keys(more).at(-1)!.toLowerCase());
    expect(received).toEqual([]);
  });

  it.each([
    { models: [] },
    { models: ['routed'] },
    { plugins: [] },
    { plugins: [{ id: 'web' }, { id: 'file-parser' }, { id: 'response-healing' }] },
    { route: 'fallback' },
  ])('passes where no other would: %j', async (more) => {
    const body = { model: 'routed', messages: HELLO, ...more };
    expect(await ask(body)).toMatchObject({ status: 200 });
    expect(received).toEqual([body]);
  });

  it('passes where Claude is to fall back to nobody', async () => {
    const body = { model: 'thinks', messages: HELLO, max_tokens: 5 };
    const messages = { path: '/v1/messages' };
    expect(await ask({ ...body, fallbacks: [] }, messages)).toMatchObject({ status: 200 });
    const other = { ...body, fallbacks: [{ model: 'claude-opus-4-5' }] };
    expect(await ask(other, messages)).toMatchObject({ status: 400 });
  });

  it('passes where it says nothing, and where its provider has none such', async () => {
    await ask({ model: 'routed', messages: HELLO, models: null });
    await ask({ model: 'local', messages: HELLO, models: ['a'] });
    expect(received).toHaveLength(2);
  });
});

describe('a name that is read by some and not by others', () => {
  it.each([
    ['Model', '{"model":"local","messages":[],"Model":"gpt-5-pro"}'],
    ['MAX_TOKENS', '{"model":"local","messages":[],"max_tokens":5,"MAX_TOKENS":100000}'],
    ['meſſages', '{"model":"local","messages":[],"meſſages":[]}'],
    ['Content', '{"model":"local","messages":[{"role":"user","content":"a","Content":"b"}]}'],
    ['Type', '{"model":"local","messages":[{"content":[{"type":"text","text":"x","Type":"image_url"}]}]}'],
    ['URL', '{"model":"local","messages":[{"content":[{"image_url":{"url":"data:image/png,","URL":"a"}}]}]}'],
    ['Type', '{"model":"local","messages":[],"tools":[{"type":"function","Type":"web_search"}]}'],
  ])('is refused, with what is to be written: %s', async (name, body) => {
    const answer = await ask(body);
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(name) });
    expect(answer.text).toContain('model_request_malformed');
    expect(received).toEqual([]);
  });

  it('is not one that is escaped, or that nothing goes by', async () => {
    await ask('{"mod\\u0065l":"local","messages":[],"topK":5}');
    expect(received).toEqual([{ model: 'local', messages: [], topK: 5 }]);
  });
});

it.each([
  ['best_of', '/v1/completions', { prompt: 'x', best_of: '5' }],
  ['background', '/v1/responses', { input: 'x', background: 'true' }],
  ['background', '/v1/responses', { input: 'x', background: 1 }],
])('%s is refused where it is not what it has to be', async (member, path, body) => {
  const answer = await ask({ model: 'gpt-4o-mini', ...body }, { path });
  expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(member) });
  expect(received).toEqual([]);
});

describe('a wish for usage', () => {
  it.each([[[]], ['yes'], [{ include_usage: 'yes' }]])(
    'that is none is refused, not replaced: %j',
    async (wish) => {
      const body = { model: 'local', messages: HELLO, stream: true, stream_options: wish };
      expect(await ask(body)).toMatchObject({ status: 400, text: expect.stringContaining('stream_options') });
      expect(received).toEqual([]);
    },
  );

  it('stands where the caller has none, beside what else it said', async () => {
    const body = { model: 'local', messages: HELLO, stream: true };
    for (const stream_options of [null, { include_obfuscation: false }, { include_usage: null }])
      await ask({ ...body, stream_options });
    expect(received.map(({ stream_options }) => stream_options)).toEqual([
      { include_usage: true },
      { include_obfuscation: false, include_usage: true },
      { include_usage: true },
    ]);
  });
});

it('an answer of no tokens is asked for where the dialect has one', async () => {
  const body = { model: 'thinks', messages: HELLO, max_tokens: 0 };
  expect(await ask(body, { path: '/v1/messages' })).toMatchObject({ status: 200 });
  expect(received).toEqual([{ ...body, model: 'claude-sonnet-4-5' }]);
  expect(await ask({ ...body, model: 'local' })).toMatchObject({ status: 400 });
});

describe('a call that says nothing of its answer', () => {
  it('has the bound of its model under a budget, and that is not written', async () => {
    const body = { model: 'gpt-4o-mini', messages: HELLO };
    expect(await ask(body, { as: 'thrifty' })).toMatchObject({ status: 200 });
    expect(received).toEqual([body]);
  });

  it('is refused where nothing is known of its model, and told what to send', async () => {
    const answer = await ask({ model: 'local', messages: HELLO }, { as: 'metered' });
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('no_sound_bound') });
    expect(answer.text).toContain('max_tokens');
    expect(await ask({ model: 'local', messages: HELLO, max_tokens: 5 }, { as: 'metered' })).toMatchObject({
      status: 200,
    });
  });
});

it('a model that searches by itself has no bound', async () => {
  const body = { model: 'gpt-4o-search-preview', messages: HELLO, max_tokens: 5 };
  expect(await ask(body)).toMatchObject({ status: 200 });
  expect(await ask(body, { as: 'metered' })).toMatchObject({
    ...{ status: 403, text: expect.stringContaining('searches by itself') },
  });
});

describe('a call under a hard limit', () => {
  const part = { type: 'image', image: 'https://example.com/cat.png' };
  const usual = { model: 'gpt-4o-mini', max_tokens: 5, messages: HELLO };
  const responses = { path: '/v1/responses', as: 'metered' };

  it.each([
    ['a part that nobody knows', { ...usual, messages: [{ role: 'user', content: [part] }] }, 'metered'],
    ['an answer by its id', { ...usual, messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'metered'],
    ['a template', { ...usual, chat_template: '{{ messages }}' }, 'metered'],
    ['a dearer tier', { ...usual, service_tier: 'priority' }, 'thrifty'],
    ['an answer in sound', { ...usual, modalities: ['text', 'audio'] }, 'thrifty'],
  ])('is refused with %s, and passes where nothing limits it', async (_what, body, as) => {
    expect(await ask(body, { as })).toMatchObject({
      ...{ status: 403, text: expect.stringContaining('no_sound_bound') },
    });
    expect(received).toEqual([]);
    expect(await ask(body)).toMatchObject({ status: 200 });
  });

  const video = { type: 'video', video: 'https://example.com/cat.mp4' };
  it.each([
    ['/v1/embeddings', { input: { image: 'https://example.com/cat.png' } }],
    ['/v1/chat/completions', { max_tokens: 5, messages: [{ role: 'user', content: video }] }],
    ['/v1/chat/completions', { max_tokens: 5, messages: HELLO, tools: { type: 'web_search' } }],
    ['/v1/responses', { max_output_tokens: 5, input: video }],
  ])('is refused at %s with an object where a list is usual', async (path, more) => {
    const body = { model: 'gpt-4o-mini', ...more };
    expect(await ask(body, { path, as: 'metered' })).toMatchObject({
      ...{ status: 403, text: expect.stringContaining('no_sound_bound') },
    });
    expect(await ask(body, { path })).toMatchObject({ status: 200 });
  });

  const used = { type: 'tool_use', id: 't', name: 'f', input: { file_id: 'abc', source: { type: 'url' } } };
  const claude = { model: 'thinks', max_tokens: 5, messages: HELLO };
  it.each([
    ['/v1/chat/completions', { ...usual, metadata: { file_id: 'abc', image_url: 'https://a/b' } }],
    ['/v1/chat/completions', { ...usual, search_parameters: { mode: 'off' } }],
    ['/v1/messages', { ...claude, messages: [...HELLO, { role: 'assistant', content: [used] }] }],
    ['/v1/messages', { ...claude, mcp_servers: [] }],
  ])('has a bound at %s with what only looks like more: %j', async (path, body) => {
    expect(await ask(body, { path, as: 'metered' })).toMatchObject({ status: 200 });
  });

  it.each([[{ id: 'msg_1' }], [{ id: 'msg_1', type: null }]])(
    'is refused with an item that the provider keeps: %j',
    async (item) => {
      const body = { model: 'gpt-4o-mini', max_output_tokens: 5, input: [item] };
      expect(await ask(body, responses)).toMatchObject({ status: 403 });
      expect(await ask({ ...body, input: HELLO }, responses)).toMatchObject({ status: 200 });
    },
  );

  it('has a bound of tokens where only its price has none', async () => {
    const body = { ...usual, service_tier: 'priority' };
    expect(await ask(body, { as: 'metered' })).toMatchObject({ status: 200 });
  });
});
