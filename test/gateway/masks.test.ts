/** Masks at the built gateway: ordinary routes and calls to models, whole and streamed, and what can't be masked. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, RunningGateway, writeProject } from './running-gateway.ts';

const MAIL = 'ann@mail.example';
const PICTURE = Buffer.from([0x89, 0x50]);

interface Received {
  readonly path: string;
  readonly fields: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers what its caller asks it to, and keeps what it got. */
interface Echo {
  readonly server: Server;
  readonly received: Received[];
  answer: { readonly type: string; readonly pieces: readonly (string | Buffer)[]; readonly coding?: string };
}

let echo: Echo;
let project: Project;
let gateway: RunningGateway;
let key: string;

beforeAll(async () => {
  echo = await startEcho();
  const url = `http://127.0.0.1:${(echo.server.address() as AddressInfo).port}`;
  project = await writeProject({
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "${url}" }] } }
routes:
  notes: { service: s, match: { path: "/notes/{rest...}" }, auth: none }
  plain: { service: s, match: { path: "/plain/{rest...}" }, auth: none }
  kept: { service: s, match: { path: "/kept/{rest...}" } }
  chat: { ai: openai/chat }
  messages: { ai: anthropic/messages }
  images: { ai: openai/images }
  ears: { ai: openai/transcriptions }
`,
    'providers/p.yaml': `providers:
  openai: { extends: builtin/openai, baseUrl: "${url}/v1" }
  anthropic: { extends: builtin/anthropic, baseUrl: "${url}/v1" }
pools:
  o: { provider: openai, keys: { a: { secret: "env:KEY_O" } } }
  a: { provider: anthropic, keys: { a: { secret: "env:KEY_A" } } }
models:
  gpt: { pools: [o], as: gpt-4o }
  claude: { pools: [a], as: claude-sonnet }
`,
    'tenants/acme.yaml':
      'tenants: { acme: { plan: free, consumers: { web: { subscriptions: [chat, messages, images, ears] } } } }\n',
    'tenants/globex.yaml': 'tenants: { globex: { plan: free, consumers: { web: { subscriptions: [] } } } }\n',
    'policies/p.policy': `language 1
