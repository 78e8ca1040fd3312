import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { LimitValues } from '../base/limits.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ListenAddress } from '../model/world.ts';
import { createAdminHandler, type HandlerOptions } from './handler.ts';

/** PEM texts of a certificate (with its chain) and its key, and the DNS names that it has. */
export interface AdminCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly names: readonly string[];
}

export interface AdminServerOptions extends Omit<HandlerOptions, 'hostNames'> {
  readonly listen: ListenAddress;
  /** Null: without TLS. */
  readonly certificate: AdminCertificate | null;
  readonly limits: HandlerOptions['limits'] &
    Pick<LimitValues, 'adminHeaderBytes' | 'adminRequestMs' | 'adminStalledMs' | 'adminConnections'>;
}

export interface AdminServer {
  /** Where it listens: with the port that the system chose when port 0 was asked for. */
  readonly listen: ListenAddress;
  /** Shows another certificate to connections from now on; those that there are go on. The error is one sentence. */
  serveCertificate(certificate: AdminCertificate): Result<void, string>;
  /** Open connections at present, and those that were one too many since the start. */
  connections(): { readonly open: number; readonly refused: number };
  /** Answers what is in flight, for at most two seconds, and closes every connection. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5_000;
const CLOSE_MS = 2_000;
const TIMEOUT_CHECK_MS = 1_000;

/** Opens the admin API. The error is one sentence: which address, and what the system said. */
export function createAdminServer(options: AdminServerOptions): Promise<Result<AdminServer, string>> {
  const { listen, limits, certificate } = options;
  let names = certificate?.names ?? [];
  const http = {
    maxHeaderSize: limits.adminHeaderBytes,
    headersTimeout: limits.adminRequestMs,
    requestTimeout: limits.adminRequestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
  const secure =
    certificate === null
      ? null
      : createTlsServer({ ...http, ...pemOf(certificate), handshakeTimeout: limits.adminRequestMs });
  const server: Server | TlsServer = secure ?? createServer(http);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.maxConnections = limits.adminConnections;
  let refused = 0;
  server.on('drop', () => refused++);
  // A reader that stalls would keep its connection for good.
  server.timeout = limits.adminStalledMs;
  const handle = createAdminHandler({ ...options, hostNames: () => names });
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
      resolve(
        ok({
          listen: { address: listen.address, port },
          serveCertificate: (next) => {
            try {
              secure?.setSecureContext(pemOf(next));
            } catch (error) {
              return err(`The admin API can't serve the certificate: ${(error as Error).message}.`);
            }
            names = next.names;
            return ok(undefined);
          },
          connections: () => ({ open: sockets.size, refused }),
          close: () => close(server, sockets),
        }),
      );
    });
  });
}

function pemOf({ certificate, key }: AdminCertificate) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      // Those in the middle of a handshake are no connections of HTTP yet.
      for (const socket of sockets) socket.destroy();
    }, CLOSE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
