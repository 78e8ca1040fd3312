import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Certificate,
  CLIENT_AUTHENTICATION,
  extension,
  makeCertificate,
  objectId,
  SERVER_AUTHENTICATION,
  type Signing,
  type Subject,
  sequence,
  tagged,
} from '../../test/upstream/certificate.ts';
import { certificateNameHash } from '../model/credential-hash.ts';
import { readCertificate } from './certificate.ts';
import { createCertificateVerifier } from './client-certificates.ts';

const NOW_MS = Date.UTC(2026, 10, 30);

function field({ der }: Pick<Certificate, 'der'>): string {
  return `:${der.toString('base64')}:`;
}

function chainOf(...certificates: readonly Certificate[]): string {
  return certificates.map(field).join(', ');
}

/** What the certificate is known by, of these names. */
function knownBy(
  authorities: readonly Certificate[],
  client: Pick<Certificate, 'der'>,
  { chain = '', nowMs = NOW_MS }: { readonly chain?: string; readonly nowMs?: number } = {},
): readonly string[] | string {
  const pem = authorities.map(({ certificate }) => certificate).join('');
  const verified = createCertificateVerifier(authorities.length === 0 ? null : pem).verify(
    field(client),
    chain,
    nowMs,
  );
  if (typeof verified === 'string') return verified;
  if (verified.nameHashes === null) return 'outdated';
  const has = (hash: Uint8Array): boolean =>
    verified.nameHashes.some((each) => Buffer.compare(each, hash) === 0);
  return [
    ...(verified.nameHashes.length > 0 ? ['a fingerprint'] : []),
    ...(has(certificateNameHash('uri', URI)) ? [URI] : []),
    ...(has(certificateNameHash('dns', 'web.acme.example')) ? ['web.acme.example'] : []),
    ...(has(certificateNameHash('subject', 'CN=web')) ? ['CN=web'] : []),
  ];
}

const URI = 'spiffe://acme/web';
const CLIENT: Subject = {
  name: 'web',
  uris: [URI],
  dnsNames: ['Web.acme.example'],
  usages: [CLIENT_AUTHENTICATION],
};
const ALL = ['a fingerprint', URI, 'web.acme.example', 'CN=web'];
const FINGERPRINT = ['a fingerprint'];
const ROOT = makeCertificate({ name: 'root' });

describe('the examples of RFC 9440', () => {
  const [client, between, root] = [
    'MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=',
    'MIIB5jCCAYugAwIBAgIBFjAKBggqhkjOPQQDAjBWMQswCQYDVQQGEwJVUzEbMBkGA1UECgwSTGV0J3MgQXV0aGVudGljYXRlMSowKAYDVQQDDCFMZXQncyBBdXRoZW50aWNhdGUgUm9vdCBBdXRob3JpdHkwHhcNMjAwMTE0MjEzMjMwWhcNMzAwMTExMjEzMjMwWjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJf+aA54RC5pyLAR5yfXVYmNpgd+CGUTDp2KOGhc0gK91zxhHesEYkdXkpS2UN8Kati+yHtWCV3kkhCngGyv7RqjZjBkMB0GA1UdDgQWBBRm3WjLa38lbEYCuiCPct0ZaSED2DAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNJADBGAiEA5pLvaFwRRkxomIAtDIwg9D7gC1xzxBl4r28EzmSO1pcCIQCJUShpSXO9HDIQMUgH69fNDEMHXD3RRX5gP7kuu2KGMg==',
    'MIICBjCCAaygAwIBAgIJAKS0yiqKtlhoMAoGCCqGSM49BAMCMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTAeFw0yMDAxMTQyMTI1NDVaFw00MDAxMDkyMTI1NDVaMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFoaHU+Z5bPKmGzlYXtCf+E6HYj62fORaHDOrt+yyh3H/rTcs7ynFfGn+gyFsrSP3Ez88rajv+U2NfD0o0uZ4PmjYzBhMB0GA1UdDgQWBBTEA2Q6eecKu9g9yb5glbkhhVINGDAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNIADBFAiEAmAeg1ycKHriqHnaD4M/UDBpQRpkmdcRFYGMg1Qyrkx4CIB4ivz3wQcQkGhcsUZ1SOImd/lq1Q0FLf09rGfLQPWDc',
  ] as const;
  const pem = `-----BEGIN CERTIFICATE-----\n${root}\n-----END CERTIFICATE-----\n`;
  const during = Date.UTC(2020, 5, 1);

  it('are followed from the client to the root', () => {
    const verified = createCertificateVerifier(pem).verify(`:${client}:`, `:${between}:, :${root}:`, during);
    expect(verified).toMatchObject({
      nameHashes: [expect.anything(), certificateNameHash('subject', 'CN=BC')],
      beginsMs: Date.parse('2020-01-14T22:55:33Z'),
      endsMs: Date.parse('2021-01-23T22:55:34Z'),
    });
  });

  it('end when they end', () => {
    expect(createCertificateVerifier(pem).verify(`:${client}:`, '', NOW_MS)).toEqual({
      nameHashes: null,
      beginsMs: Date.parse('2020-01-14T22:55:33Z'),
      endsMs: Date.parse('2021-01-23T22:55:34Z'),
    });
  });

  it('are known by their fingerprint where the chain is missing', () => {
    const verified = createCertificateVerifier(pem).verify(`:${client}:`, '', during);
    expect(verified).toMatchObject({ nameHashes: [expect.anything()] });
  });
});

