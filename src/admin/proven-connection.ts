import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { ServerProof } from './access-file.ts';

/** How the access file names a certificate: SHA-256 of its DER, in hexadecimal. */
export function fingerprintOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex');
}

/**
 * A TLS connection on which nothing was sent yet, to a server that has shown that it is the one meant. Rejects with an error whose
 * message completes "could not be asked: …".
 */
export function openProven(
  { host, port }: { readonly host: string; readonly port: number },
  proof: ServerProof,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      minVersion: 'TLSv1.2',
      // RFC 6066, 3: an address is no server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(proof.kind === 'pinned'
        ? // The certificate itself is compared below, which says more than any authority.
          { rejectUnauthorized: false }
        : proof.authorities === null
          ? {}
          : { ca: proof.authorities }),
    });
    const stop = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', stop);
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', stop);
      reject(proof.kind === 'verified' && isDoubt(error) ? new Error(`${error.message}; ${NAME_IT}`) : error);
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', stop);
      socket.off('error', fail);
      if (proof.kind === 'verified' || isPinned(socket, proof.fingerprints)) return resolve(socket);
      socket.destroy();
      reject(new Error('it shows another certificate than the gateway of this data folder'));
    });
  });
}

function isPinned(socket: TLSSocket, fingerprints: readonly string[]): boolean {
  const shown = socket.getPeerX509Certificate();
  return shown !== undefined && fingerprints.includes(fingerprintOf(shown.raw));
}

const NAME_IT = 'name its authority with --ca FILE, and a host that its certificate is for';

/** OpenSSL's verdicts (X509_V_ERR_*), and Node's own about the name. */
function isDoubt({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|ISSUER|SIGNATURE|CRL|PATH_LENGTH|INVALID_CA|INVALID_PURPOSE|HOSTNAME/.test(code);
}
