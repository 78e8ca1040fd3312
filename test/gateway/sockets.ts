/** Raw sockets on both sides of the gateway: what goes over the wire is written and read as it is. */
import { EventEmitter, once } from 'node:events';
import net from 'node:net';

/** A client that writes bytes and collects what comes back. */
export class RawClient {
  readonly socket: net.Socket;
  received = '';
  closed = false;
  readonly #events = new EventEmitter();

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
      this.#events.emit('change');
    });
    // A reset counts as the end of the connection: what had been read is kept.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#events.emit('change');
    });
  }

  /** `from`: an address of this machine, for a gateway that tells its peers apart. */
  static async connect(port: number, from = '127.0.0.1'): Promise<RawClient> {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: from });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  write(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** Resolves with all that was received, once it holds `text`; rejects when the connection ends before. */
  async until(text: string | ((received: string) => boolean)): Promise<string> {
    const holds = typeof text === 'string' ? (received: string) => received.includes(text) : text;
    while (!holds(this.received)) {
      if (this.closed) throw new Error(`the connection ended after ${JSON.stringify(this.received)}`);
      await once(this.#events, 'change');
    }
    return this.received;
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await once(this.#events, 'change');
    return this.received;
  }

  /** One complete answer with a Content-Length. */
  async answer(): Promise<Answer> {
    const text = await this.until((received) => parseAnswer(received) !== null);
    return parseAnswer(text)!;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export interface Answer {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
  /** What came behind it. */
  readonly rest: string;
}

export function parseAnswer(text: string): Answer | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [line, ...lines] = text.slice(0, end).split('\r\n');
  const fields = new Map<string, string>();
  for (const each of lines)
    fields.set(each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 2));
  const length = Number(fields.get('content-length') ?? '0');
  const from = end + 4;
  if (text.length < from + length) return null;
  return {
    status: Number(line!.split(' ')[1]),
    fields,
    body: text.slice(from, from + length),
    rest: text.slice(from + length),
  };
}

/** An upstream of which each connection is handed to the test as it is. */
export interface RawServer {
  readonly port: number;
  readonly requests: string[];
  /** Resolves when so many requests (heads) have come in all. */
  arrived(count: number): Promise<void>;
  close(): void;
}

/** Answers each request head with what `respond` writes; bodies stay in `requests` with their heads. */
export async function rawServer(
  respond: (socket: net.Socket, request: string, number: number) => void,
): Promise<RawServer> {
  const requests: string[] = [];
  const events = new EventEmitter();
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let size = requestSize(text); size > 0; size = requestSize(text)) {
        requests.push(text.slice(0, size));
        text = text.slice(size);
        respond(socket, requests.at(-1)!, requests.length);
        events.emit('request');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    requests,
    async arrived(count) {
      while (requests.length < count) await once(events, 'request');
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Bytes of the first complete request in `text`, 0 when there is none. */
function requestSize(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return 0;
  const head = text.slice(0, end).toLowerCase();
  if (/\r\ntransfer-encoding: chunked/.test(head)) {
    const last = text.indexOf('0\r\n\r\n', end + 4);
    return last === -1 ? 0 : last + 5;
  }
  const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? '0');
  return text.length >= end + 4 + length ? end + 4 + length : 0;
}

/** A plain 200 with this body. */
export function ok(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
