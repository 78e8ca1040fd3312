/** The only user of uWebSockets.js: turns its callbacks into exchanges. */

import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { LimitValues } from '../base/limits.ts';
import type { ListenAddress } from '../model/world.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeThread } from './exchange-thread.ts';
import { StreamPort } from './uws-stream.ts';

/** The module's functions that are used here. Handed over, because it must be loaded after its environment is set. */
export type UwsModule = Pick<
  typeof import('uWebSockets.js'),
  'App' | 'us_listen_socket_close' | 'us_socket_local_port'
>;

export class Server {
  readonly #uws: UwsModule;
  readonly #thread: ExchangeThread;
  readonly #limits: LimitValues;
  readonly #app: TemplatedApp;
  readonly #port = new StreamPort();
  #listenSocket: us_listen_socket | null = null;
  #connections = 0;
  #fields: string[] = [];

  constructor(uws: UwsModule, thread: ExchangeThread, limits: LimitValues) {
    this.#uws = uws;
    this.#thread = thread;
    this.#limits = limits;
    this.#app = uws.App({});
    (this.#app as FilteredApp).filter((connection, change) => this.#count(connection, change));
    this.#app.any('/*', (response, request) => this.#receive(response, request));
  }

  get connections(): number {
    return this.#connections;
  }

  /** The port on success (the system's choice for 0), null when the address can't be had. */
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

  /** No new connections; each answer from now on ends its connection. */
  stopAccepting(): void {
    this.#port.closing = true;
    if (this.#listenSocket !== null) this.#uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = null;
  }

  /** Ends every connection. A thread that ended without this would take the process with it. */
  close(): void {
    this.stopAccepting();
    this.#app.close();
  }

  #count(connection: HttpResponse, change: number): void {
    this.#connections += change;
    if (change > 0 && this.#connections > this.#limits.connectionsPerThread) connection.close();
  }

  #receive(response: HttpResponse, request: HttpRequest): void {
    const fields: string[] = [];
    this.#fields = fields;
    request.forEach(this.#addField);
    const stream = this.#port.open(response);
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

/** Not in the module's types: called with +1 for each connection that opens and -1 for each that ends. */
interface FilteredApp extends TemplatedApp {
  filter(handler: (connection: HttpResponse, change: number) => void): TemplatedApp;
}
