import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerQuestions } from '../conversation.ts';
import {
  COUNTED_ROUTES,
  type CountedRoute,
  machineMs,
  SENT_HEADER,
  WINDOW_ROUTE,
} from '../crash/counters.ts';
import type { Account } from '../crash/upstream.ts';
import { WindowPeak } from '../crash/window-peak.ts';
import { seeded } from '../seeded.ts';
import { fieldPattern, HttpFramingError, HttpReader } from './http-reader.ts';

/**
 * The service of the `crash` bench. It charges for a request when it has read it, whatever becomes of the answer: `told` and
 * `held` say the price in `x-cost`, `told` some milliseconds later, `held` at once, as the head of a stream that stays open.
 */
const random = seeded(Number(process.argv[2]));
const received = new Map<string, { requests: number; nano: number }>();
const windows = new Map<string, WindowPeak>();
const SENT_FIELD = fieldPattern(SENT_HEADER);
const open = new Set<Socket>();
/** Ends of streams that are due while they are held open, or null: they are not. */
let heldEnds: (() => void)[] | null = null;
let whenNoneIsOpen: (() => void)[] = [];

const server = createServer({ noDelay: true }, (socket) => {
  open.add(socket);
  let target = '';
  let sentMs = Number.NaN;
  const reader = new HttpReader({
    head: (startLine, fields) => {
      target = startLine.split(' ')[1] ?? '';
      sentMs = Number(SENT_FIELD.exec(fields)?.[1]);
    },
    body: () => {},
    end: () => answer(socket, target, sentMs),
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
  socket.on('close', () => {
    open.delete(socket);
    if (open.size > 0) return;
    const told = whenNoneIsOpen;
    whenNoneIsOpen = [];
    for (const tell of told) tell();
  });
});

answerQuestions({
  listen: async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
    return (server.address() as AddressInfo).port;
  },
  account: async (): Promise<Account> => {
    if (open.size > 0) await new Promise<void>((resolve) => whenNoneIsOpen.push(resolve));
    const peaks = Array.from(windows.values(), ({ peak }) => peak);
    return { paths: Object.fromEntries(received), windowPeak: Math.max(0, ...peaks) };
  },
  holdStreams: () => {
    heldEnds ??= [];
    return null;
  },
  endStreams: () => {
    const ends = heldEnds ?? [];
    heldEnds = null;
    for (const end of ends) end();
    return null;
  },
});

function answer(socket: Socket, target: string, sentMs: number): void {
  const route = COUNTED_ROUTES.find(({ name }) => target.startsWith(`/${name}/`));
  const nano = route === undefined ? 0 : priceOf(route);
  charge(target, nano);
  if (target.startsWith(`/${WINDOW_ROUTE.name}/`))
    noteInWindow(target.slice(target.lastIndexOf('/') + 1), sentMs);
  const cost = `X-Cost: ${(nano / 1_000_000_000).toFixed(9)}\r\n`;
  if (route?.name === 'told') later(socket, 1 + random() * 8, `${HEAD}${cost}Content-Length: 2\r\n\r\n{}`);
  else if (route?.name === 'held') hold(socket, cost);
  else socket.write(`${HEAD}Content-Length: 2\r\n\r\n{}`, 'latin1');
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

/** Of one that tells its price it is anything up to what the route says at most. */
function priceOf(route: CountedRoute): number {
  if (route.counts === 'requests') return 0;
  if (route.name === 'flat') return route.atMost;
  return Math.ceil(route.atMost * (0.2 + 0.8 * random()));
}

function charge(target: string, nano: number): void {
  const on = received.get(target) ?? { requests: 0, nano: 0 };
  on.requests += 1;
  on.nano += nano;
  received.set(target, on);
}

function noteInWindow(consumer: string, sentMs: number): void {
  const window = windows.get(consumer) ?? new WindowPeak(WINDOW_ROUTE.windowMs);
  windows.set(consumer, window);
  window.came(sentMs, machineMs());
}

function hold(socket: Socket, cost: string): void {
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${cost}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 0\n\n\r\n`,
  );
  const end = (): void => send(socket, '9\r\ndata: 1\n\n\r\n0\r\n\r\n');
  setTimeout(() => (heldEnds === null ? end() : void heldEnds.push(end)), 20 + random() * 200);
}

function later(socket: Socket, afterMs: number, text: string): void {
  setTimeout(() => send(socket, text), afterMs);
}

function send(socket: Socket, text: string): void {
  if (!socket.destroyed) socket.write(text, 'latin1');
}
