/**
 * Certificates of clients as a proxy hands them on (RFC 9440): read, dated, and where authorities are named followed up to one of
 * those. That the client has the private key is what the proxy has made sure of.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { isInnerList, type Member, parseItem, parseList } from '../base/structured-fields.ts';
import { certificateNameHash } from '../model/credential-hash.ts';
import type { CertificateVerifier, VerifiedCertificate } from '../pipeline/identity.ts';
import { CERTIFICATE_BYTES_MAX, type Certificate, readCertificate } from './certificate.ts';

/** A certificate by both readers: what OpenSSL refuses is none. */
interface Presented {
  readonly read: Certificate;
  readonly x509: X509Certificate;
}

/** Certificates between a client's and an authority. */
const CHAIN_MAX = 8;
/** Looks at pairs of certificates whose names fit: an authority of another name costs no step, however many a bundle has. */
const STEPS_MAX = 64;
const FIELD_LENGTH_MAX = Math.ceil(CERTIFICATE_BYTES_MAX / 3) * 4 + 2;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** `authorities`: a PEM bundle, or null: then a certificate is known by its fingerprint alone. */
export function createCertificateVerifier(authorities: string | null): CertificateVerifier {
  const trusted = authorities === null ? [] : readAuthorities(authorities);
  return {
    verify(certificate, chain, wallMs) {
      const presented = readField(certificate);
      if (presented === null) return 'malformed';
      const others = chain === '' ? [] : readChain(chain);
      if (others === null) return 'malformed';
      const { read, x509 } = presented;
      const { beginsMs, endsMs } = read;
      if (!isDated(read, wallMs)) return { nameHashes: null, beginsMs, endsMs };
      const fingerprint = certificateNameHash(
        'sha256',
        x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      );
      const path = isForClients(read) ? findPath(presented, others, trusted, wallMs) : null;
      if (path === null) return { nameHashes: [fingerprint], beginsMs, endsMs };
      return vouchedFor(read, fingerprint, path);
    },
  };
}

/** Those of a bundle that can be read. Which can't is told by `check`. */
function readAuthorities(pem: string): readonly Presented[] {
  return (pem.match(PEM) ?? []).flatMap((text) => {
    const x509 = parsed(text);
    const read = x509 === null ? null : readCertificate(x509.raw);
    return x509 === null || read === null ? [] : [{ read, x509 }];
  });
}

function vouchedFor(
  read: Certificate,
  fingerprint: Uint8Array,
  path: readonly Certificate[],
): VerifiedCertificate {
  return {
    nameHashes: [
      fingerprint,
      ...read.uris.map((uri) => certificateNameHash('uri', uri)),
      ...read.dnsNames.map((name) => certificateNameHash('dns', name)),
      ...(read.subjectText === '' ? [] : [certificateNameHash('subject', read.subjectText)]),
    ],
    beginsMs: Math.max(...path.map(({ beginsMs }) => beginsMs)),
    endsMs: Math.min(...path.map(({ endsMs }) => endsMs)),
  };
}

function readField(field: string): Presented | null {
  if (field.length > FIELD_LENGTH_MAX) return null;
  const item = parseItem(field);
  return item === null ? null : readMember(item);
}

function readChain(field: string): readonly Presented[] | null {
  const members = field.length > FIELD_LENGTH_MAX * CHAIN_MAX ? null : parseList(field);
  if (members === null || members.length > CHAIN_MAX) return null;
  const read = members.map(readMember);
  return read.includes(null) ? null : (read as readonly Presented[]);
}

function readMember(member: Member): Presented | null {
  // RFC 9440, 2.1 knows no parameters. With them one certificate would have endless spellings, each of which is read anew.
  if (isInnerList(member) || member.parameters.size > 0 || !(member.value instanceof Uint8Array)) return null;
  const read = readCertificate(member.value);
  const x509 = read === null ? null : parsed(member.value);
  return read === null || x509 === null ? null : { read, x509 };
}

function parsed(certificate: string | Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(certificate);
  } catch {
    // How node:crypto says that it is none.
    return null;
  }
}

function isDated({ beginsMs, endsMs }: Certificate, wallMs: number): boolean {
  return beginsMs <= wallMs && wallMs < endsMs;
}

/** RFC 5280, 4.2.1.12. One that says nothing could be any server's. */
function isForClients({ restricted, extendedKeyUsage }: Certificate): boolean {
  return !restricted && extendedKeyUsage?.includes(CLIENT_AUTHENTICATION) === true;
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';

/** From the client's certificate to an authority; null when none vouches for it. */
function findPath(
  client: Presented,
  chain: readonly Presented[],
  authorities: readonly Presented[],
  wallMs: number,
): readonly Certificate[] | null {
  let steps = 0;
  const search = (path: readonly Presented[]): readonly Presented[] | null => {
    const last = path.at(-1)!;
    const depth = path.length - 1;
    const issues = ({ read }: Presented): boolean =>
      sameBytes(read.subject, last.read.issuer) && ++steps <= STEPS_MAX && mayVouch(read, depth, wallMs);
    for (const authority of authorities) {
      const whole = [...path, authority];
      if (issues(authority) && isSigned(whole)) return whole;
    }
    if (path.length > CHAIN_MAX) return null;
    for (const between of chain) {
      if (path.includes(between) || !issues(between)) continue;
      const found = search([...path, between]);
      if (found !== null) return found;
    }
    return null;
  };
  return authorities.length === 0 ? null : (search([client])?.map(({ read }) => read) ?? null);
}

/** RFC 5280, 4.2.1.3 and 4.2.1.9. `depth`: authorities below this one. */
function mayVouch(read: Certificate, depth: number, wallMs: number): boolean {
  const { authorityDepth, keyUsage, extendedKeyUsage: usages, restricted } = read;
  if (authorityDepth === null || authorityDepth < depth || restricted || !isDated(read, wallMs)) return false;
  if (keyUsage !== null && (keyUsage & SIGNS_CERTIFICATES) === 0) return false;
  return usages === null || usages.includes(CLIENT_AUTHENTICATION) || usages.includes(ANY_USAGE);
}

const SIGNS_CERTIFICATES = 0x04;

/** From the authority down: so no key is used before somebody who is trusted has vouched for it. */
function isSigned(path: readonly Presented[]): boolean {
  for (let at = path.length - 2; at >= 0; at--) {
    const { read, x509 } = path[at]!;
    const key = strongKey(path[at + 1]!.x509);
    if (key === null || !ALGORITHMS.has(read.signatureAlgorithm) || !x509.verify(key)) return false;
  }
  return true;
}

/** RSA and ECDSA with SHA-2; Ed25519, Ed448. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
  '1.3.101.113',
]);

function strongKey(x509: X509Certificate): KeyObject | null {
  const key = publicKeyOf(x509);
  const bits = key?.asymmetricKeyDetails?.modulusLength;
  return bits === undefined || (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX) ? key : null;
}

function publicKeyOf(x509: X509Certificate): KeyObject | null {
  try {
    return x509.publicKey;
  } catch {
    // How node:crypto says that it knows no such keys.
    return null;
  }
}

const RSA_BITS_MIN = 2_048;
/** More takes long to verify. */
const RSA_BITS_MAX = 8_192;

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
