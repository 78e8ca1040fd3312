import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerQuestions } from '../conversation.ts';
import type { UpstreamCounts } from '../upstream.ts';
import { fieldPattern, HttpFramingError, HttpReader } from './http-reader.ts';
import { IdCounts } from './id-counts.ts';

/**
 * The upstream that counts and streams, on raw sockets: node:http would cost as much as the gateway under test.
 *
 *   any path                        small JSON
 *   ?id=N                           counted; {"id":N,"seen":times,"version":"x-bench-version"}
 *   ?id=N&events=E&everyMs=M        counted; E numbered server-sent events, then the end
 *   ?hold=1                         one event that carries the time it was sent at, then open until the client leaves
 *   ?once=1                         the same event, then the end
 */
const VERSION_FIELD = fieldPattern('x-bench-version');
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

const smallJson = jsonAnswer(readFileSync(process.argv[2]!, 'utf8'));
const ids = new IdCounts();
const held = new Set<Socket>();
let requests = 0;
let damagedBodies = 0;

const server = createServer({ noDelay: true }, (socket) => {
  const exchange = { target: '', fields: '', body: '' };
  const reader = new HttpReader({
    head: (startLine, fields) => {
      exchange.target = startLine.split(' ')[1] ?? '';
      exchange.fields = fields;
      exchange.body = '';
    },
    body: (part) => {
      exchange.body += part.toString('latin1');
    },
    end: () => answer(socket, exchange.target, exchange.fields, exchange.body),
  });
  socket.on('data', (piece) => {
    try {
      reader.push(piece);
    } catch (error) {
      if (!(error instanceof HttpFramingError)) throw error;
      console.error('request that cannot be read:', error);
      socket.destroy();
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => held.delete(socket));
});

answerQuestions({
  listen: async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
    return (server.address() as AddressInfo).port;
  },
  counts: (): UpstreamCounts => ({
    requests,
    distinctIds: ids.distinct,
    repeatedIds: ids.repeated,
    damagedBodies,
  }),
  pulse: () => {
    for (const socket of held) socket.write(timedEvent());
    return held.size;
  },
});

function answer(socket: Socket, target: string, fields: string, body: string): void {
  requests += 1;
  const mark = target.indexOf('?');
  if (mark === -1) {
    socket.write(smallJson, 'latin1');
    return;
  }
  const query = new URLSearchParams(target.slice(mark + 1));
  const id = query.get('id');
  if (id !== null) answerCounted(socket, Number(id), query, fields, body);
  else if (query.has('hold')) hold(socket);
  else if (query.has('once')) socket.write(STREAM_HEAD + timedEvent() + LAST_CHUNK);
  else socket.write(smallJson, 'latin1');
}

function answerCounted(
  socket: Socket,
  id: number,
  query: URLSearchParams,
  fields: string,
  body: string,
): void {
  const seen = ids.add(id);
  if (body !== '' && !body.startsWith(`{"id":${id},`)) damagedBodies += 1;
  const events = Number(query.get('events') ?? 0);
  if (events > 0) {
    stream(socket, events, Number(query.get('everyMs')));
    return;
  }
  const version = VERSION_FIELD.exec(fields)?.[1] ?? '';
  socket.write(jsonAnswer(JSON.stringify({ id, seen, version, bodyBytes: body.length })), 'latin1');
}

function stream(socket: Socket, events: number, everyMs: number): void {
  let sent = 1;
  socket.write(STREAM_HEAD + chunk('data: 0\n\n'));
  const timer = setInterval(() => {
    if (sent < events && !socket.destroyed) {
      socket.write(chunk(`data: ${sent}\n\n`));
      sent += 1;
      return;
    }
    clearInterval(timer);
    if (!socket.destroyed) socket.write(LAST_CHUNK);
  }, everyMs);
}

function hold(socket: Socket): void {
  held.add(socket);
  socket.write(STREAM_HEAD + timedEvent());
}

/** CLOCK_MONOTONIC in nanoseconds, which all processes of the machine share. */
function timedEvent(): string {
  return chunk(`data: ${process.hrtime.bigint()}\n\n`);
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function jsonAnswer(json: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
}
