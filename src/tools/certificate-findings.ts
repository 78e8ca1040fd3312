import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { CATALOGUE } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CertificateFiles, Directory, World } from '../model/world.ts';

/** A file's text, or why it can't be read. */
export type FileText = { readonly text: string } | { readonly fault: string };
export type ReadText = (path: string) => FileText;

export interface ReadCertificate extends CertificateFiles {
  /** Names that a client may ask for: those of DNS in subjectAltName (RFC 6125: the common name counts no more). */
  readonly names: readonly string[];
  readonly expiresMs: number;
}

/** What is wrong with a certificate and its key, or will be soon; null for the certificate where it can't be used. */
export function checkCertificate(
  files: CertificateFiles,
  read: ReadText,
  wallMs: number,
): { readonly certificate: ReadCertificate | null; readonly diagnostics: readonly Diagnostic[] } {
  const { certificateFile, keyFile } = files;
  const [certificateText, keyText] = [read(certificateFile), read(keyFile)];
  const unread = [
    ...('fault' in certificateText ? [unreadable(certificateFile, certificateText.fault)] : []),
    ...('fault' in keyText ? [unreadable(keyFile, keyText.fault)] : []),
  ];
  if ('fault' in certificateText || 'fault' in keyText) return { certificate: null, diagnostics: unread };
  const certificate = attempt(() => new X509Certificate(certificateText.text));
  if (certificate === null) return failed(noPem(certificateFile, 'certificate'));
  const key = attempt(() => createPrivateKey(keyText.text));
  if (key === null) return failed(noPem(keyFile, 'private key without passphrase'));
  if (!certificate.checkPrivateKey(key)) return failed(noPair(files));
  const expiresMs = Date.parse(certificate.validTo);
  return {
    certificate: { ...files, names: namesOf(certificate), expiresMs },
    diagnostics: expiryFindings(certificateFile, expiresMs, wallMs),
  };
}

/** What is wrong with a bundle of those who vouch for certificates of clients. */
export function checkAuthorities(file: string, read: ReadText, wallMs: number): readonly Diagnostic[] {
  const bundle = read(file);
  if ('fault' in bundle) return [unreadable(file, bundle.fault)];
  const texts = bundle.text.match(PEM_CERTIFICATE) ?? [];
  const certificates = texts.map((text) => attempt(() => new X509Certificate(text)));
  if (certificates.length === 0 || certificates.includes(null)) return [noPem(file, 'certificate')];
  return (certificates as readonly X509Certificate[]).flatMap((certificate) =>
    authorityFindings(file, certificate, wallMs),
  );
}

function authorityFindings(
  file: string,
  { ca, subject, validTo }: X509Certificate,
  wallMs: number,
): readonly Diagnostic[] {
  if (!ca) {
    const name = subject.replaceAll('\n', ', ');
    const message = `The certificate of ${name} in ${file} is none of an authority: it vouches for nobody.`;
    return [finding('PT3506', message, 'Name the certificate whose key signs those of your clients.')];
  }
  const expiresMs = Date.parse(validTo);
  if (Number.isNaN(expiresMs) || expiresMs > wallMs) return [];
  const day = new Date(expiresMs).toISOString().slice(0, 10);
  const message = `An authority in ${file} expired on ${day}: it vouches for nobody.`;
  return [finding('PT3504', message, 'Name the one that took its place; it counts from the next start on.')];
}

/** What is said of certificates of clients, where no route asks for one. */
export function checkCertificateUse({
  server,
  routes,
  directory,
}: Pick<World, 'server' | 'routes' | 'directory'>): readonly Diagnostic[] {
  if ([...routes.values()].some(({ identify }) => identify.certificates)) return [];
  const unused = [
    ...(server.clientCertificates === null ? [] : ['clientCertificates in portunus.yaml has no effect']),
    ...credentialsUnused(directory),
  ];
  return unused.map((what) =>
    finding(
      'PT3507',
      `No route takes certificates of clients, so ${what}.`,
      'Name the way at a route: identify: [mtls]. Or remove what is of no use.',
    ),
  );
}

/** The first that goes by a certificate stands for all. */
function credentialsUnused({ tenants }: Directory): readonly string[] {
  for (const tenant of tenants.values()) {
    for (const { name, credentials } of tenant.consumers.values()) {
      const found = credentials.find(({ kind }) => kind === 'certificate');
      if (found !== undefined) return [`credentials like ${tenant.name}/${name}/${found.name} let nobody in`];
    }
  }
  return [];
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Long enough to renew it by hand. */
const SOON_MS = 30 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

function expiryFindings(file: string, expiresMs: number, wallMs: number): readonly Diagnostic[] {
  if (Number.isNaN(expiresMs) || expiresMs - wallMs > SOON_MS) return [];
  const day = new Date(expiresMs).toISOString().slice(0, 10);
  if (expiresMs <= wallMs) {
    return [finding('PT3504', `The certificate in ${file} expired on ${day}: clients refuse it.`, RENEW)];
  }
  const days = Math.floor((expiresMs - wallMs) / DAY_MS);
  const left = days === 0 ? 'today or tomorrow' : days === 1 ? 'in one day' : `in ${days} days`;
  return [finding('PT3505', `The certificate in ${file} expires ${left}, on ${day}.`, RENEW)];
}

const RENEW = 'Renew it: a running gateway takes up the new files by itself.';

function namesOf(certificate: X509Certificate): readonly string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'));
  return names.map((name) => name.slice('DNS:'.length).toLowerCase());
}

function unreadable(file: string, fault: string): Diagnostic {
  return finding(
    'PT3501',
    `The file ${file} can't be read: ${fault}.`,
    'Correct the path, or the rights of the file.',
  );
}

function noPem(file: string, what: string): Diagnostic {
  return finding(
    'PT3502',
    `The file ${file} holds no ${what} in PEM.`,
    'PEM begins with "-----BEGIN". Convert the file, or name another.',
  );
}

function noPair({ certificateFile, keyFile }: CertificateFiles): Diagnostic {
  const message = `The key in ${keyFile} does not belong to the certificate in ${certificateFile}.`;
  return finding('PT3503', message, 'Name the key with which the certificate was requested.');
}

function failed(diagnostic: Diagnostic): {
  readonly certificate: null;
  readonly diagnostics: readonly Diagnostic[];
} {
  return { certificate: null, diagnostics: [diagnostic] };
}

function finding(code: DiagnosticCode, message: string, help: string): Diagnostic {
  return { code, severity: CATALOGUE[code].severity, message, span: null, related: [], help };
}

function attempt<Value>(make: () => Value): Value | null {
  try {
    return make();
  } catch {
    // How node:crypto says that it can't read something; the reason names internals of OpenSSL.
    return null;
  }
}
