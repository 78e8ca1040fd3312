import {
  CERTIFICATE_NAMES,
  type CertificateName,
  certificateNameHash,
  hashText,
  signerKeyId,
  signerNameHash,
} from '../../model/credential-hash.ts';
import { DURATION_UNITS } from '../../model/literals.ts';
import type { Credential } from '../../model/world.ts';
import type { CertificateNameDocument, CredentialDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';
import { day } from './literals.ts';
import { readSecretReference } from './secret-references.ts';

/** Where each key, certificate and signer was met first, in all tenants. */
export type Hashes = Map<string, Here>;

interface Holder {
  readonly tenant: string;
  readonly name: string;
}
interface Context {
  readonly hashes: Hashes;
  readonly authorities: 'named' | 'none' | 'unknown';
  readonly projectFolder: string;
  readonly report: Report;
}

export function readCredentials(
  documents: Readonly<Record<string, CredentialDocument>>,
  here: Here,
  holder: Holder,
  context: Context,
): readonly Credential[] {
  return Object.entries(documents).map(([name, document]) => {
    const at = below(here, name);
    const credential = readCredential(name, document, at, holder, context);
    checkHash(credential, at, context);
    if (credential.expiresMs !== null && credential.expiresMs <= credential.createdMs) {
      context.report({
        code: 'PT3118',
        message: `The credential expires on ${document.expires}, before it is made on ${document.created}.`,
        target: valueAt(below(at, 'expires')),
        help: 'Correct one of the dates.',
      });
    }
    return credential;
  });
}

/** A day counts from its start in UTC; the day of expiry still counts, so the credential ends at the midnight after it. */
function readCredential(
  name: string,
  document: CredentialDocument,
  here: Here,
  holder: Holder,
  context: Context,
): Credential {
  const { created, expires } = document;
  return {
    name,
    ...readWay(name, document, here, holder, context),
    createdMs: day(created) * DURATION_UNITS.d,
    expiresMs: expires === undefined ? null : (day(expires) + 1) * DURATION_UNITS.d,
  };
}

type Way = Pick<Credential, 'kind' | 'keyId' | 'hash' | 'secrets'>;

function readWay(
  name: string,
  // '' where what was written has been found wrong already
  { hash = '', certificate, secrets }: CredentialDocument,
  here: Here,
  { tenant, name: consumer }: Holder,
  context: Context,
): Way {
  if (certificate !== undefined) return readCertificate(certificate, below(here, 'certificate'), context);
  if (secrets !== undefined) {
    const at = below(here, 'secrets');
    return {
      kind: 'signature',
      ...hashText(signerNameHash(signerKeyId(tenant, consumer, name))),
      secrets: secrets.flatMap(
        (written, index) => readSecretReference(written, below(at, index), context) ?? [],
      ),
    };
  }
  const [, keyId = ''] = hash.split(':');
  return { kind: 'key', keyId, hash, secrets: [] };
}

function readCertificate(
  document: CertificateNameDocument,
  here: Here,
  { authorities, report }: Context,
): Way {
  const name = CERTIFICATE_NAMES.find((each) => document[each] !== undefined) ?? 'sha256';
  if (name !== 'sha256' && authorities === 'none') {
    report({
      code: 'PT3210',
      message: `Nobody vouches for the ${WORDS[name]} of a certificate.`,
      target: valueAt(below(here, name)),
      help: 'Name who may in portunus.yaml, clientCertificates.authorities, or write the fingerprint: sha256.',
    });
  }
  const hash = certificateNameHash(name, inOneSpelling(name, document[name] ?? ''));
  return { kind: 'certificate', ...hashText(hash), secrets: [] };
}

const WORDS: Readonly<Record<Exclude<CertificateName, 'sha256'>, string>> = {
  uri: 'URI',
  dns: 'DNS name',
  subject: 'subject',
};

function inOneSpelling(name: CertificateName, value: string): string {
  switch (name) {
    case 'sha256':
      return value.replaceAll(':', '').toLowerCase();
    case 'dns':
      return value.toLowerCase();
    case 'uri':
    case 'subject':
      return value;
  }
}

function checkHash({ kind, keyId, hash }: Credential, here: Here, { hashes, report }: Context): void {
  // Keys are told apart by their ids alone, which logs show.
  const known = kind === 'key' ? keyId : hash;
  const first = hashes.get(known);
  if (first === undefined) {
    hashes.set(known, here);
    return;
  }
  report({
    code: 'PT3203',
    message:
      kind === 'key'
        ? `The key ${keyId} belongs to two credentials.`
        : 'This certificate belongs to two credentials.',
    target: keyAt(here),
    help: kind === 'key' ? 'Issue one of them anew with `portunus keys issue`.' : 'Remove one of them.',
    related: [{ target: keyAt(first), message: 'first used here' }],
  });
}
