/** The only user of uWebSockets.js: turns its callbacks into exchanges. */

import type { AppOptions, HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { LimitValues } from '../base/limits.ts';
import type { CertificateFiles, ListenAddress } from '../model/world.ts';
import type { AddressConnections } from './address-connections.ts';
import { addressText } from './address-text.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { type Problem, problem, problemBody, problemFields } from './problem.ts';
import { statusLine } from './status-text.ts';
import { type Handshake, StreamPort } from './uws-stream.ts';
import { tunnelBehaviour } from './uws-tunnel.ts';

/** The module's functions that are used here. Handed over, because it must be loaded after its environment is set. */
export type UwsModule = Pick<
  typeof import('uWebSockets.js'),
  'App' | 'SSLApp' | 'us_listen_socket_close' | 'us_socket_local_port'
>;

/** A certificate to serve, with the names that ask for it. */
export interface ServedCertificate extends CertificateFiles {
  readonly names: readonly string[];
}

export class Server {
  readonly #uws: UwsModule;
  readonly #thread: ExchangeThread;
  readonly #limits: LimitValues;
  readonly #addresses: AddressConnections;
  /** The last one accepts; those before it have connections that were there before its certificates. */
  readonly #fronts: Front[] = [];
  #connections = 0;
  /** Connections that were one too many, by the bound. */
  readonly refused: Record<RefusedBy, number> = { connectionsPerThread: 0, connectionsPerAddress: 0 };
  #retiring: NodeJS.Timeout | undefined = undefined;

  constructor(uws: UwsModule, thread: ExchangeThread, limits: LimitValues, addresses: AddressConnections) {
    this.#uws = uws;
    this.#thread = thread;
    this.#limits = limits;
    this.#addresses = addresses;
  }

  get connections(): number {
    return this.#connections;
  }

  /**
   * The port on success (the system's choice for 0), null when the address can't be had or the certificates can't be used. Called
   * again with other certificates, new connections get those, and the connections of before end with the answer they wait for.
   */
  async listen(
    address: ListenAddress,
    certificates: readonly ServedCertificate[] | null,
  ): Promise<number | null> {
    const front = this.#open(certificates);
    if (front === null) return null;
    const port = await front.listen(address);
    if (port === null) {
      front.close();
      return null;
    }
    const before = this.#fronts.at(-1);
    this.#fronts.push(front);
    if (before !== undefined) this.#retire(before, this.#thread.clock.monotonicMs() + RETIRE_WITHIN_MS);
    return port;
  }

  /**
   * The kernel resets what it has accepted for a socket that closes and what nobody has taken from it yet (unless
   * net.ipv4.tcp_migrate_req says otherwise). So the old socket goes when several looks in a row, each right after it was read,
   * have seen nobody come; until then both certificates are served.
   */
  #retire(front: Front, latestMs: number, quietLooks = 0, acceptedBefore = front.accepted): void {
    const look = (): void => {
      const { accepted } = front;
      const quiet = accepted === acceptedBefore ? quietLooks + 1 : 0;
      if (quiet >= QUIET_LOOKS || this.#thread.clock.monotonicMs() >= latestMs) front.stopAccepting();
      else this.#retire(front, latestMs, quiet, accepted);
    };
    // An immediate runs in the phase after reading.
    this.#retiring = setTimeout(() => setImmediate(look), LOOK_MS);
  }

  /** No new connections; each answer from now on ends its connection. */
  stopAccepting(): void {
    clearTimeout(this.#retiring);
    for (const front of this.#fronts) front.stopAccepting();
  }

  /** Ends every connection. A thread that ended without this would take the process with it. */
  close(): void {
    for (const front of this.#fronts) front.close();
  }

  #open(certificates: readonly ServedCertificate[] | null): Front | null {
    try {
      return new Front(this.#uws, this.#thread, this.#limits, certificates, {
        opened: (connection) => this.#opened(connection),
        ended: () => {
          this.#connections--;
        },
      });
    } catch {
      // uWebSockets.js throws, without a reason, when it can't use the files: the control thread has read them and says why.
      return null;
    }
  }

  /** The bound that the connection goes beyond; null: it is let in. */
  #opened(connection: HttpResponse): RefusedBy | null {
    this.#connections++;
    const bound = this.#boundReached(connection);
    if (bound !== null) this.refused[bound]++;
    return bound;
  }

  #boundReached(connection: HttpResponse): RefusedBy | null {
    if (this.#connections > this.#limits.connectionsPerThread) return 'connectionsPerThread';
    const address = connection.getRemoteAddress();
    // Many clients come by a proxy: its connections are bounded by those of the thread alone.
    if (this.#thread.certificates.trusts(addressText(address))) return null;
    return this.#addresses.isOneTooMany(new Uint8Array(address)) ? 'connectionsPerAddress' : null;
  }
}

type RefusedBy = 'connectionsPerThread' | 'connectionsPerAddress';

/** What a front tells of its connections. */
interface ConnectionCount {
  readonly opened: (connection: HttpResponse) => RefusedBy | null;
  readonly ended: () => void;
}

/** One listen socket with its connections: all that came while one set of certificates was served. */
class Front {
  readonly #uws: UwsModule;
  readonly #thread: ExchangeThread;
  readonly #limits: LimitValues;
  readonly #app: TemplatedApp;
  readonly #count: ConnectionCount;
  readonly #port = new StreamPort();
  /** Connections that came. */
  accepted = 0;
  #listenSocket: us_listen_socket | null = null;
  #fields: string[] = [];

  constructor(
    uws: UwsModule,
    thread: ExchangeThread,
    limits: LimitValues,
    certificates: readonly ServedCertificate[] | null,
    count: ConnectionCount,
  ) {
    this.#uws = uws;
    this.#thread = thread;
    this.#limits = limits;
    const [first, ...further] = certificates ?? [];
    this.#app = first === undefined ? uws.App({}) : uws.SSLApp(optionsOf(first));
    this.#count = count;
    const speaks = first === undefined ? 'plain' : 'tls';
    const counted = (connection: HttpResponse, change: number): void => {
      if (change > 0) this.#opened(connection, speaks);
      else count.ended();
    };
    (this.#app as FilteredApp).filter(counted);
    this.#serve(this.#app);
    for (const certificate of further) {
      // Throws when the files can't be used, which addServerName keeps to itself.
      uws.SSLApp(optionsOf(certificate)).close();
      for (const name of certificate.names) {
        this.#app.addServerName(name, optionsOf(certificate));
        this.#serve(this.#app.domain(name));
      }
    }
  }

  listen(address: ListenAddress): Promise<number | null> {
    return new Promise((resolve) => {
      this.#app.listen(address.address, address.port, (socket) => {
        if (socket === false) return resolve(null);
        this.#listenSocket = socket;
        // A listen socket is a socket to uSockets, though the types keep them apart.
        resolve(this.#uws.us_socket_local_port(socket as never));
      });
    });
  }

  stopAccepting(): void {
    this.#port.closing = true;
    if (this.#listenSocket !== null) this.#uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  close(): void {
    this.stopAccepting();
    this.#app.close();
  }

  #serve(app: TemplatedApp): void {
    app.any('/*', (response, request) => this.#receive(response, request, null));
    // Only GET with a key for a WebSocket comes here, whatever it asks for; all else goes on to the handler above.
    app.ws('/*', {
      // The filter isn't told of the end of a connection that has become a WebSocket.
      ...tunnelBehaviour(this.#limits, this.#count.ended),
      upgrade: (response, request, context) => {
        const isAsked = request.getHeader('upgrade').toLowerCase() === 'websocket';
        const isKnown = request.getHeader('sec-websocket-version') === '13';
        const key = request.getHeader('sec-websocket-key');
        this.#receive(response, request, isAsked && isKnown ? { key, context } : null);
      },
    });
  }

  #opened(connection: HttpResponse, speaks: 'plain' | 'tls'): void {
    this.accepted++;
    const bound = this.#count.opened(connection);
    if (bound === null) return;
    // Before the handshake of TLS nothing can be said.
    if (speaks === 'tls') connection.close();
    else refuse(connection, TOO_MANY[bound]);
  }

  #receive(response: HttpResponse, request: HttpRequest, handshake: Handshake | null): void {
    const fields: string[] = [];
    this.#fields = fields;
    request.forEach(this.#addField);
    const stream = this.#port.open(response, handshake);
    new Exchange(this.#thread, stream).begin({
      // Only this one: getMethod() turns the text in the parser's buffer into lower case, for both.
      method: request.getCaseSensitiveMethod(),
      path: request.getUrl(),
      query: request.getQuery() ?? '',
      fields,
    });
    stream.afterHead();
  }

  readonly #addField = (name: string, value: string): void => {
    this.#fields.push(name, value);
  };
}

/** Answers what the connection would have asked, and ends it. */
function refuse(connection: HttpResponse, refusal: Problem): void {
  connection.cork(() => {
    connection.writeStatus(statusLine(refusal.status));
    for (const line of problemFields(refusal, null).split('\r\n').slice(0, -1)) {
      const colon = line.indexOf(':');
      connection.writeHeader(line.slice(0, colon), line.slice(colon + 2));
    }
    connection.end(problemBody(refusal, '', null), true);
  });
}

const TOO_MANY = {
  connectionsPerThread: { ...problem('too_many_connections'), retryAfterS: 1 },
  connectionsPerAddress: {
    ...problem('too_many_connections', 'Your address has as many connections to the gateway as it may have.'),
    retryAfterS: 1,
  },
} as const satisfies Record<RefusedBy, Problem>;

const LOOK_MS = 20;
const QUIET_LOOKS = 5;
/** However many come: some more may be lost then. */
const RETIRE_WITHIN_MS = 60_000;

/** Its default of TLS 1.2 as the least version stays. */
function optionsOf({ certificateFile, keyFile }: ServedCertificate): AppOptions {
  return { cert_file_name: certificateFile, key_file_name: keyFile };
}

/** Not in the module's types: called with +1 for each connection that opens and -1 for each that ends. */
interface FilteredApp extends TemplatedApp {
  filter(handler: (connection: HttpResponse, change: number) => void): TemplatedApp;
}
