/** Tenants, teams and consumers that were made here and not written in a file. */
import { ok, type Result } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import { type CredentialChange, writeCredentials } from './credential-table.ts';
import type { StoreProblem } from './store-problem.ts';
import type { RecordKey } from './store-records.ts';
import type { StoreTables } from './store-tables.ts';

export interface StoredEntity {
  readonly kind: 'tenant' | 'team' | 'consumer';
  readonly tenant: string;
  /** Of the team or consumer; '' for a tenant. */
  readonly name: string;
  /** As a file would say it. */
  readonly document: object;
}

export interface DirectoryChange {
  readonly put?: readonly StoredEntity[];
  readonly remove?: readonly Omit<StoredEntity, 'document'>[];
  /** Keys that go with a consumer. */
  readonly keys?: CredentialChange;
}

export interface DirectoryTable {
  all(): Result<readonly StoredEntity[], StoreProblem>;
  /** All of it with its records in the audit log, or nothing. Durable when it returns. */
  change(change: DirectoryChange, entries: readonly AuditEntry[]): Result<void, StoreProblem>;
}

const TABLE = 'directory';

export function createDirectoryTable(tables: StoreTables, audit: Pick<AuditLog, 'change'>): DirectoryTable {
  return {
    all() {
      const found = tables.entries<object>([TABLE]);
      return found.ok ? ok(found.value.map(({ key, value }) => entity(key, value))) : found;
    },
    change({ put = [], remove = [], keys }, entries) {
      const written = audit.change(entries, (write) => {
        for (const each of remove) write.remove(keyOf(each));
        for (const each of put) write.put(keyOf(each), each.document);
        if (keys !== undefined) writeCredentials(tables, write, keys);
      });
      return written.ok ? ok(undefined) : written;
    },
  };
}

function keyOf({ kind, tenant, name }: Omit<StoredEntity, 'document'>): RecordKey {
  return [TABLE, kind, tenant, name];
}

function entity(key: RecordKey, document: object): StoredEntity {
  const [, kind, tenant, name] = key as readonly [string, StoredEntity['kind'], string, string];
  return { kind, tenant, name, document };
}
