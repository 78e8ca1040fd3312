import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** The service behind the gateway of a soak: it answers soundly, and on some paths as services do that are broken. */
export interface SoakService {
  readonly port: number;
  close(): Promise<void>;
}

export const BIG_BYTES = 300_000;
export const STREAM_EVENTS = 20;
export const HALF_BYTES = 1_000;
/** Longer than the gateway waits for it. */
const SLOW_MS = 4_000;
const EVENT_EVERY_MS = 10;

export async function startService(): Promise<SoakService> {
  const server = createServer((request, response) => {
    const path = request.url!.split('?')[0]!;
    const answer = ANSWERS[path] ?? ((_request, asked) => void asked.writeHead(404).end());
    Promise.resolve(answer(request, response)).catch(() => response.destroy());
  });
  // A gateway that keeps connections longer would meet their end now and then, which has a path of its own.
  server.keepAliveTimeout = 0;
  server.on('upgrade', (request, socket) => openEcho(request, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  '/get': sound,
  '/limited': sound,
  '/spend': sound,
  '/extra': sound,
  '/big': (_request, response) => void response.end(Buffer.alloc(BIG_BYTES, 'b')),
  '/post': async (request, response) => {
    const hash = createHash('sha256');
    for await (const piece of request) hash.update(piece as Buffer);
    response.end(hash.digest('hex'));
  },
  '/stream': async (_request, response) => {
    response.setHeader('content-type', 'text/event-stream');
    for (let event = 0; event < STREAM_EVENTS && !response.destroyed; event++) {
      response.write(`data: ${event}\n\n`);
      await delay(EVENT_EVERY_MS);
    }
    response.end();
  },
  '/faulty/reset': (request) => void request.socket.resetAndDestroy(),
  '/faulty/half': (_request, response) => {
    response.setHeader('content-length', 2 * HALF_BYTES);
    response.write(Buffer.alloc(HALF_BYTES, 'h'), () => response.socket?.destroy());
  },
  '/faulty/five': (_request, response) => void response.writeHead(500).end('broken'),
  '/faulty/slow': async (_request, response) => {
    await delay(SLOW_MS);
    response.end('late');
  },
  '/faulty/garbage': (request) => void request.socket.end('HTTP/9.9 what\r\n\r\n'),
  '/closing': (request, response) => {
    // it says nothing of it before
    response.end('{"fine":true}', () => request.socket.end());
  },
};

function sound(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end('{"fine":true}');
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MASKED_HEAD_BYTES = 6;
const SHORT_MAX = 125;

/** Says each short message again, and closes when it is asked to. */
function openEcho(request: IncomingMessage, socket: Duplex): void {
  const key = request.headers['sec-websocket-key']!;
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  let bytes = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    while (bytes.length >= MASKED_HEAD_BYTES) {
      const length = bytes[1]! & 0x7f;
      if (length > SHORT_MAX) return void socket.destroy();
      if (bytes.length < MASKED_HEAD_BYTES + length) return;
      const mask = bytes.subarray(2, MASKED_HEAD_BYTES);
      const payload = bytes.subarray(MASKED_HEAD_BYTES, MASKED_HEAD_BYTES + length);
      const plain = payload.map((byte, at) => byte ^ mask[at & 3]!);
      socket.write(Buffer.concat([Buffer.of(bytes[0]!, length), plain]));
      if ((bytes[0]! & 0x0f) === 8) socket.end();
      bytes = bytes.subarray(MASKED_HEAD_BYTES + length);
    }
  });
}
