/** Keys as they are shown: to who asks for them, and in the audit log. */
import type { CredentialKind } from '../model/world.ts';
import type { AuditActor, AuditEntry } from '../pipeline/audit.ts';
import type { KeyName, StoredKey } from './key-store.ts';
import { MOMENT_MAX_MS } from './key-table.ts';

/** A key as it is shown: never the key, nor its hash. */
export interface KeyView extends KeyName {
  readonly kind: CredentialKind;
  readonly keyId: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  /** Where it is defined: in a YAML file, or in the store because it was issued here. */
  readonly in: 'file' | 'store';
  /** `dormant`: there is no such consumer now. */
  readonly state: 'live' | 'expired' | 'revoked' | 'dormant';
}

export interface IssuedView extends KeyView {
  /** Told this one time. */
  readonly key: string;
}

export type NameAndLife = Omit<KeyView, 'kind' | 'in' | 'state'>;

export function nameAndLife({ tenant, consumer, name, keyId, createdMs, expiresMs }: StoredKey): NameAndLife {
  const endsMs = expiresMs === null ? null : Math.min(expiresMs, MOMENT_MAX_MS);
  return { tenant, consumer, name, keyId, createdMs, expiresMs: endsMs };
}

/** Which key, and its life before and after. A view holds neither the key nor its hash. */
export function auditEntry(
  actor: AuditActor,
  action: AuditEntry['action'],
  before: KeyView | null,
  after: KeyView,
): AuditEntry {
  const { tenant, consumer, name } = after;
  return { actor, action, target: `consumer ${tenant}/${consumer}, key ${name}`, before, after };
}
