/** The audit log of a store, read without changing it: while a gateway runs on it, or none. For a child process, as a damaged store may end it. */
import type { RootDatabase } from 'lmdb';
import { ok, type Result } from '../base/result.ts';
import type { AuditRecord } from '../pipeline/audit.ts';
import { readAnchors } from './audit-anchors.ts';
import { AUDIT_BASE, AUDIT_HEAD, AUDIT_TABLE } from './audit-chain.ts';
import type { SignedPlace } from './audit-hash.ts';
import { readAuditKey } from './audit-key.ts';
import { type AuditVerdict, type ForeignAnchor, type FoundAudit, verifyAudit } from './audit-verification.ts';
import { openToRead } from './store-examination.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';
import { decodeRecord, type RecordKey } from './store-records.ts';

/** Verifies the log of a data folder. The error: there is no store that could be read, or no key. */
export async function verifyAuditOf(
  dataFolder: string,
  storePath: string,
  foreign: readonly ForeignAnchor[],
): Promise<Result<AuditVerdict, StoreProblem>> {
  const key = readAuditKey(dataFolder);
  if (!key.ok) return key;
  if (key.value === null)
    return problem(
      'store_unusable',
      dataFolder,
      'The key of the audit log is missing.',
      'Put audit.key back as it was.',
    );
  // Before the store: what is anchored meanwhile would look as if the log lacked it.
  const anchors = readAnchors(dataFolder);
  return await reading(storePath, (database) => verifyAudit(find(database), key.value!, anchors, foreign));
}

/** The `count` records behind `after`, oldest first; of null, the newest ones. Damaged ones are left out. */
export async function auditRecordsOf(
  storePath: string,
  after: number | null,
  count: number,
): Promise<Result<readonly AuditRecord[], StoreProblem>> {
  return await reading(storePath, (database) => {
    const entries =
      after === null
        ? database.getRange({
            start: [AUDIT_TABLE, Number.MAX_SAFE_INTEGER],
            end: [AUDIT_TABLE, 0],
            reverse: true,
            limit: count,
          })
        : database.getRange({
            start: [AUDIT_TABLE, after + 1],
            end: [AUDIT_TABLE, Number.MAX_SAFE_INTEGER],
            limit: count,
          });
    const records = [...entries].flatMap(({ key, value }) => {
      const record = decodeRecord(key as unknown as RecordKey, value) as AuditRecord | undefined;
      return record === undefined ? [] : [record];
    });
    return after === null ? records.reverse() : records;
  });
}

async function reading<Value>(
  storePath: string,
  read: (database: RootDatabase<Buffer>) => Value,
): Promise<Result<Value, StoreProblem>> {
  const opened = openToRead(storePath);
  if (!opened.ok) return opened;
  try {
    // All in one turn: LMDB shows one moment to all that is read in it.
    return ok(read(opened.value));
  } catch (thrown) {
    return problem(
      'store_damaged',
      storePath,
      `The audit log can't be read: ${reasonOf(thrown)}.`,
      'See "portunus doctor".',
    );
  } finally {
    await opened.value.close();
  }
}

function find(database: RootDatabase<Buffer>): FoundAudit {
  const place = (key: RecordKey): SignedPlace | null | 'damaged' => {
    const value = database.get([...key]);
    if (value === undefined) return null;
    return (decodeRecord(key, value) as SignedPlace | undefined) ?? 'damaged';
  };
  return { base: place(AUDIT_BASE), head: place(AUDIT_HEAD), records: recordsOf(database) };
}

function* recordsOf(database: RootDatabase<Buffer>): FoundAudit['records'] {
  const bounds = { start: [AUDIT_TABLE, 0], end: [AUDIT_TABLE, Number.MAX_SAFE_INTEGER] };
  for (const { key, value } of database.getRange(bounds)) {
    const recordKey = key as unknown as RecordKey;
    const record = decodeRecord(recordKey, value) as AuditRecord | undefined;
    yield { sequence: Number(recordKey[1]), record: record ?? null };
  }
}