policy "open" { permit }
policy "kept" applies to route "kept", "chat" {
    cache 1h  when request.header["x-keep"] is present
    limit "dear" at most 100 tokens in any 24h  for each consumer  when request.header["x-keep"] is present and model is present
    mask email in response  when tenant is "acme"
}
policy "mail" applies to route "notes", "chat", "messages", "images", "ears" {
    mask email in request and response
}
policy "orders" applies to route "notes", "chat", "messages" {
    mask pattern /ORD-[0-9]{4}/, card in request and response with "#"
}
policy "sometimes" applies to route "plain" {
    mask email in response when request.header["x-mask"] is present
}
`,
  });
  gateway = await RunningGateway.start(project, { environment: { KEY_O: 'sk-o', KEY_A: 'sk-a' } });
  key = await gateway.key('acme', 'web');
});

afterAll(async () => {
  await gateway.stop('SIGKILL');
  await project.remove();
  echo.server.close();
});

async function startEcho(): Promise<Echo> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString();
      started.received.push({ path: request.url!, fields: request.headers, body });
      const { type, pieces: answered, coding } = started.answer;
      response.writeHead(200, {
        ...(type === '' ? {} : { 'content-type': type }),
        ...(coding === undefined ? {} : { 'content-encoding': coding }),
        etag: '"x"',
      });
      for (const piece of answered) response.write(piece);
      response.end();
    });
  });
  const started: Echo = { server, received: [], answer: { type: 'text/plain', pieces: ['ok'] } };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return started;
}

function send(
  path: string,
  body: string | Buffer | null,
  type = 'application/json',
  fields = {},
): Promise<Response> {
  return fetch(gateway.url + path, {
    method: body === null ? 'GET' : 'POST',
    body: body === null ? null : new Uint8Array(Buffer.from(body)),
    headers: {
      ...(body === null ? {} : { 'content-type': type }),
      authorization: `Bearer ${key}`,
      ...fields,
    },
  });
}

const last = (): Received => echo.received.at(-1)!;
const code = async (response: Response): Promise<string> =>
  /"code":\s*"([^"]+)"|"message":\s*"([^"]+)"/
    .exec(await response.text())
    ?.slice(1)
    .join('') ?? '';

describe('an ordinary route', () => {
  it('masks JSON in both directions, byte for byte elsewhere', async () => {
    const body = (mail: string, order: string) => `{ "a":1.0e0, "to" : ["${mail}"],"x":{"y":"${order} é"}}`;
    const sent = body(MAIL, 'ORD-1234');
    echo.answer = { type: 'application/json; charset=utf-8', pieces: [sent.slice(0, 30), sent.slice(30)] };
    const response = await send('/notes/1', sent);
    expect(last().body).toBe(body('[removed]', '#'));
    expect(last().fields['content-length']).toBe(String(Buffer.byteLength(last().body)));
    expect(await response.text()).toBe(body('[removed]', '#'));
    expect(response.headers.get('etag')).toBeNull();
  });

  it('masks plain text as it comes, though its service compresses it', async () => {
    const text = `Dear ${MAIL}, ORD-1234 and 4111 1111 1111 1111.`;
    echo.answer = { type: 'text/plain', pieces: [gzipSync(text)], coding: 'gzip' };
    const response = await send('/notes/1', text, 'text/plain');
    expect(last().body).toBe('Dear [removed], # and #.');
    expect(await response.text()).toBe('Dear [removed], # and #.');
  });

  it('has requests without a body, and refuses bodies that it can not read', async () => {
    echo.answer = { type: 'text/plain', pieces: ['ok'] };
    expect(await (await send('/notes/1', null)).text()).toBe('ok');
    const before = echo.received.length;
    expect((await send('/notes/1', PICTURE, 'image/png')).status).toBe(415);
    expect((await send('/notes/1', '{"a":1,"a":2}')).status).toBe(422);
    expect((await send('/notes/1', `{"${MAIL}":1}`)).status).toBe(422);
    expect(echo.received).toHaveLength(before);
  });

  it('never passes an answer that it can not read', async () => {
    for (const [type, piece] of [
      ['image/png', PICTURE],
      ['', MAIL],
      ['application/json', `{"a":"${MAIL}"`],
      ['text/plain', Buffer.from([0xff])],
      ['text/html', MAIL.replace('@', '&#64;')],
      ['text/markdown', MAIL.replace('@', '\\@')],
      ['text/calendar', MAIL.replace('@', '\r\n @')],
      ['text/vcard', MAIL.replace('@', '\r\n @')],
    ] as const) {
      echo.answer = { type, pieces: [piece] };
      const response = await send('/notes/1', null);
      expect([response.status, await code(response)]).toEqual([502, 'unmaskable_answer']);
    }
  });

  it('masks where the condition of its rule holds, and only there', async () => {
    echo.answer = { type: 'text/plain', pieces: [MAIL] };
    expect(await (await send('/plain/1', null)).text()).toBe(MAIL);
    expect(await (await send('/plain/1', null, '', { 'x-mask': '1' })).text()).toBe('[removed]');
  });
});

describe('calls to models', () => {
  const ask = (content: unknown, more = {}): string =>
    JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content }], max_tokens: 10, ...more });

  it('masks what is asked and what is answered', async () => {
    const answer = {
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: `${MAIL} ORD-1234` },
          logprobs: { content: [{ token: 'ann@' }] },
        },
      ],
    };
    echo.answer = { type: 'application/json', pieces: [JSON.stringify(answer)] };
    const response = await send('/v1/chat/completions', ask(`I am ${MAIL}`));
    expect(JSON.parse(last().body).messages[0].content).toBe('I am [removed]');
    const { choices } = (await response.json()) as { choices: unknown };
    expect(choices).toEqual([
      { index: 0, message: { role: 'assistant', content: '[removed] #' }, logprobs: null },
    ]);
  });

  it('masks streams across events and across packets', async () => {
    const chunk = (content: string, reason: string | null = null) =>
      `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;
    const events = [
      chunk('to a'),
      chunk('nn@mail'),
      chunk('.exam'),
      chunk('ple, ORD-'),
      chunk('1234'),
      chunk('', 'stop'),
      'data: [DONE]\n\n',
    ];
    const text = events.join('');
    echo.answer = {
      type: 'text/event-stream',
      pieces: [text.slice(0, 100), text.slice(100, 333), text.slice(333)],
    };
    const response = await send('/v1/chat/completions', ask('hello', { stream: true }));
    const said = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map(
      ([, data]) => JSON.parse(data!).choices[0]?.delta.content ?? '',
    );
    expect(said.join('')).toBe('to [removed], #');
  });

  it('masks streams of Anthropic', async () => {
    const delta = (text: string) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\n`;
    const stop = `event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
    echo.answer = { type: 'text/event-stream', pieces: [delta('ann@mai'), delta('l.example'), stop] };
    const call = {
      model: 'claude',
      max_tokens: 10,
      stream: true,
      system: MAIL,
      messages: [{ role: 'user', content: MAIL }],
    };
    const response = await send('/v1/messages', JSON.stringify(call), 'application/json', {
      'x-api-key': key,
    });
    expect(last().body).not.toContain(MAIL);
    expect([...(await response.text()).matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text).join('')).toBe(
      '[removed]',
    );
  });

  it('refuses what is no text, before anything is paid for', async () => {
    const before = echo.received.length;
    const image = ask([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }]);
    expect((await send('/v1/chat/completions', image)).status).toBe(422);
    expect(
      (await send('/v1/images/generations', JSON.stringify({ model: 'gpt', prompt: 'a cat' }))).status,
    ).toBe(422);
    const form = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt\r\n--b--\r\n';
    const refused = await send('/v1/audio/transcriptions', form, 'multipart/form-data; boundary=b');
    expect([refused.status, await code(refused)]).toEqual([422, expect.stringContaining('neither JSON nor')]);
    expect(echo.received).toHaveLength(before);
  });

  it('refuses events of which it is not known what in them is text', async () => {
    const event = { type: 'transcript.text.delta', delta: MAIL };
    echo.answer = { type: 'text/event-stream', pieces: [`data: ${JSON.stringify(event)}\n\n`] };
    const answer = await send('/v1/audio/transcriptions', JSON.stringify({ model: 'gpt', stream: true }));
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain(MAIL);
  });
});

