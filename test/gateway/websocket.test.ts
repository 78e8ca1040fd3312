/** WebSockets through the gateway: a real client on one side, a service that speaks raw bytes on the other. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RouteCost } from '../../src/model/world.ts';
import { CONTINUE } from '../../src/pipeline/outcome.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
import { bundle, countersWith, PERMIT_ALL, route } from './rules.ts';
import { RawClient } from './sockets.ts';

let gateway: Gateway;
const services: WebSocketService[] = [];
afterEach(() => {
  gateway.close();
  for (const service of services.splice(0)) service.close();
});

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** One connection of a service: its handshake has been answered. */
class ServiceSide {
  readonly socket: net.Socket;
  readonly handshake: string;
  /** Frames of the client, unmasked: `opcode:payload`. */
  readonly frames: string[] = [];
  #bytes = Buffer.alloc(0);

  constructor(socket: net.Socket, handshake: string, rest: Buffer) {
    this.socket = socket;
    this.handshake = handshake;
    this.#take(rest);
    socket.on('data', (bytes) => this.#take(bytes));
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      if (this.#bytes.length < 6) return;
      const short = this.#bytes[1]! & 0x7f;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#bytes.length < head + 4) return;
      const length =
        short === 126
          ? this.#bytes.readUInt16BE(2)
          : short === 127
            ? Number(this.#bytes.readBigUInt64BE(2))
            : short;
      if (this.#bytes.length < head + 4 + length) return;
      const mask = this.#bytes.subarray(head, head + 4);
      const payload = Buffer.from(this.#bytes.subarray(head + 4, head + 4 + length));
      for (let index = 0; index < length; index++) payload[index]! ^= mask[index & 3]!;
      this.frames.push(`${this.#bytes[0]! & 0x0f}:${payload.toString('latin1')}`);
      this.#bytes = this.#bytes.subarray(head + 4 + length);
    }
  }

  send(opcode: number, payload: Uint8Array | string): void {
    const bytes = Buffer.from(payload as string);
    const head =
      bytes.length < 126
        ? Buffer.of(0x80 | opcode, bytes.length)
        : Buffer.concat([Buffer.of(0x80 | opcode, 127), Buffer.alloc(8)]);
    if (bytes.length >= 126) head.writeBigUInt64BE(BigInt(bytes.length), 2);
    this.socket.write(Buffer.concat([head, bytes]));
  }
}

interface WebSocketService {
  readonly port: number;
  readonly sides: ServiceSide[];
  close(): void;
}

/** `answer` makes the lines of the answer from the key; by default they are right. */
async function serve(answer = (accept: string) => rightAnswer(accept)): Promise<WebSocketService> {
  const sides: ServiceSide[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    let head = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      const text = head.subarray(0, end).toString('latin1');
      const key = /sec-websocket-key: (\S+)/.exec(text)?.[1] ?? '';
      socket.write(
        answer(
          createHash('sha1')
            .update(key + GUID)
            .digest('base64'),
        ),
        'latin1',
      );
      sides.push(new ServiceSide(socket, text, head.subarray(end + 4)));
    };
    socket.on('data', onData);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service = {
    port: (server.address() as net.AddressInfo).port,
    sides,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  services.push(service);
  return service;
}

function rightAnswer(accept: string, more = ''): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;
}

async function start(
  service: WebSocketService,
  options: Partial<GatewayOptions> = {},
  idleMs = 60_000,
  cost: RouteCost | null = null,
): Promise<void> {
  const live = route('live', '/live', { websocket: { idleMs, totalMs: 3_600_000 }, cost });
  gateway = await startGateway({
    bundle: bundle([live, route('plain', '/plain')], service.port),
    ...options,
  });
}

/** The client that Node itself brings (undici): strict about what it gets. */
async function open(
  protocols: readonly string[] = [],
): Promise<{ readonly client: WebSocket; readonly heard: string[] }> {
  const { WebSocket: Client } = (await import('undici')) as unknown as { WebSocket: typeof WebSocket };
  const client = new Client(`ws://127.0.0.1:${gateway.port}/live?x=1`, [...protocols]);
  client.binaryType = 'arraybuffer';
  const heard: string[] = [];
  client.addEventListener('message', ({ data }) =>
    heard.push(
      typeof data === 'string'
        ? `text ${data}`
        : `binary ${Buffer.from(data as ArrayBuffer).toString('latin1')}`,
    ),
  );
  client.addEventListener('close', ({ code, reason }) => heard.push(`close ${code} ${reason}`));
  client.addEventListener('error', () => heard.push('error'));
  await new Promise((resolve) => {
    client.addEventListener('open', resolve);
    client.addEventListener('error', resolve);
  });
  return { client, heard };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a WebSocket', () => {
  test('messages both ways as they are, subprotocol and close code passed on, one record at its end', async () => {
    const service = await serve((accept) =>
      rightAnswer(accept, 'Sec-WebSocket-Protocol: chat.v2\r\nX-Service: yes\r\n'),
    );
    await start(service);
    const { client, heard } = await open(['chat.v1', 'chat.v2']);
    expect(client.protocol).toBe('chat.v2');
    const [side] = service.sides;
    expect(side!.handshake).toMatch(/^GET \/live\?x=1 HTTP\/1\.1\r\n/);
    expect(side!.handshake).toMatch(/\r\nsec-websocket-protocol: chat\.v1, chat\.v2$/);
    expect(side!.handshake).not.toMatch(/extensions/i);
    client.send('grüß');
    client.send(Buffer.from([0, 255]));
    side!.send(1, 'hello');
    side!.send(2, Buffer.from([1, 254]));
    side!.send(9, 'still there?');
    await until(() => heard.length === 2 && side!.frames.length === 3);
    expect(heard).toEqual(['text hello', 'binary \x01\xfe']);
    expect(side!.frames).toEqual([
      `1:${Buffer.from('grüß').toString('latin1')}`,
      '2:\x00\xff',
      '10:still there?',
    ]);
    expect(gateway.records).toEqual([]);
    expect(gateway.thread.inFlight()).toBe(1);

    client.close(4001, 'done');
    await until(() => side!.frames.length === 4);
    expect(side!.frames[3]).toBe('8:\x0f\xa1done');
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({
      ...{ status: 101, route: 'live', code: '', clientAborted: false },
      ...{ requestBytes: 8, responseBytes: 7, attempts: 1 },
    });
    expect(gateway.thread.inFlight()).toBe(0);
    // uWebSockets.js tells its filter nothing of the end of a WebSocket: counted by it alone, each held its place for ever.
    await until(() => gateway.thread.load().connections === 0);
  });

  test('what is taken at once is held until the end', async () => {
    const service = await serve();
    let released = 0;
    const reservation = {};
    await start(service, {
      counters: countersWith(() => released++),
      pipeline: {
        ...PERMIT_ALL,
        admit: (context) => {
          context.reservation = reservation as never;
          return CONTINUE;
        },
      },
    });
    const { client } = await open();
    service.sides[0]!.send(1, 'a');
    await until(() => service.sides.length === 1);
    expect(released).toBe(0);
    client.close();
    await gateway.recorded(1);
    expect(released).toBe(1);
  });

  test('the service closes: its code and reason reach the client', async () => {
    const service = await serve();
    await start(service);
    const { heard } = await open();
    service.sides[0]!.send(8, Buffer.concat([Buffer.of(0x0f, 0xa2), Buffer.from('moved')]));
    await until(() => heard.length === 1);
    expect(heard).toEqual(['close 4002 moved']);
    await until(() => service.sides[0]!.frames.length === 1);
    expect(service.sides[0]!.frames[0]).toBe('8:\x0f\xa2');
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ code: '', fault: '' });
  });

  test.each([
    ['is lost', (side: ServiceSide) => side.socket.destroy(), /closed/],
    [
      'sends no WebSocket',
      (side: ServiceSide) => side.socket.write('HTTP/1.1 200 OK\r\n\r\n'),
      /opcode|reserved|mask/,
    ],
  ])('a service that %s: 1014 to the client, and the record says what was seen', async (_, act, fault) => {
    const service = await serve();
    await start(service);
    const { heard } = await open();
    act(service.sides[0]!);
    await until(() => heard.length === 1);
    expect(heard[0]).toMatch(/^close 1014 /);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({
      code: 'upstream_closed_in_answer',
      fault: expect.stringMatching(fault),
    });
  });

  test('a client that vanishes: the service is told', async () => {
    const service = await serve();
    await start(service);
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    await client.until('\r\n\r\n');
    client.destroy();
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ code: 'client_aborted', clientAborted: true, status: 101 });
    await until(() => service.sides[0]!.frames.length === 1);
    expect(service.sides[0]!.frames[0]).toBe('8:\x03\xe9');
  });
});

