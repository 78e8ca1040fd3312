/**
 * Provider keys that people have set aside, by name: a key that is switched off stays so whatever becomes of the file of what is known of
 * keys. Kept with the secrets and the audit log, and backed up with them.
 */
import { ok, type Result } from '../base/result.ts';
import type { AuditEntry } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import type { StoreProblem } from './store-problem.ts';
import type { StoreTables } from './store-tables.ts';

export interface SetAsideKeys {
  list(): readonly SetAsideKey[];
  /**
   * With its audit record in one transaction; in place of what was said of it before. `isThere`: of the version that runs; where there are
   * too many, that of a key that is not there goes.
   */
  set(key: SetAsideKey, entry: AuditEntry, isThere: (name: KeyName) => boolean): Result<void, StoreProblem>;
  /** It may take calls again. */
  free(key: KeyName, entry: AuditEntry): Result<void, StoreProblem>;
}

export interface KeyName {
  readonly pool: string;
  readonly key: string;
}

export interface SetAsideKey extends KeyName {
  /** `draining`: also once its last call has ended. */
  readonly as: 'disabled' | 'draining';
}

const TABLE = 'set-aside-key';
/** As many keys as a gateway can have. */
const KEYS_MAX = 100_000;

export function openSetAsideKeys(
  tables: StoreTables,
  audit: Pick<AuditLog, 'change'>,
  keysMax = KEYS_MAX,
): Result<SetAsideKeys, StoreProblem> {
  const stored = tables.list<SetAsideKey>(TABLE);
  if (!stored.ok) return stored;
  const keys = new Map(stored.value.map((key) => [nameOf(key), key]));
  return ok({
    list: () => [...keys.values()],
    set(key, entry, isThere) {
      const isFull = keys.size >= keysMax && !keys.has(nameOf(key));
      const oldest = isFull ? [...keys.values()].find((other) => !isThere(other)) : undefined;
      const written = audit.change([entry], (change) => {
        if (oldest !== undefined) change.remove([TABLE, oldest.pool, oldest.key]);
        change.put([TABLE, key.pool, key.key], key);
      });
      if (!written.ok) return written;
      if (oldest !== undefined) keys.delete(nameOf(oldest));
      keys.set(nameOf(key), key);
      return ok(undefined);
    },
    free(key, entry) {
      const written = audit.change([entry], (change) => change.remove([TABLE, key.pool, key.key]));
      if (written.ok) keys.delete(nameOf(key));
      return written.ok ? ok(undefined) : written;
    },
  });
}

function nameOf({ pool, key }: KeyName): string {
  return `${pool}/${key}`;
}
