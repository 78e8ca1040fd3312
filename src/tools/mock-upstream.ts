import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { err, ok, type Result } from '../base/result.ts';

/**
 * A small orders service for the quick start, for trials and for tests. What it answers depends on the request alone.
 *
 * | request                       | answer                                                                   |
 * |-------------------------------|--------------------------------------------------------------------------|
 * | GET /orders, GET /orders/{id} | JSON                                                                     |
 * | GET /reports                  | JSON                                                                     |
 * | GET /status                   | JSON                                                                     |
 * | any /status/{code}            | that status, 200 to 599, without a body                                  |
 * | GET /orders/events            | an event stream: `?events=5&every=1000` is five events, a second between |
 * | everything else               | method, path, query, fields and body length as they came                 |
 */
export async function startMockUpstream(options: MockUpstreamOptions): Promise<Result<MockUpstream, string>> {
  const server = createServer((request, response) => answer(request, response));
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve(err(`The mock upstream can't listen on ${ADDRESS}:${options.port}: ${error.message}.`)),
    );
    server.listen({ host: ADDRESS, port: options.port, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(ok({ url: `http://${ADDRESS}:${port}`, close: () => close(server) }));
    });
  });
}

export interface MockUpstreamOptions {
  /** On 127.0.0.1; 0 lets the system choose. */
  readonly port: number;
}

export interface MockUpstream {
  readonly url: string;
  /** Ends every connection, open streams too. */
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';

const ORDERS = [
  { id: '1001', item: 'brass key', pieces: 2, state: 'shipped' },
  { id: '1002', item: 'padlock', pieces: 1, state: 'packed' },
  { id: '1003', item: 'gate hinge', pieces: 4, state: 'new' },
] as const;
const REPORT = { month: '2026-11', orders: ORDERS.length, pieces: 7 } as const;

/** Fields that carry a caller's key: a gateway does not send them on, and if it did, nobody should see them here. */
const KEY_FIELDS = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
]);

interface Target {
  readonly path: string;
  /** Without '?'. */
  readonly query: string;
}
type Answer = (response: ServerResponse, target: Target) => void;

const FIXED_PATHS: Readonly<Record<string, Answer>> = {
  'GET /orders': (response) => sendJson(response, 200, { orders: ORDERS }),
  'GET /orders/events': (response, { query }) => streamEvents(response, new URLSearchParams(query)),
  'GET /reports': (response) => sendJson(response, 200, REPORT),
  'GET /status': (response) => sendJson(response, 200, { service: 'orders', status: 'ok' }),
};

const PATTERNS: readonly {
  readonly pattern: RegExp;
  readonly answer: (response: ServerResponse, part: string) => void;
}[] = [
  { pattern: /^GET \/orders\/([^/]+)$/, answer: sendOrder },
  {
    pattern: /^[A-Z]+ \/status\/([2-5]\d\d)$/,
    answer: (response, code) => response.writeHead(Number(code)).end(),
  },
];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const target = targetOf(request.url ?? '/');
  const name = `${request.method} ${target.path}`;
  const fixed = Object.hasOwn(FIXED_PATHS, name) ? FIXED_PATHS[name] : undefined;
  if (fixed !== undefined) {
    fixed(response, target);
    return;
  }
  for (const each of PATTERNS) {
    const part = each.pattern.exec(name)?.[1];
    if (part !== undefined) {
      each.answer(response, part);
      return;
    }
  }
  echo(request, response, target);
}

/** Cut, not parsed: what arrived is shown as it arrived, and no target is malformed. */
function targetOf(target: string): Target {
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function sendOrder(response: ServerResponse, id: string): void {
  const order = ORDERS.find((each) => each.id === id);
  if (order === undefined) sendJson(response, 404, { error: 'no such order', id });
  else sendJson(response, 200, order);
}

function echo(request: IncomingMessage, response: ServerResponse, { path, query }: Target): void {
  let bodyBytes = 0;
  request.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length;
  });
  request.on('end', () => {
    const { method } = request;
    const fields = Object.fromEntries(
      Object.entries(request.headersDistinct).filter(([name]) => !KEY_FIELDS.has(name)),
    );
    sendJson(response, 200, { method, path, query, fields, bodyBytes });
  });
}

const EVENTS = { parameter: 'events', default: 5, max: 1_000 } as const;
const EVERY_MS = { parameter: 'every', default: 1_000, max: 60_000 } as const;

function streamEvents(response: ServerResponse, parameters: URLSearchParams): void {
  const events = amount(parameters, EVENTS);
  const everyMs = amount(parameters, EVERY_MS);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let timer: NodeJS.Timeout | undefined;
  response.on('close', () => clearTimeout(timer));
  const send = (number: number): void => {
    if (number > events) {
      response.end();
      return;
    }
    const order = ORDERS[(number - 1) % ORDERS.length]!;
    response.write(`id: ${number}\nevent: order\ndata: ${JSON.stringify({ number, order: order.id })}\n\n`);
    timer = setTimeout(send, number === events ? 0 : everyMs, number + 1);
  };
  send(1);
}

interface AmountParameter {
  readonly parameter: string;
  readonly default: number;
  readonly max: number;
}

/** What is no whole number counts as the default, what is too much as the most. */
function amount(parameters: URLSearchParams, { parameter, default: usual, max }: AmountParameter): number {
  const text = parameters.get(parameter);
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), max) : usual;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
