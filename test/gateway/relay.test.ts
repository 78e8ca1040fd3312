/** What the service answers, as the client sees it: streams, lengths, breaks, slow readers, and leaving clients. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, countersWith, PERMIT_ALL, route } from './rules.ts';
import { ok, parseAnswer, RawClient, type RawServer, rawServer } from './sockets.ts';

let gateway: Gateway;
let upstream: RawServer;
/** The service's side of the last request. */
let service: Socket;
let released = 0;
let reply: (socket: Socket, request: string) => void;

beforeEach(async () => {
  released = 0;
  reply = () => {};
  upstream = await rawServer((socket, request) => {
    service = socket;
    reply(socket, request);
  });
  gateway = await startGateway({
    bundle: bundle([route('all', '/{rest...}')], upstream.port),
    counters: countersWith(() => {
      released++;
    }),
    pipeline: {
      ...PERMIT_ALL,
      admit(context) {
        context.reservation = { entries: 1 };
        return PERMIT_ALL.admit(context);
      },
    },
  });
});

afterEach(() => {
  gateway.close();
  upstream.close();
});

async function get(path = '/', method = 'GET'): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port);
  client.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return client;
}

async function expectOneRecord(expected: object): Promise<void> {
  for (let count = 1; ours().length === 0; count++) await gateway.recorded(count);
  expect(ours()).toMatchObject([expected]);
  expect(released).toBe(1);
  expect(gateway.thread.inFlight()).toBe(0);
}

