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
pools:
  openai: { provider: openai, keys: { k: { secret: env:KEY } } }
  house: { provider: house, keys: { h: { secret: env:KEY } } }
models:
  gpt-4o-mini: { pools: [openai] }
  capped: { pools: [openai], as: gpt-4o-mini }
  capped-at-home: { pools: [house] }
  judged: { pools: [openai], as: gpt-4o-mini }
`,
    'routes/models.yaml': 'routes: { openai: { ai: openai } }\n',
    'tenants/acme.yaml':
      'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [openai] } } } }\n',
    'policies/p.policy': `language 1
policy "base" { permit when consumer is subscribed to route }
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
  { path = '/v1/chat/completions', as = 'web' } = {},
): Promise<Answered> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.key('acme', as)}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

describe('a cap on the answer', () => {
  it.each([
    [{ max_tokens: 1, max_completion_tokens: 100_000 }, { max_completion_tokens: 1 }],
    [{ max_completion_tokens: 100_000, max_tokens: 900 }, { max_completion_tokens: 500 }],
    [{ max_tokens: 500, max_completion_tokens: 600 }, { max_completion_tokens: 500 }],
    [{ max_tokens: 400 }, { max_completion_tokens: 400 }],
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
