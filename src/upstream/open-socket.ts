import net from 'node:net';
import tls from 'node:tls';
import type { Endpoint, UpstreamTls } from '../model/world.ts';
import type { TlsTexts } from './tls-files.ts';

/** Where connections of one endpoint go. */
export interface SocketTarget {
  readonly endpoint: Endpoint;
  /** Null: what the system finds for the host. */
  readonly address: string | null;
  /** Null for plain TCP. */
  readonly tls: TlsTarget | null;
}

export interface TlsTarget {
  readonly context: tls.SecureContext;
  /** Name for SNI and verification; undefined for an address, which SNI cannot carry (RFC 6066, 3). */
  readonly serverName: string | undefined;
  /** Session of the last handshake, offered to the next (RFC 8446, 2.2). */
  session: Buffer | undefined;
}

/** Bytes the socket takes beyond what the kernel took before `write` asks to wait. */
export const WRITE_BUFFER_BYTES = 65_536;

/** Begins to connect. Every read fills `buffer` from its start and then calls `onBytes`. */
export function openSocket(
  target: SocketTarget,
  buffer: Buffer,
  onBytes: (bytes: number) => boolean,
): net.Socket {
  const { endpoint } = target;
  const options = {
    host: target.address ?? endpoint.host,
    port: endpoint.port,
    noDelay: true,
    highWaterMark: WRITE_BUFFER_BYTES,
    onread: { buffer, callback: onBytes },
  };
  if (target.tls === null) return net.connect(options);
  const secure = target.tls;
  const socket = tls.connect({
    ...options,
    secureContext: secure.context,
    // Said although it is the default, because everything rests on it.
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    ...(secure.serverName === undefined ? {} : { servername: secure.serverName }),
    ...(secure.session === undefined ? {} : { session: secure.session }),
  });
  socket.on('session', (session) => {
    secure.session = session;
  });
  return socket;
}

/** The TLS side of an endpoint. Throws when the files don't fit each other. */
export function tlsTarget(endpoint: Endpoint, settings: UpstreamTls, files: TlsTexts): TlsTarget | null {
  if (endpoint.protocol !== 'https') return null;
  const name = settings.serverName ?? endpoint.host;
  return {
    context: tls.createSecureContext({
      ...(files.ca === null ? {} : { ca: files.ca }),
      ...(files.certificate === null ? {} : { cert: files.certificate, key: files.key! }),
      minVersion: 'TLSv1.2',
    }),
    serverName: net.isIP(name) === 0 ? name : undefined,
    session: undefined,
  };
}