test('events reach the client one by one, as they come', async () => {
  const client = await get();
  await upstream.arrived(1);
  service.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (const event of ['data: 1\n\n', 'data: 2\n\n', ': \xc3\xa9\r\n\r\n']) {
    service.write(Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`, 'latin1'));
    await client.until(event);
  }
  service.write('0\r\n\r\n');
  await client.until('\r\n0\r\n\r\n');
  expect(client.received).toContain('9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n');
  await expectOneRecord({ status: 200, responseBytes: 26, code: '' });
});

test('a body of known length streams with its length, and the connection goes on', async () => {
  const client = await get();
  await upstream.arrived(1);
  service.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
  await client.until('abc');
  service.write('def');
  expect((await client.answer()).body).toBe('abcdef');
  client.received = '';
  reply = (socket) => socket.write(ok('again'));
  client.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answer()).body).toBe('again');
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', 'content-length: 7'],
  ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'via'],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 'HTTP/1.1 204 No Content'],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', 'HTTP/1.1 304 Not Modified'],
  [
    'GET',
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 204 No Content',
  ],
])('%s answered with %j has no body, and the connection goes on', async (method, answer, expected) => {
  reply = (socket) => socket.write(answer);
  const client = await get('/', method);
  await client.until('\r\n\r\n');
  expect(client.received).toContain(expected);
  expect(client.received).not.toMatch(/ 204 .*content-length/is);
  expect(client.received.endsWith('\r\n\r\n')).toBe(true);
  client.received = '';
  reply = (socket) => socket.write(ok('again'));
  client.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answer()).body).toBe('again');
});

test('an empty body has the length 0', async () => {
  reply = (socket) => socket.write(ok(''));
  const answer = await (await get()).answer();
  expect([answer.fields.get('content-length'), answer.body, answer.rest]).toEqual(['0', '', '']);
});

test.each([17 * 1024, 300_000, 8_000_000])(
  'a body of %i bytes arrives whole at a client that reads late',
  async (bytes) => {
    const body = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 4) body.writeUInt32LE(at, at);
    reply = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      socket.write(body);
    };
    const client = await RawClient.connect(gateway.port);
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await upstream.arrived(1);
    // Only now, when nothing moves any more, does the client begin to read.
    await settledCount(() => service.writableLength);
    client.socket.resume();
    const { body: received } = await client.answer();
    expect(Buffer.from(received, 'latin1').equals(body)).toBe(true);
    await expectOneRecord({ status: 200, responseBytes: bytes });
  },
);

test('a client that doesn’t read makes the service wait, and the gateway holds little of it', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  let written = 0;
  let full = false;
  reply = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const pour = (): void => {
      while (!full && written < 256) {
        full = !socket.write(Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]));
        written++;
      }
    };
    socket.on('drain', () => {
      full = false;
      pour();
    });
    pour();
  };
  const client = await RawClient.connect(gateway.port);
  client.socket.pause();
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await upstream.arrived(1);
  const before = await settledCount(() => written);
  expect(before).toBeLessThan(256);
  client.destroy();
  await expectOneRecord({ clientAborted: true, code: 'client_aborted' });
});

/** No path: refused, without a reservation. */
const MEANWHILE = '/meanwhile%zz';

/** The value once it stays the same while many other requests are answered. */
async function settledCount(value: () => number): Promise<number> {
  for (let last = -1; ; ) {
    if (value() === last) return last;
    last = value();
    for (let round = 0; round < 20; round++) await meanwhile();
  }
}

/** Another client's request, from start to end. */
async function meanwhile(): Promise<void> {
  const other = await RawClient.connect(gateway.port);
  other.write(`GET ${MEANWHILE} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await other.answer();
  other.destroy();
}

function ours() {
  return gateway.records.filter((record) => record.path !== MEANWHILE);
}

test('a client that asks on and on and never reads is dropped, and its answers don’t pile up', async () => {
  reply = (socket) => socket.write(ok('x'.repeat(15_000)));
  const client = await RawClient.connect(gateway.port);
  client.socket.pause();
  let asked = 0;
  while (!ours().some((record) => record.clientAborted)) {
    expect(++asked).toBeLessThan(2_000);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    for (let round = 0; round < 30 && ours().length < asked; round++) await meanwhile();
  }
  // The kernel's buffers have taken many: it was not dropped for asking too early.
  expect(asked).toBeGreaterThan(20);
  client.destroy();
});

test('a client that leaves takes the upstream request with it', async () => {
  const client = await get();
  await upstream.arrived(1);
  const gone = once(service, 'close');
  client.destroy();
  await gone;
  await expectOneRecord({ status: 499, code: 'client_aborted', clientAborted: true });
});

test('a client that leaves within the answer, too', async () => {
  const client = await get();
  await upstream.arrived(1);
  service.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n');
  await client.until('x');
  const gone = once(service, 'close');
  client.destroy();
  await gone;
  await expectOneRecord({ status: 200, code: 'client_aborted', clientAborted: true });
});

test('a service that dies before its answer: 502 with its code', async () => {
  reply = (socket) => socket.destroy();
  const client = await get('/', 'POST');
  const answer = await client.answer();
  expect([answer.status, (JSON.parse(answer.body) as { code: string }).code]).toEqual([
    502,
    'upstream_closed_before_answer',
  ]);
  await expectOneRecord({ status: 502, code: 'upstream_closed_before_answer' });
});

test('what was seen of a service that can’t be reached is for the log, and no caller’s business', async () => {
  upstream.close();
  const { status, body } = await (await get()).answer();
  expect([status, JSON.parse(body)]).toMatchObject([
    502,
    { code: 'upstream_connect_failed', detail: "The service can't be reached." },
  ]);
  await expectOneRecord({
    code: 'upstream_connect_failed',
    fault: `connect ECONNREFUSED 127.0.0.1:${upstream.port}`,
  });
});

test.each([
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n'],
  ['by length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx'],
])(
  'a service that dies within its answer (%s): the client sees that it is not whole',
  async (_framing, part) => {
    const client = await get();
    await upstream.arrived(1);
    service.write(part);
    await client.until('x');
    service.destroy();
    const received = await client.untilClosed();
    expect(received).not.toContain('\r\n0\r\n\r\n');
    expect(parseAnswer(received)?.body ?? '').not.toHaveLength(10);
    await expectOneRecord({ status: 200, code: 'upstream_closed_in_answer' });
  },
);

test('a field that would break out of its line never reaches the client', async () => {
  reply = (socket) => socket.write(ok('x', 'A: b\rC: d\r\n'));
  const answer = await (await get()).answer();
  expect(answer.status).toBe(502);
  expect(answer.fields.has('c')).toBe(false);
});

test('bytes above 0x7F in fields stay what they are', async () => {
  reply = (socket) => socket.write(Buffer.from(ok('x', 'A: \xe9\xff\r\n'), 'latin1'));
  expect((await (await get()).answer()).fields.get('a')).toBe('\xe9\xff');
});

test('an early answer to a body that still comes keeps the connection sound', async () => {
  const client = await RawClient.connect(gateway.port);
  client.write('POST /%zz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
  expect((await client.answer()).status).toBe(400);
  client.received = '';
  reply = (socket) => socket.write(ok('next'));
  client.write('cdeGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.answer()).body).toBe('next');
});

test('a large upload flows through at the pace of a slow service', async () => {
  const bytes = 3_000_000;
  reply = (socket, request) => socket.write(ok(`${request.split('\r\n\r\n')[1]!.length}`));
  const client = await RawClient.connect(gateway.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
  client.socket.write(Buffer.alloc(bytes, 'u'));
  expect((await client.answer()).body).toBe(`${bytes}`);
  await expectOneRecord({ status: 200, requestBytes: bytes });
});
