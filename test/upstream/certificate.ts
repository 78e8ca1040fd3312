import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate with its key, PEM. Made anew in each run: no key is ever committed. */
export interface Certificate {
  readonly der: Buffer;
  readonly certificate: string;
  readonly key: string;
  readonly name: string;
  readonly keyObject: KeyObject;
}

export interface Subject {
  readonly name: string;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly uris?: readonly string[];
  /** Years from and to, on 1 January. */
  readonly years?: readonly [from: number, to: number];
  /** Of one that another authority has signed: it may sign others, so many levels down; -1 for any number. */
  readonly authority?: number;
  /** clientAuth, serverAuth … as the last number of 1.3.6.1.5.5.7.3. */
  readonly usages?: readonly number[];
  /** The first byte of keyUsage. */
  readonly keyUsage?: number;
  /** Further extensions in DER. */
  readonly further?: readonly Buffer[];
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** How the issuer signs it; ECDSA with SHA-256 where nothing is said. */
  readonly signing?: Signing;
}

export interface Signing {
  /** AlgorithmIdentifier in DER. */
  readonly identifier: Buffer;
  /** Null for algorithms that have their own. */
  readonly hash: string | null;
}

export const CLIENT_AUTHENTICATION = 2;
export const SERVER_AUTHENTICATION = 1;

/** Makes an X.509 certificate (RFC 5280), signed by `issuer`, or by itself as an authority when there is none. */
export function makeCertificate(subject: Subject, issuer: Certificate | null = null): Certificate {
  const { publicKey, privateKey } = subject.keys ?? generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { identifier, hash } = subject.signing ?? { identifier: ECDSA_SHA256, hash: 'sha256' };
  const [from, to] = subject.years ?? [2020, 2049];
  const toBeSigned = sequence(
    tagged(0xa0, integer(2)),
    integer(++serial),
    identifier,
    distinguishedName(issuer?.name ?? subject.name),
    sequence(january(from), january(to)),
    distinguishedName(subject.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(subject, issuer))),
  );
  const signature = sign(hash, toBeSigned, issuer?.keyObject ?? privateKey);
  const der = sequence(toBeSigned, identifier, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  // An empty line ends what OpenSSL reads, so there must be none behind a last line that is full.
  const lines = der.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
  return {
    der,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name: subject.name,
    keyObject: privateKey,
  };
}

let serial = 1_000;

function extensions(subject: Subject, issuer: Certificate | null): Buffer[] {
  const { authority = issuer === null ? -1 : null, usages, keyUsage, further = [] } = subject;
  const yes = tagged(0x01, Buffer.of(0xff));
  const constraints = authority === null ? [] : authority === -1 ? [yes] : [yes, integer(authority)];
  const basic = extension(objectId(0x55, 0x1d, 0x13), sequence(...constraints), 'critical');
  const names = [
    ...(subject.dnsNames ?? []).map((name) => tagged(0x82, Buffer.from(name))),
    ...(subject.uris ?? []).map((uri) => tagged(0x86, Buffer.from(uri))),
    ...(subject.addresses ?? []).map((address) => tagged(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  return [
    basic,
    ...(names.length === 0 ? [] : [extension(objectId(0x55, 0x1d, 0x11), sequence(...names), 'plain')]),
    ...(keyUsage === undefined
      ? []
      : [extension(objectId(0x55, 0x1d, 0x0f), tagged(0x03, Buffer.of(0, keyUsage)), 'critical')]),
    ...(usages === undefined
      ? []
      : [
          extension(
            objectId(0x55, 0x1d, 0x25),
            sequence(...usages.map((usage) => objectId(0x2b, 6, 1, 5, 5, 7, 3, usage))),
            'plain',
          ),
        ]),
    ...further,
  ];
}

export function extension(id: Buffer, value: Buffer, weight: 'critical' | 'plain'): Buffer {
  const critical = weight === 'critical' ? [tagged(0x01, Buffer.of(0xff))] : [];
  return sequence(id, ...critical, tagged(0x04, value));
}

// -- DER (ITU-T X.690) -----------------------------------------------------------------------------------------

export function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function integer(value: number): Buffer {
  return tagged(0x02, value < 128 ? Buffer.of(value) : Buffer.of(value >> 8, value & 0xff));
}

export function objectId(...bytes: number[]): Buffer {
  return tagged(0x06, Buffer.of(...bytes));
}

/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 */
const ECDSA_SHA256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

function distinguishedName(commonName: string): Buffer {
  const attribute = sequence(objectId(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(commonName)));
  return sequence(tagged(0x31, attribute));
}

function january(year: number): Buffer {
  return tagged(0x17, Buffer.from(`${String(year).slice(2)}0101000000Z`));
}
