import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

/** One connection to a {@link RawServer}, seen from the server's side. */
export class Peer {
  readonly socket: net.Socket;
  /** All bytes received, as latin1. */
  received = '';
  readonly closed: Promise<void>;
  #consumed = 0;
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
      this.#wake();
    });
    // A peer that is reset or cut off is what these tests are about.
    socket.on('error', () => this.#wake());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** The next whole request, head and body by its framing; null when the client closes instead. */
  async request(): Promise<string | null> {
    for (;;) {
      const end = requestEnd(this.received, this.#consumed);
      if (end > 0) {
        const text = this.received.slice(this.#consumed, end);
        this.#consumed = end;
        return text;
      }
      if (this.#ended) return null;
      await this.#more();
    }
  }

  /** Resolves when the received bytes hold `text`; false when the client closes before. */
  async sees(text: string): Promise<boolean> {
    while (!this.received.includes(text)) {
      if (this.#ended) return false;
      await this.#more();
    }
    return true;
  }

  /** Resolves when the kernel has taken the bytes. */
  async send(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.write(text, 'latin1', () => resolve());
    });
  }

  /** Sends byte after byte, each in its own segment as far as the kernel allows. */
  async sendSlowly(text: string): Promise<void> {
    for (const character of text) {
      await this.send(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A server that sends what a test says, byte for byte, and keeps what it received. */
export class RawServer {
  readonly peers: Peer[] = [];
  readonly #server: net.Server;
  #arrived: (() => void)[] = [];

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /** @param script runs for each connection, told how many came before it */
  static async start(
    script: (peer: Peer, index: number) => void | Promise<void>,
    secure: tls.TlsOptions | null = null,
    port = 0,
    address = '127.0.0.1',
  ): Promise<RawServer> {
    const accept = (socket: net.Socket) => {
      const peer = new Peer(socket);
      server.peers.push(peer);
      for (const arrived of server.#arrived.splice(0)) arrived();
      void script(peer, server.peers.length - 1);
    };
    const listener =
      secure === null ? net.createServer(accept) : tls.createServer(secure, (socket) => accept(socket));
    listener.on('tlsClientError', () => undefined);
    const server = new RawServer(listener);
    listener.listen(port, address);
    await once(listener, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** The connection with this index, when it has come. */
  async peer(index: number): Promise<Peer> {
    while (this.peers.length <= index) {
      await new Promise<void>((resolve) => {
        this.#arrived.push(resolve);
      });
    }
    return this.peers[index]!;
  }

  /** How many requests, or beginnings of one, have come over all connections. */
  get requestsSeen(): number {
    return this.peers.reduce((sum, peer) => sum + (peer.received.match(/ HTTP\/1\.1\r\n/g) ?? []).length, 0);
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const peer of this.peers) peer.socket.destroy();
    await once(this.#server, 'close');
  }
}

/** Index after the request that begins at `start`, or -1 while it is not whole. */
function requestEnd(text: string, start: number): number {
  const headEnd = text.indexOf('\r\n\r\n', start);
  if (headEnd < 0) return -1;
  const head = text.slice(start, headEnd + 2);
  const body = headEnd + 4;
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(head);
  if (length !== null) return text.length >= body + Number(length[1]) ? body + Number(length[1]) : -1;
  if (!head.includes('\r\ntransfer-encoding: chunked\r\n')) return body;
  const last = text.indexOf('0\r\n\r\n', body);
  return last < 0 ? -1 : last + 5;
}
