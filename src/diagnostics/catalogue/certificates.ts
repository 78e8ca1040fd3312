import type { CatalogueEntry } from './entry.ts';

/** Codes of the certificates and keys that the gateway shows to clients and services: PT35xx. */
export const CERTIFICATE_CODES = {
  PT3501: {
    title: 'Certificate or key that cannot be read',
    severity: 'error',
    explanation:
      'A file that portunus.yaml or a service names for TLS is missing, or the account of the gateway may not read it.',
  },
  PT3502: {
    title: 'Not a PEM certificate or key',
    severity: 'error',
    explanation:
      'Certificates and keys are read in PEM, the text form that begins with -----BEGIN. Keys have no passphrase: who reads the key file could read a passphrase beside it.',
  },
  PT3503: {
    title: 'Key of another certificate',
    severity: 'error',
    explanation: 'The private key and the certificate are no pair, so no handshake could succeed.',
  },
  PT3504: {
    title: 'Expired certificate',
    severity: 'warning',
    explanation:
      'The last day of the certificate has passed, so the other side refuses it. A running gateway raises the alert certificate-expires as well.',
  },
  PT3505: {
    title: 'Certificate that expires soon',
    severity: 'warning',
    explanation:
      'The certificate expires within 30 days. A running gateway raises the alert certificate-expires as well, and takes up renewed files by itself.',
  },
  PT3506: {
    title: 'Certificate that is no authority',
    severity: 'warning',
    explanation:
      'A certificate in the bundle of those who vouch for clients says of itself that it is none of an authority (basicConstraints), so no signature of its key counts. Often it is one of the clients.',
  },
  PT3507: {
    title: 'Certificates of clients that no route takes',
    severity: 'warning',
    explanation:
      'Certificates are told who to trust, or credentials go by one, but no route identifies its callers by certificates (identify: [mtls]), so all of it has no effect.',
  },
} as const satisfies Record<string, CatalogueEntry>;
