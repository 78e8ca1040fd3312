/** Request bodies that rules read, over real sockets, with the rules compiled from a project's own files. */
import zlib from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { instantiateRoute } from '../../src/compiler/instantiate.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import type { RuleBundle } from '../../src/pipeline/program.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { ok, RawClient, type RawServer, rawServer } from './sockets.ts';

const SCHEMA = {
  type: 'object',
  required: ['order', 'amount'],
  properties: {
    order: { type: 'string', maxLength: 20 },
    amount: { type: 'number', minimum: 0 },
    currency: { enum: ['EUR', 'USD'] },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
  },
};
const POLICY = `language 1
policy "refunds" applies to route "refund" {
  permit when tenant is present
  forbid "large" when request.body.amount > 500  status 403  code "too_large"  because "{request.body.amount} is too much"
  forbid "lines" when request.body.lines is present
    and any of request.body.lines has it.sku is present and it.sku starts with "x-"
}
`;
const KEY = 'Authorization: Bearer ptn_test_ann\r\n';

let gateway: Gateway;
let upstream: RawServer;

afterEach(() => {
  gateway.close();
  upstream.close();
});

async function start(
  limits: Parameters<typeof startGateway>[0]['limits'] = {},
  rules = '',
  policy = POLICY,
): Promise<void> {
  upstream = await rawServer((socket) => socket.write(ok('fine')));
  gateway = await startGateway({
    bundle: compiled(upstream.port, policy.replace(/\}\n$/, `${rules}}\n`)),
    instantiate: instantiateRoute,
    counters: new ReferenceCounters(),
    limits: { ...limits },
  });
}

