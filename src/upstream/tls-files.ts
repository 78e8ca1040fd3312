import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { UpstreamTls } from '../model/world.ts';

/** The files of a service's TLS settings, read; null where there is none. */
export interface TlsTexts {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

/** Throws with a sentence when a file cannot be read, is not what it should be, or key and certificate are no pair. */
export function readTlsFiles(settings: UpstreamTls, readFile: (path: string) => string): TlsTexts {
  const { caFile, certificateFile, keyFile } = settings;
  const texts: TlsTexts = {
    ca: caFile === null ? null : readFile(caFile),
    certificate: certificateFile === null ? null : readFile(certificateFile),
    key: keyFile === null ? null : readFile(keyFile),
  };
  // Node takes a bundle without a single certificate silently, and every handshake fails later: say it at once.
  if (texts.ca !== null) certificateIn(texts.ca, caFile);
  if (texts.certificate !== null)
    checkPair(certificateIn(texts.certificate, certificateFile), texts, settings);
  return texts;
}

/** Changes with any of the texts; keys can't be read out of it. */
export function tlsDigest({ ca, certificate, key }: TlsTexts): string {
  if (ca === null && certificate === null) return '';
  return createHash('sha256')
    .update(JSON.stringify([ca, certificate, key]))
    .digest('hex');
}

function certificateIn(pem: string, path: string | null): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${path} holds no readable PEM certificate`, { cause });
  }
}

function checkPair(
  certificate: X509Certificate,
  { key }: TlsTexts,
  { certificateFile, keyFile }: UpstreamTls,
): void {
  let isPair = false;
  try {
    isPair = certificate.checkPrivateKey(createPrivateKey(key!));
  } catch (cause) {
    throw new Error(`${keyFile} holds no readable PEM private key`, { cause });
  }
  if (!isPair) throw new Error(`${keyFile} is not the key of the certificate in ${certificateFile}`);
}
