import { makeCertificate } from '../../test/upstream/certificate.ts';
import type { DiagnosticCode } from '../diagnostics/catalogue.ts';

/** Files for TLS that are wrong, and the exact text that says so. */
export interface CertificateCase {
  readonly code: DiagnosticCode;
  readonly what: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly wallMs: number;
  readonly rendered: string;
}

const CERTIFICATE = makeCertificate({
  name: 'front',
  dnsNames: ['shop.example', 'SHOP.test'],
  years: [2020, 2027],
});
const OTHER = makeCertificate({ name: 'other' });
const GOOD = { '/tls/front.pem': CERTIFICATE.certificate, '/tls/front.key': CERTIFICATE.key };
const IN_2026 = Date.UTC(2026, 5, 1);

export const GOOD_CERTIFICATE = { texts: GOOD, wallMs: IN_2026 };

export const CERTIFICATE_CASES: readonly CertificateCase[] = [
  {
    code: 'PT3501',
    what: 'a key that is not there',
    texts: { '/tls/front.pem': CERTIFICATE.certificate },
    wallMs: IN_2026,
    rendered: `error[PT3501]: The file /tls/front.key can't be read: no such file.
   = help: Correct the path, or the rights of the file.

1 error.
`,
  },
  {
    code: 'PT3501',
    what: 'neither file is there',
    texts: {},
    wallMs: IN_2026,
    rendered: `error[PT3501]: The file /tls/front.pem can't be read: no such file.
   = help: Correct the path, or the rights of the file.

error[PT3501]: The file /tls/front.key can't be read: no such file.
   = help: Correct the path, or the rights of the file.

2 errors.
`,
  },
  {
    code: 'PT3502',
    what: 'something else than a certificate',
    texts: { ...GOOD, '/tls/front.pem': 'DER' },
    wallMs: IN_2026,
    rendered: `error[PT3502]: The file /tls/front.pem holds no certificate in PEM.
   = help: PEM begins with "-----BEGIN". Convert the file, or name another.

1 error.
`,
  },
  {
    code: 'PT3502',
    what: 'the certificate in the place of its key',
    texts: { ...GOOD, '/tls/front.key': CERTIFICATE.certificate },
    wallMs: IN_2026,
    rendered: `error[PT3502]: The file /tls/front.key holds no private key without passphrase in PEM.
   = help: PEM begins with "-----BEGIN". Convert the file, or name another.

1 error.
`,
  },
  {
    code: 'PT3503',
    what: 'the key of another certificate',
    texts: { ...GOOD, '/tls/front.key': OTHER.key },
    wallMs: IN_2026,
    rendered: `error[PT3503]: The key in /tls/front.key does not belong to the certificate in /tls/front.pem.
   = help: Name the key with which the certificate was requested.

1 error.
`,
  },
  {
    code: 'PT3504',
    what: 'a certificate of last year',
    texts: GOOD,
    wallMs: Date.UTC(2027, 0, 1),
    rendered: `warning[PT3504]: The certificate in /tls/front.pem expired on 2027-01-01: clients refuse it.
   = help: Renew it: a running gateway takes up the new files by itself.

1 warning.
`,
  },
  {
    code: 'PT3505',
    what: 'a certificate in its last month',
    texts: GOOD,
    wallMs: Date.UTC(2026, 11, 2),
    rendered: `warning[PT3505]: The certificate in /tls/front.pem expires in 30 days, on 2027-01-01.
   = help: Renew it: a running gateway takes up the new files by itself.

1 warning.
`,
  },
];

/** The same of the bundle of those who vouch for clients, /tls/clients.pem. */
export const AUTHORITY_CASES: readonly CertificateCase[] = [
  {
    code: 'PT3504',
    what: 'an authority of last year',
    texts: { '/tls/clients.pem': CERTIFICATE.certificate },
    wallMs: Date.UTC(2028, 0, 1),
    rendered: `warning[PT3504]: An authority in /tls/clients.pem expired on 2027-01-01: it vouches for nobody.
   = help: Name the one that took its place; it counts from the next start on.

1 warning.
`,
  },
  {
    code: 'PT3506',
    what: 'a certificate of a client among the authorities',
    texts: {
      '/tls/clients.pem': `${OTHER.certificate}${makeCertificate({ name: 'web' }, OTHER).certificate}`,
    },
    wallMs: IN_2026,
    rendered: `warning[PT3506]: The certificate of CN=web in /tls/clients.pem is none of an authority: it vouches for nobody.
   = help: Name the certificate whose key signs those of your clients.

1 warning.
`,
  },
];

export interface CertificateUseCase {
  readonly code: DiagnosticCode;
  readonly what: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly rendered: string;
}

export const CERTIFICATE_USE_CASES: readonly CertificateUseCase[] = [
  {
    code: 'PT3507',
    what: 'authorities, and a certificate, that no route asks for',
    texts: {
      'portunus.yaml': `portunus: 1
clientCertificates: { trustedProxies: [10.0.0.7], authorities: clients.pem }
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { list: { service: s, match: { path: / } } }
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers: { web: { credentials: { a: { certificate: { uri: "spiffe://acme/web" }, created: 2026-11-02 } } } }
`,
    },
    rendered: `warning[PT3507]: No route takes certificates of clients, so clientCertificates in portunus.yaml has no effect.
   = help: Name the way at a route: identify: [mtls]. Or remove what is of no use.

warning[PT3507]: No route takes certificates of clients, so credentials like acme/web/a let nobody in.
   = help: Name the way at a route: identify: [mtls]. Or remove what is of no use.

2 warnings.
`,
  },
];
