import { DURATION_UNITS } from '../../model/literals.ts';
import type { Credential } from '../../model/world.ts';
import type { CredentialDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report, valueAt } from '../finding.ts';
import { day } from './literals.ts';

/** Where each key id was met first, in all tenants. */
export type KeyIds = Map<string, Here>;

export function readCredentials(
  documents: Readonly<Record<string, CredentialDocument>>,
  here: Here,
  keyIds: KeyIds,
  report: Report,
): readonly Credential[] {
  return Object.entries(documents).map(([name, document]) => {
    const at = below(here, name);
    const credential = readCredential(name, document);
    checkKeyId(credential.keyId, at, keyIds, report);
    if (credential.expiresMs !== null && credential.expiresMs <= credential.createdMs) {
      report({
        code: 'PT3118',
        message: `The credential expires on ${document.expires}, before it is made on ${document.created}.`,
        target: valueAt(below(at, 'expires')),
        help: 'Correct one of the dates.',
      });
    }
    return credential;
  });
}

/** A day counts from its start in UTC; the day of expiry still counts, so the key ends at the midnight after it. */
function readCredential(name: string, { hash, created, expires }: CredentialDocument): Credential {
  const [, keyId = ''] = hash.split(':');
  return {
    name,
    keyId,
    hash,
    createdMs: day(created) * DURATION_UNITS.d,
    expiresMs: expires === undefined ? null : (day(expires) + 1) * DURATION_UNITS.d,
  };
}

function checkKeyId(keyId: string, here: Here, keyIds: KeyIds, report: Report): void {
  const first = keyIds.get(keyId);
  if (first === undefined) {
    keyIds.set(keyId, here);
    return;
  }
  report({
    code: 'PT3203',
    message: `The key ${keyId} belongs to two credentials.`,
    target: keyAt(here),
    help: 'Issue one of them anew with `portunus keys issue`.',
    related: [{ target: keyAt(first), message: 'first used here' }],
  });
}