function handshake(more = '', path = '/live'): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${more}\r\n`
  );
}

describe('bounds', () => {
  test('silence ends it on both sides', async () => {
    const service = await serve();
    await start(service, {}, 200);
    const { heard } = await open();
    await until(() => heard.length === 1);
    expect(heard).toEqual(['close 1001 nothing was said for too long']);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ code: 'websocket_idle' });
  });

  test('rules bound its whole time', async () => {
    const service = await serve();
    await start(service, { pipeline: { ...PERMIT_ALL, totalTimeoutMs: () => 300 } });
    const { heard } = await open();
    await until(() => heard.length === 1);
    expect(heard).toEqual(['close 1001 the time of this connection is over']);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ code: 'total_timeout', status: 101 });
  });

  test('a message of the service that is too large', async () => {
    const service = await serve();
    await start(service, { limits: { websocketMessageBytes: 1_024 } });
    const { heard } = await open();
    service.sides[0]!.send(2, Buffer.alloc(1_025));
    await until(() => heard.length === 1 && service.sides[0]!.frames.length === 1);
    expect(service.sides[0]!.frames[0]).toContain('8:\x03\xf1a message is larger');
  });

  test('a message of the client that is too large', async () => {
    const service = await serve();
    await start(service, { limits: { websocketMessageBytes: 1_024 } });
    const { client, heard } = await open();
    client.send(Buffer.alloc(1_025));
    await until(() => heard.length > 0);
    await gateway.recorded(1);
    expect(service.sides[0]!.frames.filter((frame) => frame.startsWith('2:'))).toEqual([]);
  });

  test('a service is read no faster than the client takes', async () => {
    const service = await serve();
    await start(service, { limits: { websocketBufferedBytes: 65_536 } });
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    await client.until('\r\n\r\n');
    client.socket.pause();
    const [side] = service.sides;
    const piece = Buffer.alloc(65_536, 'x');
    // More than all buffers of the kernel hold: what the gateway took without end would all be gone.
    for (let sent = 0; sent < 64 * 1_048_576; sent += piece.length) side!.send(2, piece);
    let before = -1;
    while (side!.socket.writableLength !== before) {
      before = side!.socket.writableLength;
      for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(before).toBeGreaterThan(16 * 1_048_576);
    client.socket.resume();
    client.received = '';
    let bytes = 0;
    client.socket.on('data', (read: Buffer) => {
      bytes += read.length;
      client.received = '';
    });
    await until(() => bytes >= 63 * 1_048_576);
  });

  test('a client whose messages nobody takes is let go', async () => {
    const service = await serve();
    await start(service, { limits: { websocketBufferedBytes: 65_536 } });
    const { client, heard } = await open();
    service.sides[0]!.socket.pause();
    for (let sent = 0; sent < 64; sent++) client.send(Buffer.alloc(1_000_000));
    await until(() => heard.length === 1);
    expect(heard[0]).toMatch(/^close 1013 /);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ code: 'websocket_client_too_fast' });
  });

  test('the end of the gateway is said to both sides, and waits for nobody', async () => {
    const service = await serve();
    await start(service);
    const { heard } = await open();
    gateway.send({ kind: 'drain', withinMs: 30_000 });
    expect(await gateway.said('drained')).toMatchObject({ unfinished: 0 });
    await until(() => heard.length === 1 && service.sides[0]!.frames.length === 1);
    expect(heard).toEqual(['close 1001 the gateway goes away']);
    expect(service.sides[0]!.frames[0]).toContain('8:\x03\xe9');
  });
});

const REFUSAL = {
  ...{ status: 403, code: 'forbidden', detail: 'No.', ruleIndex: -1, retryAfterS: -1 },
  ...{ rateLimit: '', rateLimitPolicy: '' },
};

describe('what is no WebSocket', () => {
  test.each([
    ['a plain request', 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another version', handshake().replace('Version: 13', 'Version: 8')],
    ['another protocol', handshake().replace('Upgrade: websocket', 'Upgrade: h2c')],
  ])('%s to such a route is told what to ask for', async (_, text) => {
    await start(await serve());
    const client = await RawClient.connect(gateway.port);
    client.write(text);
    const answer = await client.answer();
    expect(answer.status).toBe(426);
    expect(answer.fields.get('upgrade')).toBe('websocket');
    expect(answer.fields.get('sec-websocket-version')).toBe('13');
  });

  test('rules refuse it like any other request', async () => {
    const service = await serve();
    await start(service, {
      pipeline: {
        ...PERMIT_ALL,
        authorise: () => ({ kind: 'respond', refusal: REFUSAL }),
      },
    });
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    expect((await client.answer()).status).toBe(403);
    expect(service.sides).toEqual([]);
  });

  test.each([
    ['refuses', () => 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', /status 403/],
    ['proves nothing', () => rightAnswer('AAAAAAAAAAAAAAAAAAAAAAAAAAA='), /another Sec-WebSocket-Accept/],
    [
      'chooses what was not offered',
      (accept: string) => rightAnswer(accept, 'Sec-WebSocket-Protocol: x\r\n'),
      /not offered/,
    ],
    [
      'compresses',
      (accept: string) => rightAnswer(accept, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
      /extension/,
    ],
    ['breaks a line', (accept: string) => rightAnswer(accept, 'X: a\nY: b\r\n'), /malformed/],
  ])('a service that %s: 502, and the record says why', async (_, answer, fault) => {
    await start(await serve(answer));
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    expect((await client.answer()).status).toBe(502);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({
      code: 'upstream_refused_websocket',
      fault: expect.stringMatching(fault),
    });
  });

  test.each([
    [401, 0],
    [429, 0],
    [403, 5_000_000],
  ])('a service that answers %s costs %s', async (status, cost) => {
    const service = await serve(() => `HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    await start(service, {}, 60_000, { atMost: 5_000_000, currency: 'USD', told: null });
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    expect((await client.answer()).status).toBe(502);
    await gateway.recorded(1);
    expect(gateway.records[0]).toMatchObject({ costNano: cost });
  });

  test('a service that can’t be reached: 502', async () => {
    const service = await serve();
    service.close();
    await start(service);
    const client = await RawClient.connect(gateway.port);
    client.write(handshake());
    expect((await client.answer()).status).toBe(502);
  });

  test('on other routes the wish is left out, and the request answered', async () => {
    const service = await serve(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    await start(service);
    const client = await RawClient.connect(gateway.port);
    client.write(handshake('', '/plain'));
    expect(await client.answer()).toMatchObject({ status: 200, body: 'ok' });
    expect(service.sides[0]!.handshake).not.toMatch(/\r\nupgrade:/i);
  });
});