describe('an answer that is kept', () => {
  const keep = { 'x-keep': '1' };

  it('is given again to the same tenant alone, masked for it, and says how old it is', async () => {
    const other = await gateway.key('globex', 'web');
    const gotten: string[] = [];
    for (const authorization of [`Bearer ${key}`, `Bearer ${other}`, `Bearer ${key}`, `Bearer ${other}`]) {
      echo.answer = { type: 'text/plain', pieces: [`${MAIL} ${gotten.length}`] };
      const response = await send('/kept/1', null, '', { ...keep, authorization });
      const status = response.headers.get('cache-status')!.replace(/ttl=\d+/, 'ttl');
      gotten.push(`${await response.text()} ${status} ${response.headers.has('age')}`);
    }
    expect(gotten).toEqual([
      '[removed] 0 portunus; fwd=miss false',
      `${MAIL} 1 portunus; fwd=miss false`,
      '[removed] 0 portunus; hit; ttl true',
      `${MAIL} 1 portunus; hit; ttl true`,
    ]);
  });

  it('is a stream again where it was one, and takes no tokens: its limit had room for one call', async () => {
    const event = (content: string) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":60,"completion_tokens":30}}\n\n';
    const call = (text: string) =>
      send(
        '/v1/chat/completions',
        JSON.stringify({ ...CALL, messages: [{ role: 'user', content: text }] }),
        undefined,
        keep,
      );
    echo.answer = { type: 'text/event-stream', pieces: [event('hi'), usage, 'data: [DONE]\n\n'] };
    const before = echo.received.length;
    const first = await (await call('a')).text();
    const second = await call('a');
    expect(second.headers.get('cache-status')).toContain('hit');
    expect(second.headers.get('transfer-encoding')).toBe('chunked');
    expect(await second.text()).toBe(first);
    expect(first).toContain('hi');
    expect(first.endsWith('data: [DONE]\n\n')).toBe(true);
    expect((await call('b')).status).toBe(429);
    expect(echo.received.length - before).toBe(1);
  });
});
const CALL = { model: 'gpt', max_tokens: 5, stream: true };

it('of a model that is compressed though it was asked for plain is masked, whole and streamed, and arrives plain', async () => {
  const usage = { prompt_tokens: 5, completion_tokens: 3 };
  const chunk = (delta: object, finish: string | null) => ({
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const events = [
    chunk({ content: 'to ann@ma' }, null),
    chunk({ content: 'il.example' }, null),
    chunk({}, 'stop'),
  ];
  const stream = [...events, { choices: [], usage }]
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join('');
  const whole = JSON.stringify({ choices: [{ message: { role: 'assistant', content: MAIL } }], usage });
  for (const [type, text, members] of [
    ['text/event-stream', `${stream}data: [DONE]\n\n`, { stream: true }],
    ['application/json', whole, {}],
  ] as const) {
    const coded = gzipSync(text);
    echo.answer = { type, pieces: [coded.subarray(0, 30), coded.subarray(30)], coding: 'gzip' };
    const asked = JSON.stringify({ model: 'gpt', messages: [], ...members });
    const response = await send('/v1/chat/completions', asked, 'application/json', {
      'accept-encoding': 'gzip',
    });
    expect([response.status, response.headers.get('content-encoding')]).toEqual([200, null]);
    const body = await response.text();
    expect(body).not.toContain('ann@');
    expect(body).toContain('[removed]');
    // nobody asked for it where it streams
    expect(body.includes('prompt_tokens')).toBe(type === 'application/json');
  }
});
