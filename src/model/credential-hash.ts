/**
 * Credentials that are no secrets are found by their names: a certificate by its fingerprint or what an authority has written
 * into it, a signer by its key id. Their hashes stand in the table beside the keyed hashes of keys, with which they can't be confused.
 */
import { hash } from 'node:crypto';

/** What a certificate may be known by. */
export const CERTIFICATE_NAMES = ['sha256', 'uri', 'dns', 'subject'] as const;
export type CertificateName = (typeof CERTIFICATE_NAMES)[number];

/** `value`: the fingerprint as lower-case hex, the other names as they stand in the certificate; DNS names in lower case. */
export function certificateNameHash(name: CertificateName, value: string): Uint8Array {
  return hashOf(`certificate ${name}`, value);
}

export function signerNameHash(keyId: string): Uint8Array {
  return hashOf('signer', keyId);
}

/** What `keyid` of a signature must be. */
export function signerKeyId(tenant: string, consumer: string, credential: string): string {
  return `${tenant}/${consumer}/${credential}`;
}

/** As hashes of keys are written in files. */
export function hashText(nameHash: Uint8Array): { readonly keyId: string; readonly hash: string } {
  const bytes = Buffer.from(nameHash);
  const keyId = bytes.toString('hex').slice(0, KEY_ID_LENGTH);
  return { keyId, hash: `ptnh1:${keyId}:${bytes.toString('base64url')}` };
}

/** No name holds NUL. */
function hashOf(kind: string, value: string): Uint8Array {
  return hash('sha256', `portunus ${kind}\0${value}`, 'buffer');
}

const KEY_ID_LENGTH = 12;