describe('whom an authority vouches for', () => {
  it('is known by all names', () => {
    expect(knownBy([ROOT], makeCertificate(CLIENT, ROOT))).toEqual(ALL);
  });

  it('by way of others, in any order', () => {
    const upper = makeCertificate({ name: 'upper', authority: 1 }, ROOT);
    const lower = makeCertificate({ name: 'lower', authority: 0, keyUsage: 0x06 }, upper);
    const client = makeCertificate(CLIENT, lower);
    for (const chain of [chainOf(lower, upper), chainOf(ROOT, upper, lower)])
      expect(knownBy([ROOT], client, { chain })).toEqual(ALL);
    expect(knownBy([ROOT], client, { chain: chainOf(lower) })).toEqual(FINGERPRINT);
  });

  it('ends with the first of those that vouch', () => {
    const between = makeCertificate({ name: 'between', authority: -1, years: [2022, 2028] }, ROOT);
    const verifier = createCertificateVerifier(ROOT.certificate);
    const client = makeCertificate(CLIENT, between);
    expect(verifier.verify(field(client), field(between), NOW_MS)).toMatchObject({
      beginsMs: Date.UTC(2022, 0, 1),
      endsMs: Date.UTC(2028, 0, 1) + 1_000,
    });
  });
});

describe('whom nobody vouches for is known by the fingerprint alone', () => {
  const other = makeCertificate({ name: 'root' });
  const unknownExtension = (weight: 'critical' | 'plain') =>
    extension(objectId(0x2a, 0x03, 0x04), tagged(0x05, Buffer.alloc(0)), weight);
  const below = (subject: Partial<Subject>) => {
    const between = makeCertificate({ name: 'between', authority: -1, ...subject }, ROOT);
    return knownBy([ROOT], makeCertificate(CLIENT, between), { chain: field(between) });
  };

  it.each<[string, () => readonly string[] | string]>([
    ['without authorities', () => knownBy([], makeCertificate(CLIENT, ROOT))],
    ['signed by itself', () => knownBy([ROOT], makeCertificate({ ...CLIENT, authority: -1 }))],
    ['by another authority of the same name', () => knownBy([ROOT], makeCertificate(CLIENT, other))],
    [
      'for servers',
      () => knownBy([ROOT], makeCertificate({ ...CLIENT, usages: [SERVER_AUTHENTICATION] }, ROOT)),
    ],
    ['for nothing that is said', () => knownBy([ROOT], makeCertificate({ name: 'web', uris: [URI] }, ROOT))],
    [
      'with an extension that must be understood',
      () => knownBy([ROOT], makeCertificate({ ...CLIENT, further: [unknownExtension('critical')] }, ROOT)),
    ],
    [
      'below one that is no authority',
      () => {
        const web = makeCertificate({ name: 'shop', usages: [CLIENT_AUTHENTICATION] }, ROOT);
        return knownBy([ROOT], makeCertificate(CLIENT, web), { chain: field(web) });
      },
    ],
    ['below one that has ended', () => below({ years: [2020, 2025] })],
    ['below one that may not sign', () => below({ keyUsage: 0x80 })],
    ['below one for servers', () => below({ usages: [SERVER_AUTHENTICATION] })],
    [
      'below one that may vouch for some names only',
      () => below({ further: [extension(objectId(0x55, 0x1d, 0x1e), sequence(), 'plain')] }),
    ],
    [
      'too many levels down',
      () => {
        const upper = makeCertificate({ name: 'upper', authority: 0 }, ROOT);
        const lower = makeCertificate({ name: 'lower', authority: -1 }, upper);
        return knownBy([ROOT], makeCertificate(CLIENT, lower), { chain: chainOf(lower, upper) });
      },
    ],
  ])('%s', (_why, known) => {
    expect(known()).toEqual(FINGERPRINT);
  });

  it('an extension that need not be understood changes nothing', () => {
    const client = makeCertificate({ ...CLIENT, further: [unknownExtension('plain')] }, ROOT);
    expect(knownBy([ROOT], client)).toEqual(ALL);
  });

  it('one that was changed after it was signed', () => {
    const { der } = makeCertificate(CLIENT, ROOT);
    const at = der.indexOf('spiffe://acme/web');
    const forged = Buffer.from(der);
    forged.write('spiffe://acme/wex', at);
    expect(knownBy([ROOT], { der: forged })).toEqual(FINGERPRINT);
  });

  it('a chain whose names lead round and round ends', () => {
    const [a, b] = [makeCertificate({ name: 'a' }), makeCertificate({ name: 'b' })];
    const ab = makeCertificate({ name: 'a', authority: -1 }, b);
    const ba = makeCertificate({ name: 'b', authority: -1 }, a);
    const chain = chainOf(ab, ba, ab, ba, ab, ba, ab, ba);
    expect(knownBy([ROOT], makeCertificate(CLIENT, ab), { chain })).toEqual(FINGERPRINT);
  });
});

