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
const ID_PARAMETER = /\?id=(\d+)/;
const STREAM_PARAMETERS = /&events=(\d+)&everyMs=(\d+)/;
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
  // Patterns instead of URLSearchParams, which would be the dearest part of a counted request.
  const id = ID_PARAMETER.exec(target)?.[1];
  if (id !== undefined) answerCounted(socket, Number(id), target, fields, body);
  else if (target.endsWith('?hold=1')) hold(socket);
  else if (target.endsWith('?once=1')) socket.write(STREAM_HEAD + timedEvent() + LAST_CHUNK);
  else socket.write(smallJson, 'latin1');
}

function answerCounted(socket: Socket, id: number, target: string, fields: string, body: string): void {
  const seen = ids.add(id);
  if (body !== '' && !body.startsWith(`{"id":${id},`)) damagedBodies += 1;
  const streamed = STREAM_PARAMETERS.exec(target);
  if (streamed !== null) {
    stream(socket, Number(streamed[1]), Number(streamed[2]));
    return;
  }
  const version = VERSION_FIELD.exec(fields)?.[1] ?? '';
  const json = `{"id":${id},"seen":${seen},"version":"${version}","bodyBytes":${body.length}}`;
  socket.write(jsonAnswer(json), 'latin1');
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
