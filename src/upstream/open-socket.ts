import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import type { Endpoint, UpstreamTls } from '../model/world.ts';

/** Where connections of one endpoint go. */
export interface SocketTarget {
  readonly endpoint: Endpoint;
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
    host: endpoint.host,
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

/**
 * The TLS side of an endpoint.
 * @param certificates PEM of the authorities that replace the system's, or null
 */
export function tlsTarget(
  endpoint: Endpoint,
  settings: UpstreamTls,
  certificates: string | null,
): TlsTarget | null {
  if (endpoint.protocol !== 'https') return null;
  const name = settings.serverName ?? endpoint.host;
  return {
    context: tls.createSecureContext(certificates === null ? {} : { ca: checkedPem(certificates, settings) }),
    serverName: net.isIP(name) === 0 ? name : undefined,
    session: undefined,
  };
}

/** Node takes a bundle without a single certificate silently, and every handshake fails later: say it at once. */
function checkedPem(certificates: string, settings: UpstreamTls): string {
  try {
    new X509Certificate(certificates);
  } catch (cause) {
    throw new Error(`${settings.caFile ?? 'the CA bundle'} holds no readable PEM certificate`, { cause });
  }
  return certificates;
}