type Keys = NonNullable<Subject['keys']>;

function rsaSigning(last: number, hash: string): Signing {
  const id = objectId(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last);
  return { identifier: sequence(id, tagged(0x05, Buffer.alloc(0))), hash };
}

function ecSigning(last: readonly number[], hash: string): Signing {
  return { identifier: sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, ...last)), hash };
}

function edSigning(last: 0x70 | 0x71): Signing {
  return { identifier: sequence(objectId(0x2b, 0x65, last)), hash: null };
}

function rsaKeys(bits: number): Keys {
  return generateKeyPairSync('rsa', { modulusLength: bits });
}

/** What a client is known by whose certificate is good to OpenSSL, signed so with these keys. */
function signedWith(keys: Keys, signing: Signing): readonly string[] | string {
  const authority = makeCertificate({ name: 'signer', keys, signing });
  const client = makeCertificate({ ...CLIENT, signing }, authority);
  expect(new X509Certificate(client.der).verify(keys.publicKey)).toBe(true);
  return knownBy([authority], client);
}

describe('how an authority signs', () => {
  const rsa = rsaKeys(2_048);
  const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

  it.each<[string, Keys, Signing]>([
    ['RSA with SHA-256', rsa, rsaSigning(0x0b, 'sha256')],
    ['RSA with SHA-384', rsa, rsaSigning(0x0c, 'sha384')],
    ['RSA with SHA-512', rsa, rsaSigning(0x0d, 'sha512')],
    ['ECDSA with SHA-256', ec, ecSigning([3, 2], 'sha256')],
    ['ECDSA with SHA-384', ec, ecSigning([3, 3], 'sha384')],
    ['ECDSA with SHA-512', ec, ecSigning([3, 4], 'sha512')],
    ['Ed25519', generateKeyPairSync('ed25519'), edSigning(0x70)],
    ['Ed448', generateKeyPairSync('ed448'), edSigning(0x71)],
  ])('%s is accepted', (_how, keys, signing) => {
    expect(signedWith(keys, signing)).toEqual(ALL);
  });

  it.each<[string, Keys, Signing]>([
    ['RSA with SHA-1', rsa, rsaSigning(0x05, 'sha1')],
    ['RSA with SHA-224', rsa, rsaSigning(0x0e, 'sha224')],
    ['ECDSA with SHA-1', ec, ecSigning([1], 'sha1')],
    ['ECDSA with SHA-224', ec, ecSigning([3, 1], 'sha224')],
    ['RSA of 1,024 bits', rsaKeys(1_024), rsaSigning(0x0b, 'sha256')],
    ['RSA of 2,040 bits', rsaKeys(2_040), rsaSigning(0x0b, 'sha256')],
  ])('%s vouches for no name', (_how, keys, signing) => {
    expect(signedWith(keys, signing)).toEqual(FINGERPRINT);
  });
});

describe('a bundle of many authorities', () => {
  const namesake = makeCertificate({ name: 'root' });
  const client = makeCertificate(CLIENT, ROOT);

  it('of one name is looked at as far as the 64th', () => {
    expect(knownBy([...Array(63).fill(namesake), ROOT], client)).toEqual(ALL);
    expect(knownBy([...Array(64).fill(namesake), ROOT], client)).toEqual(FINGERPRINT);
  });

  it('of other names is looked at to its end', () => {
    const others = Array.from({ length: 100 }, (_, at) => makeCertificate({ name: `other ${at}` }));
    expect(knownBy([...others, ROOT], client)).toEqual(ALL);
    const between = makeCertificate({ name: 'between', authority: 0 }, ROOT);
    const below = makeCertificate(CLIENT, between);
    expect(knownBy([...others, ROOT], below, { chain: field(between) })).toEqual(ALL);
  });
});

