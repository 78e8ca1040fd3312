/** The built gateway is stopped while streams of models are open and others wait: what each caller has got by the end of the process. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from '../gateway/running-gateway.ts';
import { RawClient } from '../gateway/sockets.ts';
import { startUpstream, type UpstreamServer } from '../gateway/upstream-server.ts';

const OPENAI_EVENT = {
  ...{ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' },
  choices: [{ index: 0, delta: { role: 'assistant', content: 'One' }, finish_reason: null }],
};
const ANTHROPIC_EVENT = {
  type: 'message_start',
  message: {
    ...{ id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null },
    usage: { input_tokens: 9, output_tokens: 1 },
  },
};
const CHAT = {
  id: 'c2',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const EVENTS = {
  '/v1/chat/completions': `data: ${JSON.stringify(OPENAI_EVENT)}\n\n`,
  '/v1/messages': `event: message_start\ndata: ${JSON.stringify(ANTHROPIC_EVENT)}\n\n`,
} as const;

let provider: UpstreamServer | undefined;
let project: Project | undefined;
let gateway: RunningGateway | undefined;

afterEach(async () => {
  await gateway?.stop('SIGKILL');
  await project?.remove();
  await provider?.close();
});

/** Streams begin and never end; other calls are answered at once, and whatever else never is. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    if (request.url === '/slow') return;
    const { stream } = JSON.parse(body) as { readonly stream?: boolean };
    const type = stream === true ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': type }).flushHeaders();
    if (stream === true) response.write(EVENTS[request.url as keyof typeof EVENTS]);
    else response.end(JSON.stringify(CHAT));
  });
}

async function open(): Promise<{ readonly project: Project; readonly start: () => Promise<RunningGateway> }> {
  provider = await startUpstream(answer);
  const url = `http://127.0.0.1:${provider.port}`;
  const one = (name: string) =>
    `  ${name}: { provider: ${name}, queue: { upTo: 1h }, keys: { k: { secret: "env:PROVIDER_KEY", limits: { concurrency: 1 } } } }\n`;
  project = await writeProject(
    {
      'providers/p.yaml': `providers:
  openai: { extends: builtin/openai, baseUrl: "${url}/v1" }
  anthropic: { extends: builtin/anthropic, baseUrl: "${url}/v1" }
pools:
${one('openai')}${one('anthropic')}models: { gpt: { pools: [openai] }, claude: { pools: [anthropic] }, full: { pools: [openai] } }
`,
      'routes/r.yaml': `services: { jobs: { endpoints: [{ url: "${url}" }] } }
routes: { chat: { ai: openai/chat }, messages: { ai: anthropic/messages }, slow: { service: jobs, match: { path: /slow } } }
`,
      'tenants/acme.yaml':
        'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [chat, messages, slow] } } } }\n',
      'policies/p.policy': `language 1
policy "p" { permit when consumer is subscribed to route }
policy "calls" applies to route "chat" {
  limit "calls" at most 10 requests in any 24h  for each consumer  when model is "gpt"
  limit "single" at most 1 requests in any 5m  in total  when model is "full"  when exceeded queue up to 10m
}
`,
    },
    { settings: 'limits: { drainMs: 300ms }' },
  );
  const opened = project;
  const environment = { PROVIDER_KEY: 'sk-provider' };
  return { project: opened, start: () => RunningGateway.start(opened, { environment }) };
}

/** Requests that are in flight, and those of them that wait for room in a limit. */
async function inFlight({ folder, adminPort }: Project): Promise<readonly [number, number]> {
  const access = readFileSync(join(folder, 'data', 'admin-access.json'), 'utf8');
  const { token } = JSON.parse(access) as { readonly token: string };
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers })).text();
  const value = (name: RegExp): number => Number(name.exec(text)?.[1] ?? Number.NaN);
  return [
    value(/^http_server_active_requests\{thread="data-0"\} (\d+)$/m),
    value(/^portunus_waiting_requests\{thread="data-0",waiting_for="limit"\} (\d+)$/m),
  ];
}

