import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LimitValues } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ListenAddress } from '../model/world.ts';
import { createAdminHandler, type HandlerOptions } from './handler.ts';

export interface AdminServerOptions extends HandlerOptions {
  readonly listen: ListenAddress;
  readonly limits: HandlerOptions['limits'] &
    Pick<LimitValues, 'adminHeaderBytes' | 'adminRequestMs' | 'adminStalledMs' | 'adminConnections'>;
}

export interface AdminServer {
  /** Where it listens: with the port that the system chose when port 0 was asked for. */
  readonly listen: ListenAddress;
  /** Answers what is in flight, for at most two seconds, and closes every connection. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5_000;
const CLOSE_MS = 2_000;
const TIMEOUT_CHECK_MS = 1_000;

/** Opens the admin API. The error is one sentence: which address, and what the system said. */
export function createAdminServer(options: AdminServerOptions): Promise<Result<AdminServer, string>> {
  const { listen, limits } = options;
  const server = createServer({
    maxHeaderSize: limits.adminHeaderBytes,
    headersTimeout: limits.adminRequestMs,
    requestTimeout: limits.adminRequestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  });
  server.maxConnections = limits.adminConnections;
  // A reader that stalls would keep its connection for good.
  server.timeout = limits.adminStalledMs;
  const handle = createAdminHandler(options);
  server.on('request', (request, response) => {
    // Work that takes longer, a load or a roll-back, is no stalled reader: nothing is sent yet.
    response.on('timeout', (socket) => {
      if (response.headersSent) socket.destroy();
    });
    void handle(request, response);
  });
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve(err(`The admin API can't listen on ${listen.address}:${listen.port}: ${error.message}.`)),
    );
    server.listen({ host: listen.address, port: listen.port, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(ok({ listen: { address: listen.address, port }, close: () => close(server) }));
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