describe('an extension that is there twice', () => {
  const unknown = extension(objectId(0x2a, 0x03, 0x04), tagged(0x05, Buffer.alloc(0)), 'plain');
  const uri = tagged(0x86, Buffer.from('spiffe://acme/admin'));

  it.each<[string, readonly Buffer[]]>([
    ['subjectAltName', [extension(objectId(0x55, 0x1d, 0x11), sequence(uri), 'plain')]],
    [
      'extendedKeyUsage',
      [extension(objectId(0x55, 0x1d, 0x25), sequence(objectId(0x2b, 6, 1, 5, 5, 7, 3, 2)), 'plain')],
    ],
    ['basicConstraints', [extension(objectId(0x55, 0x1d, 0x13), sequence(), 'plain')]],
    ['an unknown one', [unknown, unknown]],
  ])('%s: no certificate', (_what, further) => {
    const client = makeCertificate({ ...CLIENT, further }, ROOT);
    expect(readCertificate(client.der)).toBeNull();
    expect(knownBy([ROOT], client)).toBe('malformed');
  });
});

describe('what is no certificate', () => {
  const client = makeCertificate(CLIENT, ROOT);
  const verifier = createCertificateVerifier(ROOT.certificate);
  it.each([
    ['two of them', `${field(client)}, ${field(client)}`],
    ['with a parameter', `${field(client)};a=1`],
    ['no base64', ':-:'],
    ['a text', '"x"'],
    ['base64 without colons', client.der.toString('base64')],
    ['something behind it', field({ der: Buffer.concat([client.der, Buffer.of(0)]) })],
    ['a part of it', field({ der: client.der.subarray(0, -1) })],
    ['too long', `:${Buffer.alloc(20_000).toString('base64')}:`],
    ['PEM', field({ der: Buffer.from(client.certificate) })],
  ])('%s', (_why, value) => {
    expect(verifier.verify(value, '', NOW_MS)).toBe('malformed');
  });

  it.each([
    ['nine of them', Array(9).fill(field(client)).join(', ')],
    ['one with a parameter', `${field(ROOT)}, ${field(ROOT)};a`],
    ['one that is none', `${field(client)}, :AAAA:`],
    ['an inner list', `(${field(client)})`],
  ])('in a chain: %s', (_why, chain) => {
    expect(verifier.verify(field(client), chain, NOW_MS)).toBe('malformed');
  });

  it('whatever bytes are changed, cut or added, nothing is thrown, and no name is believed', () => {
    const change = fc.record({
      at: fc.nat(client.der.length - 1),
      byte: fc.nat(255),
      cut: fc.nat(30),
      added: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let der = client.der;
        for (const { at, byte, cut, added } of changes) {
          const changed = Buffer.from(der);
          changed[at] = byte;
          der = Buffer.concat([changed.subarray(0, at + 1), added, changed.subarray(at + 1 + cut)]);
        }
        const verified = verifier.verify(field({ der }), '', NOW_MS);
        if (Buffer.compare(der, client.der) === 0 || typeof verified === 'string') return;
        expect(verified.nameHashes?.length ?? 1).toBe(1);
      }),
      { numRuns: 3_000 },
    );
  });

  it('bytes of all kinds are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readCertificate(bytes)).toBeNull();
      }),
      { numRuns: 3_000 },
    );
  });
});

it('subjects are written as openssl writes them', () => {
  for (const subject of [
    '/C=DE/O=Acme, Inc./OU=Shops+OU=Web/CN=web-shop',
    '/DC=example/DC=acme/UID=w\\/1/CN=#1 "best" <shop>; a\\\\b ',
    '/CN= Bäckerei /emailAddress=a@b.example/serialNumber=7/L=Köln/ST=NRW/street=x/GN=g/SN=s/title=t',
  ]) {
    const pem = openssl(
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '/dev/null',
      ],
      ...['-utf8', '-multivalue-rdn', '-subj', subject, '-days', '2'],
    );
    const [, base64 = ''] = /-----BEGIN CERTIFICATE-----([^-]+)/.exec(pem) ?? [];
    const written = opensslOn(pem, 'x509', '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8');
    const read = readCertificate(Buffer.from(base64, 'base64'));
    expect(read?.subjectText).toBe(written.replace(/^subject=/, '').replace(/\n$/, ''));
  }
});

function openssl(...commandLine: readonly string[]): string {
  return execFileSync('openssl', commandLine, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function opensslOn(input: string, ...commandLine: readonly string[]): string {
  return execFileSync('openssl', commandLine, { encoding: 'utf8', input });
}