function compiled(port: number, policy: string): RuleBundle {
  const texts = {
    'portunus.yaml': 'portunus: 1\n',
    'routes/r.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:${port}" }] } }
routes:
  refund: { service: s, match: { methods: [POST], path: /refund }, request: { schema: ./refund.schema.json, maxBody: 4KiB } }
`,
    'routes/refund.schema.json': JSON.stringify(SCHEMA),
  };
  const files = Object.entries(texts).map(([path, text]) => new SourceText(path, text));
  const { world, diagnostics } = loadWorld(files, { projectFolder: '/project' });
  expect(diagnostics).toEqual([]);
  const checked = checkPolicies([new SourceText('policies/p.policy', policy)], world!);
  expect(checked.diagnostics).toEqual([]);
  return compileRules(checked.policies, world!, () => null as never).bundle;
}

async function post(body: string | Uint8Array, fields = 'Content-Type: application/json\r\n', key = KEY) {
  const bytes = Buffer.from(body as string);
  const client = await RawClient.connect(gateway.port);
  client.write(`POST /refund HTTP/1.1\r\nHost: a\r\n${key}${fields}Content-Length: ${bytes.length}\r\n\r\n`);
  client.socket.write(bytes);
  const answer = await client.answer();
  client.destroy();
  return answer;
}

function codeOf({ status, body }: { status: number; body: string }): [number, string] {
  return [status, (JSON.parse(body) as { code: string }).code];
}

test('a body is judged by what it says, and goes on byte by byte as it came', async () => {
  await start();
  const body = '{ "amount" : 5e2,\n "order":"\\u0041" }';
  expect(await post(body)).toMatchObject({ status: 200, body: 'fine' });
  expect(upstream.requests[0]!.split('\r\n\r\n')[1]).toBe(body);
  const refused = await post('{"amount":501,"order":"A"}');
  expect(codeOf(refused)).toEqual([403, 'too_large']);
  expect(refused.body).toContain('501 is too much');
  expect(upstream.requests).toHaveLength(1);
});

test('members are capped and set on the way; every other byte stays, and rules judge what was sent', async () => {
  await start({}, 'cap request.body.amount at 100  default request.body.currency to "EUR"');
  const lengthOf = (request: string) => Number(/content-length: (\d+)/i.exec(request)![1]);
  await post('{ "amount" : 5e2,\n "order":"\\u0041" }');
  await post(
    zlib.gzipSync('{"amount":100.5,"order":"A"}'),
    'Content-Type: application/json\r\nContent-Encoding: gzip\r\n',
  );
  const untouched = '{"currency":"USD" , "amount":99.0,"order":"A"}';
  await post(untouched);
  const bodies = upstream.requests.map((request) => request.split('\r\n\r\n')[1]!);
  expect(bodies).toEqual([
    '{ "amount" : 100,\n "order":"\\u0041","currency":"EUR" }',
    '{"amount":100,"order":"A","currency":"EUR"}',
    untouched,
  ]);
  expect(upstream.requests.map(lengthOf)).toEqual(bodies.map(({ length }) => length));
  expect(codeOf(await post('{"amount":501,"order":"A"}'))).toEqual([403, 'too_large']);
  expect(codeOf(await post('{"amount":1,"order":"A","Currency":"USD"}'))).toEqual([400, 'ambiguous_body']);
});

test.each([
  ['a name that some read alike', '{"amount":1,"order":"A","Amount":501}', [400, 'ambiguous_body']],
  ['a number that is none of the language', '{"amount":1e300,"order":"A"}', [422, 'invalid_body']],
] as const)(
  '%s is refused where a rule decides by it, and not for an alert',
  async (_what, body, refused) => {
    const policy = (rule: string) =>
      `language 1\npolicy "refunds" applies to route "refund" { permit ${rule} }\n`;
    await start({}, '', policy('alert "large" when request.body.amount > 500'));
    expect((await post(body)).status).toBe(200);
    // Broken ones are refused by the schema of the route, whatever its rules ask.
    expect(codeOf(await post('{"amount":1'))).toEqual([400, 'malformed_body']);
    gateway.close();
    upstream.close();
    await start({}, '', policy('forbid "large" when request.body.amount > 500'));
    expect(codeOf(await post(body))).toEqual(refused);
  },
);

test.each([
  ['no JSON', '{"amount":1', 400, 'malformed_body'],
  ['nothing', '', 400, 'malformed_body'],
  ['a member twice (language-rules #4)', '{"amount":1,"order":"A","amount":501}', 400, 'malformed_body'],
  ['a member twice, once escaped', '{"amount":1,"order":"A","\\u0061mount":501}', 400, 'malformed_body'],
  ['a second text behind it', '{"amount":1,"order":"A"}{"amount":501}', 400, 'malformed_body'],
  ['bytes that are not UTF-8', Buffer.from('{"amount":1,"order":"\xff"}', 'latin1'), 400, 'malformed_body'],
  ['a byte order mark', '\ufeff{"amount":1,"order":"A"}', 400, 'malformed_body'],
  ['a name that some read alike', '{"amount":1,"order":"A","Amount":501}', 400, 'ambiguous_body'],
  [
    'a name in an element that some read alike',
    '{"amount":1,"order":"A","lines":[{"sku":"a"},{"SKU":"x-1"}]}',
    400,
    'ambiguous_body',
  ],
  ['a number of another type', '{"amount":"1","order":"A"}', 422, 'invalid_body'],
  ['a missing member', '{"amount":1}', 422, 'invalid_body'],
  ['an integer beyond 2^53', '{"amount":9007199254740993,"order":"A"}', 422, 'invalid_body'],
  [
    'more nesting than allowed',
    `{"amount":1,"order":"A","x":${'['.repeat(70)}${']'.repeat(70)}}`,
    400,
    'malformed_body',
  ],
  ['more than the route takes', `{"amount":1,"order":"A","x":"${'x'.repeat(4_096)}"}`, 413, 'body_too_large'],
])('%s is refused, and never sent on', async (_what, body, status, code) => {
  await start();
  expect(codeOf(await post(body))).toEqual([status, code]);
  expect(upstream.requests).toEqual([]);
});

test('the elements of a list are judged, one by one', async () => {
  await start();
  const lines = (...skus: readonly unknown[]) =>
    JSON.stringify({ amount: 1, order: 'A', lines: skus.map((sku) => ({ sku })) });
  expect(await post(lines())).toMatchObject({ status: 200 });
  expect(await post(lines('a', undefined, 'b'))).toMatchObject({ status: 200 });
  expect(codeOf(await post(lines('a', undefined, 'x-1')))).toEqual([403, 'forbidden']);
  expect(upstream.requests).toHaveLength(2);
});

test('the place of what does not fit is named', async () => {
  await start();
  const { body } = await post('{"amount":1,"order":"A","lines":[{"sku":"1"},{"sku":2}]}');
  expect(JSON.parse(body)).toMatchObject({
    status: 422,
    detail: '/lines/1/sku in the body is not a text.',
  });
});

test.each([
  ['a form', 'Content-Type: application/x-www-form-urlencoded\r\n', 'unsupported_media_type'],
  ['nothing', '', 'unsupported_media_type'],
  ['another charset', 'Content-Type: application/json; charset=utf-16\r\n', 'unsupported_media_type'],
  [
    'JSON in a coding nobody knows',
    'Content-Type: application/json\r\nContent-Encoding: zstd\r\n',
    'unsupported_content_coding',
  ],
])('a body that says it is %s is refused with 415', async (_what, fields, code) => {
  await start();
  expect(codeOf(await post('{"amount":1,"order":"A"}', fields))).toEqual([415, code]);
});

test('a compressed body is read as its text, and sent on as that', async () => {
  await start();
  const fields = 'Content-Type: application/vnd.acme+json; charset="UTF-8"\r\nContent-Encoding: gzip\r\n';
  expect(await post(zlib.gzipSync('{"amount":1,"order":"A"}'), fields)).toMatchObject({ status: 200 });
  expect(upstream.requests[0]).toMatch(/\r\n\r\n\{"amount":1,"order":"A"\}$/);
  expect(upstream.requests[0]!.toLowerCase()).not.toContain('content-encoding');
  expect(upstream.requests[0]).toContain('content-length: 24');
  expect(codeOf(await post(zlib.gzipSync('{"amount":900,"order":"A"}'), fields))).toEqual([403, 'too_large']);
  expect(codeOf(await post(zlib.gzipSync(Buffer.alloc(5_000, 32)), fields))).toEqual([413, 'body_too_large']);
});

test('who is not permitted uploads nothing: the answer comes before the body', async () => {
  await start();
  const client = await RawClient.connect(gateway.port);
  client.write(
    'POST /refund HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n',
  );
  expect((await client.answer()).status).toBe(401);
  client.destroy();
});

test('a chunked body is read whole, and what follows it on the wire is never handled', async () => {
  await start();
  const client = await RawClient.connect(gateway.port);
  const body = '{"amount":1,"order":"A"}';
  const head = `POST /refund HTTP/1.1\r\nHost: a\r\n${KEY}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const smuggled = `POST /refund HTTP/1.1\r\nHost: a\r\n${KEY}Content-Length: 0\r\n\r\n`;
  const chunks = `5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n`;
  client.write(head + chunks);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*fine/);
  const attacker = await RawClient.connect(gateway.port);
  attacker.write(head + chunks + smuggled);
  await attacker.untilClosed();
  await gateway.recorded(2);
  // Of the second one nothing is seen but, at most, what the first one was.
  expect(gateway.records).toHaveLength(2);
  for (const request of upstream.requests) expect(request).toMatch(/content-length: 24\r\n\r\n\{[\s\S]*\}$/);
});