it('every caller is told in its dialect, budgets are settled, records written, and the process ends well', async () => {
  const { project, start } = await open();
  gateway = await start();
  const key = await gateway.key('acme', 'web');
  const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: key, baseURL: gateway.url, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'Hello' }] as const;
  const asked = { model: 'gpt', messages: [...messages], max_tokens: 10 };
  const claude = { model: 'claude', messages: [...messages], max_tokens: 10 };
  const full = { ...asked, model: 'full' };
  const ended = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );

  // the limit "single" is used up by it
  await openai.chat.completions.create(full);
  const chat = JSON.stringify({ ...asked, stream: true });
  const raw = await RawClient.connect(project.port);
  raw.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${chat.length}\r\n\r\n${chat}`,
  );
  await raw.until('"content":"One"');
  const stream = await anthropic.messages.create({ ...claude, stream: true });
  const events: string[] = [];
  const streamed = ended(
    (async () => {
      for await (const event of stream) events.push(event.type);
    })(),
  );
  const waiting = {
    openai: ended(openai.chat.completions.create(asked)),
    anthropic: ended(anthropic.messages.create(claude)),
    limit: ended(openai.chat.completions.create(full)),
  };
  const slow = fetch(`${gateway.url}/slow`, { headers: { authorization: `Bearer ${key}` } });
  await expect.poll(() => inFlight(project)).toEqual([6, 1]);

  expect(await gateway.stop('SIGTERM')).toBe(0);

  // its bytes: the provider's event, one of the gateway's own, and the end of a sound body
  const [head, body] = (await raw.untilClosed()).split('\r\n\r\n', 1).concat(raw.received) as [
    string,
    string,
  ];
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(body.endsWith('\r\n0\r\n\r\n')).toBe(true);
  const data = [...body.matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text!) as unknown);
  expect(data).toEqual([
    OPENAI_EVENT,
    { error: { message: expect.any(String), type: 'server_error', param: null, code: 'going_away' } },
  ]);
  const broken = await streamed;
  expect([broken, events]).toEqual([expect.any(Anthropic.APIError), ['message_start']]);
  expect(broken!.message).toContain('(going_away)');

  const told = {
    openai: await waiting.openai,
    anthropic: await waiting.anthropic,
    limit: await waiting.limit,
  };
  expect(told.openai).toBeInstanceOf(OpenAI.InternalServerError);
  expect([told.openai!.code, told.openai!.headers!.get('retry-after')]).toEqual(['going_away', '1']);
  expect(told.anthropic).toBeInstanceOf(Anthropic.InternalServerError);
  expect(told.anthropic!.error).toMatchObject({ error: { type: 'overloaded_error' } });
  expect(told.anthropic!.headers!.get('retry-after')).toBe('1');
  expect([told.limit!.status, told.limit!.code]).toEqual([503, 'going_away']);
  expect(Number(told.limit!.headers!.get('retry-after'))).toBeGreaterThan(10);
  const late = await slow;
  expect([late.status, late.headers.get('content-type'), late.headers.get('retry-after')]).toEqual([
    ...[503, 'application/problem+json', null],
  ]);

  const records = gateway.output
    .split('\n')
    .filter((line) => line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map((record) => [
      `${record['http.route']} ${record['http.response.status_code']} ${record['portunus.code'] ?? record['error.type']}`,
      record['portunus.tokens_from'],
    ]);
  expect(records.sort()).toEqual([
    ['chat 200 going_away', 'bound'],
    ['chat 200 undefined', 'provider'],
    ['chat 503 going_away', undefined],
    ['chat 503 going_away', undefined],
    ['messages 200 going_away', 'bound'],
    ['messages 503 going_away', undefined],
    ['slow 503 going_away', undefined],
  ]);
  expect(gateway.output).toContain('Cut off 5 requests that did not end in time.');

  // the open stream has taken one of the ten, the one that waited for a key none
  gateway = await start();
  const again = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const { response } = await again.chat.completions.create(asked).withResponse();
  expect(response.headers.get('ratelimit')).toMatch(/r=8\b/);
});
