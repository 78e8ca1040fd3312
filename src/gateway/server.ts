/** The only user of uWebSockets.js: turns its callbacks into exchanges. */

import type { AppOptions, HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { LimitValues } from '../base/limits.ts';
import type { CertificateFiles, ListenAddress } from '../model/world.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeThread } from './exchange-thread.ts';
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
  /** The last one accepts; those before it have connections that were there before its certificates. */
  readonly #fronts: Front[] = [];
  #connections = 0;
  /** Connections that were one too many. */
  refused = 0;
  #retiring: NodeJS.Timeout | undefined = undefined;

  constructor(uws: UwsModule, thread: ExchangeThread, limits: LimitValues) {
    this.#uws = uws;
    this.#thread = thread;
    this.#limits = limits;
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
      return new Front(this.#uws, this.#thread, this.#limits, certificates, (connection, change) =>
        this.#count(connection, change),
      );
    } catch {
      // uWebSockets.js throws, without a reason, when it can't use the files: the control thread has read them and says why.
      return null;
    }
  }

  #count(connection: HttpResponse, change: number): void {
    this.#connections += change;
    if (change < 0 || this.#connections <= this.#limits.connectionsPerThread) return;
    this.refused++;
    connection.close();
  }
}

/** One listen socket with its connections: all that came while one set of certificates was served. */
class Front {
  readonly #uws: UwsModule;
  readonly #thread: ExchangeThread;
  readonly #limits: LimitValues;
  readonly #app: TemplatedApp;
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
    onCount: (connection: HttpResponse, change: number) => void,
  ) {
    this.#uws = uws;
    this.#thread = thread;
    this.#limits = limits;
    const [first, ...further] = certificates ?? [];
    this.#app = first === undefined ? uws.App({}) : uws.SSLApp(optionsOf(first));
    const counted = (connection: HttpResponse, change: number): void => {
      if (change > 0) this.accepted++;
      onCount(connection, change);
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
      ...tunnelBehaviour(this.#limits),
      upgrade: (response, request, context) => {
        const isAsked = request.getHeader('upgrade').toLowerCase() === 'websocket';
        const isKnown = request.getHeader('sec-websocket-version') === '13';
        const key = request.getHeader('sec-websocket-key');
        this.#receive(response, request, isAsked && isKnown ? { key, context } : null);
      },
    });
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