test('a client that leaves while its body is read leaves nothing behind', async () => {
  await start();
  const client = await RawClient.connect(gateway.port);
  client.write(
    `POST /refund HTTP/1.1\r\nHost: a\r\n${KEY}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a`,
  );
  while (gateway.thread.inFlight() === 0) await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  await gateway.recorded(1);
  expect(gateway.records[0]).toMatchObject({ status: 499, code: 'client_aborted' });
  expect(gateway.thread.inFlight()).toBe(0);
});

test('a body that does not arrive in time ends with 408', async () => {
  await start({ requestReadMs: 300 });
  const client = await RawClient.connect(gateway.port);
  client.write(
    `POST /refund HTTP/1.1\r\nHost: a\r\n${KEY}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a`,
  );
  expect(codeOf(await client.answer())).toEqual([408, 'request_timeout']);
  client.destroy();
});

test('a thousand slow uploads hold what has come of them, and no more than the thread may', async () => {
  const bound = 1_024 * 1_024;
  await start({ bodiesBufferedPerThreadBytes: bound });
  const clients = await Promise.all(Array.from({ length: 1_100 }, () => RawClient.connect(gateway.port)));
  for (const client of clients)
    client.write(
      `POST /refund HTTP/1.1\r\nHost: a\r\n${KEY}Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n{"order":"A",`,
    );
  // Each begins a block of 1 KiB: the last of them are one too many, and are told to come again.
  await gateway.recorded(clients.length - bound / 1_024);
  expect(new Set(gateway.records.map(({ status, code }) => `${status} ${code}`))).toEqual(
    new Set(['503 overloaded']),
  );
  expect(gateway.thread.inFlight()).toBe(bound / 1_024);
  expect(gateway.thread.load()).toMatchObject({
    activeRequests: bound / 1_024,
    connections: clients.length,
    bufferedBodyBytes: bound,
    bodiesBufferedPerThreadBytesRefused: clients.length - bound / 1_024,
  });
  for (const client of clients) client.destroy();
  await gateway.recorded(clients.length);
  expect(gateway.thread.inFlight()).toBe(0);
  expect((await post('{"amount":1,"order":"A"}')).status).toBe(200);
});

test('a record names a rule only where that rule decided the answer', async () => {
  await start();
  await post('{"order":"7","amount":501}');
  await post('{"order":"7","amount":');
  await post('{"order":"7","amount":"x"}');
  await post('{"order":"7","amount":1}');
  upstream.close();
  await post('{"order":"7","amount":2}');
  await gateway.recorded(5);
  expect(gateway.records.map(({ code, decidingRule }) => [code, decidingRule])).toEqual([
    ['too_large', 'refunds/large'],
    ['malformed_body', ''],
    ['invalid_body', ''],
    ['', 'refunds/permit  when tenant is present'],
    [expect.stringMatching(/^upstream_/), ''],
  ]);
});
