/** runtime.md §1: whatever follows a chunked body on its connection is never handled, in the same packet or a later one. */
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { ok, RawClient, type RawServer, rawServer } from './sockets.ts';

let gateway: Gateway;
let upstream: RawServer;
/** What the service answers to `POST /slow`, when the test says so. */
let answerSlow: (() => void) | null = null;
let continueStream: (() => void) | null = null;
let autoContinue = true;

beforeEach(async () => {
  upstream = await rawServer((socket, request, number) => {
    if (request.startsWith('POST /slow')) answerSlow = () => socket.write(ok(`slow ${number}`));
    else if (request.startsWith('POST /stream')) streamTo(socket);
    else if (request.startsWith('POST /large')) socket.write(ok('x'.repeat(100_000)));
    else if (request.startsWith('HEAD /')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n');
    else socket.write(ok('ok'));
  });
  gateway = await startGateway({
    bundle: bundle(
      [
        route('all', '/{rest...}'),
        route('closed', '/closed', { auth: 'required' }),
        route('small', '/small', { maxBodyBytes: 1 }),
      ],
      upstream.port,
    ),
  });
});

afterEach(() => {
  gateway.close();
  upstream.close();
});

function streamTo(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
  continueStream = () => socket.write('2\r\ncd\r\n0\r\n\r\n');
  if (autoContinue) setImmediate(continueStream);
}

const EVIL = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n';
const BODY = '3\r\nabc\r\n0\r\n\r\n';
const head = (path: string, method = 'POST') =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;

async function connect(): Promise<RawClient> {
  return RawClient.connect(gateway.port);
}

async function expectNoEvil(): Promise<void> {
  const other = await connect();
  other.write('GET /marker HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.answer();
  other.destroy();
  expect(upstream.requests.filter((request) => request.includes('/evil'))).toEqual([]);
  expect(gateway.records.filter((record) => record.path === '/evil')).toEqual([]);
}

const BODIES: readonly [name: string, body: string][] = [
  ['a whole body', BODY],
  ['trailers, which the parser takes for a request', '3\r\nabc\r\n0\r\nX: 1\r\n\r\n'],
  ['a request as trailers', `3\r\nabc\r\n0\r\n${EVIL}`],
  ['bare LF in the framing', '3\nabc\n0\n\n'],
  ['no CRLF behind a chunk', '3\r\nabc0\r\n\r\n'],
];
/** How the answers of all paths end. */
const ENDS = ['\r\n0\r\n\r\n', '"}', 'ok', 'cd'];
const PATHS = ['/plain', '/stream', '/large', '/closed', '/small', '/%zz'];

describe.each(BODIES)('%s', (_name, body) => {
  test.each(PATHS)('%s: in the same packet', async (path) => {
    const client = await connect();
    client.write(head(path) + body + EVIL);
    await client.until('\r\n\r\n').catch(() => '');
    await expectNoEvil();
    client.destroy();
  });

  test.each(PATHS)('%s: in a packet that comes with the answer on its way', async (path) => {
    const client = await connect();
    client.write(head(path) + body);
    setImmediate(() => client.write(EVIL));
    await client.until('\r\n\r\n').catch(() => '');
    client.write(EVIL);
    await expectNoEvil();
    client.destroy();
  });

  test.each(PATHS)('%s: after the answer', async (path) => {
    const client = await connect();
    client.write(head(path) + body);
    await client.until((received) => ENDS.some((end) => received.endsWith(end))).catch(() => '');
    client.write(EVIL);
    client.write(EVIL);
    await expectNoEvil();
    client.destroy();
  });
});

test('while the service thinks, bytes behind the body end the connection', async () => {
  const client = await connect();
  client.write(head('/slow') + BODY);
  await upstream.arrived(1);
  client.write(EVIL);
  await client.untilClosed();
  answerSlow?.();
  await expectNoEvil();
  expect(client.received).toBe('');
});

test('an honest client gets its answer, and is told that the connection ends', async () => {
  const client = await connect();
  client.write(head('/plain') + BODY);
  const received = await client.untilClosed();
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(received).toMatch(/\r\nconnection: close\r\n/i);
  expect(received.endsWith('\r\n\r\nok')).toBe(true);
  expect(upstream.requests[0]).toMatch(/transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
});

test('a streamed answer is whole and says in its head that the connection ends', async () => {
  const client = await connect();
  autoContinue = false;
  client.write(head('/stream') + BODY);
  await client.until('ab');
  continueStream!();
  autoContinue = true;
  const received = await client.until('0\r\n\r\n');
  const [fields, body] = received.split(/\r\n\r\n(.*)/s) as [string, string];
  expect(fields).toMatch(/\r\nconnection: close(\r\n|$)/i);
  expect(body).toBe('2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n');
  client.destroy();
});

test('answers that come in one turn are each their own, though all are sent in a later one', async () => {
  const clients = await Promise.all(Array.from({ length: 8 }, connect));
  const answers: (() => void)[] = [];
  for (const [index, client] of clients.entries()) {
    client.write(head('/slow') + BODY);
    await upstream.arrived(index + 1);
    answers.push(answerSlow!);
  }
  for (const answer of answers) answer();
  const received = await Promise.all(clients.map((client) => client.untilClosed()));
  expect(received.map((text) => text.split('\r\n\r\n')[1])).toEqual(
    clients.map((_, index) => `slow ${index + 1}`),
  );
});

test('a large answer is whole', async () => {
  const client = await connect();
  client.write(head('/large') + BODY);
  const received = await client.until('0\r\n\r\n');
  expect(received.replaceAll(/[^x]/g, '').length).toBeGreaterThanOrEqual(100_000);
  client.destroy();
});

test('HEAD with a chunked body has no body in its answer', async () => {
  const client = await connect();
  client.write(head('/head', 'HEAD') + BODY);
  const received = await client.until('\r\n\r\n');
  expect(received).toMatch(/\r\nconnection: close\r\ncontent-length: 7\r\n/i);
  client.write(EVIL);
  await expectNoEvil();
  expect(client.received.endsWith('\r\n\r\n')).toBe(true);
  client.destroy();
});

test('by setting, chunked requests are refused', async () => {
  const strict = await startGateway({
    bundle: bundle([route('all', '/{rest...}')], upstream.port),
    server: { refuseChunkedRequests: true },
  });
  const client = await RawClient.connect(strict.port);
  client.write(head('/plain') + BODY);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 411 /);
  expect(upstream.requests).toEqual([]);
  strict.close();
});

test('pipelining: a request that comes while an answer is pending ends the connection, both unanswered', async () => {
  const client = await connect();
  client.write('POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await upstream.arrived(1);
  client.write(EVIL);
  await client.untilClosed();
  await gateway.recorded(1);
  expect(gateway.records[0]).toMatchObject({ path: '/slow', code: 'client_aborted', clientAborted: true });
  answerSlow?.();
  await expectNoEvil();
});
