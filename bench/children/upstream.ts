import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerQuestions } from '../conversation.ts';
import type { UpstreamCounts } from '../upstream.ts';
import { fieldPattern, HttpFramingError, HttpReader } from './http-reader.ts';
import { IdCounts } from './id-counts.ts';
import { LIMIT_FIELDS, modelAnswer, modelEvents } from './model-answers.ts';

/**
 * The upstream that counts and streams, on raw sockets: node:http would cost as much as the gateway under test.
 *
 *   any path                        small JSON
 *   ?id=N                           counted; {"id":N,"seen":times,"version":"x-bench-version"}
 *   ?id=N&events=E&everyMs=M        counted; E numbered server-sent events, then the end
 *   ?hold=1                         one event that carries the time it was sent at, then open until the client leaves
 *   ?once=1                         the same event, then the end
 *   …/chat/completions              as a model answers: JSON, or 100 events where the body asks for a stream, `&everyMs=M` apart
 */
const VERSION_FIELD = fieldPattern('x-bench-version');
const ID_PARAMETER = /\?id=(\d+)/;
const STREAM_PARAMETERS = /&events=(\d+)&everyMs=(\d+)/;
const EVERY_PARAMETER = /[?&]everyMs=(\d+)/;
const EVERY_MS_DEFAULT = 10;
/** The last field keeps nginx from collecting events; other proxies don't know it. */
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

const chatAnswer = jsonAnswer(modelAnswer(), LIMIT_FIELDS);
const EVENTS = modelEvents('no usage').map(chunk);
const EVENTS_WITH_USAGE = modelEvents('usage').map(chunk);
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
  else if (target.includes('/chat/completions')) answerModelCall(socket, target, body);
  else socket.write(smallJson, 'latin1');
}

function answerModelCall(socket: Socket, target: string, body: string): void {
  if (!/"stream": ?true/.test(body)) {
    socket.write(chatAnswer, 'latin1');
    return;
  }
  const events = body.includes('"include_usage"') ? EVENTS_WITH_USAGE : EVENTS;
  sendEvents(socket, events, Number(EVERY_PARAMETER.exec(target)?.[1] ?? EVERY_MS_DEFAULT));
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
  sendEvents(
    socket,
    Array.from({ length: events }, (_, index) => chunk(`data: ${index}\n\n`)),
    everyMs,
  );
}

/** Each in a packet of its own. */
function sendEvents(socket: Socket, events: readonly string[], everyMs: number): void {
  let sent = 1;
  socket.write(STREAM_HEAD + events[0]!, 'latin1');
  const timer = setInterval(() => {
    if (sent < events.length && !socket.destroyed) {
      socket.write(events[sent]!, 'latin1');
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

function jsonAnswer(json: string, moreFields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${moreFields}Content-Length: ${json.length}\r\n\r\n${json}`;
}
