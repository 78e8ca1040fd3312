/**
 * A look at every record of a store, without changing it. LMDB trusts the pages of a file: a damaged map can end the process that
 * reads it by a signal. So this is done in a child process when a store is in doubt.
 */
import { existsSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import { ok, type Result } from '../base/result.ts';
import { inspectStoreFile } from './store-file.ts';
import { SCHEMA_KEY, type SchemaRecord, type StoreFormat } from './store-migrations.ts';
import { problem, RESTORE_REMEDY, reasonOf, type StoreProblem } from './store-problem.ts';
import { decodeRecord, type RecordKey } from './store-records.ts';

export interface StoreExamination {
  /** What it says of its format; null where it says nothing, or nothing that can be read. */
  readonly format: StoreFormat | null;
  /** Records by table, sound ones. */
  readonly tables: Readonly<Record<string, number>>;
  /** Keys of records that are not as they were written; the first {@link DAMAGED_NAMED_MAX}. */
  readonly damaged: readonly string[];
}

export const DAMAGED_NAMED_MAX = 20;

/** The error: there is no store that could be looked through. */
export async function examineStore(path: string): Promise<Result<StoreExamination, StoreProblem>> {
  const opened = openToRead(path);
  if (!opened.ok) return opened;
  const tables: Record<string, number> = {};
  const damaged: string[] = [];
  let format: StoreFormat | null = null;
  try {
    for (const { key, value } of opened.value.getRange({})) {
      const recordKey = recordKeyOf(key);
      const [table] = recordKey;
      const record = decodeRecord(recordKey, value);
      if (table === SCHEMA_KEY[0] && record !== undefined) format = formatOf(record as SchemaRecord);
      if (record !== undefined) tables[table] = (tables[table] ?? 0) + 1;
      else if (damaged.length < DAMAGED_NAMED_MAX) damaged.push(JSON.stringify(recordKey));
    }
    return ok({ format, tables, damaged });
  } catch (thrown) {
    return unreadable(path, reasonOf(thrown));
  } finally {
    await opened.value.close();
  }
}

/**
 * Copies a store as it is at one moment, also while a gateway runs on it (LMDB readers see one version and hold up nobody). Nothing
 * may be at `target`.
 */
export async function copyStore(path: string, target: string): Promise<Result<void, StoreProblem>> {
  const opened = openToRead(path);
  if (!opened.ok) return opened;
  try {
    await opened.value.backup(target, true);
    return ok(undefined);
  } catch (thrown) {
    const reason = reasonOf(thrown);
    // What LMDB itself says is about the pages that it reads.
    if (reason.startsWith('MDB_')) return unreadable(path, reason);
    return problem(
      'store_unusable',
      target,
      `The copy can't be written: ${reason}.`,
      'Make room there, and see that it can be written to.',
    );
  } finally {
    await opened.value.close();
  }
}

/**
 * Copies the records that are sound; answers how many were not. Without the secrets of the instance nothing else is of use: the
 * error. Nothing may be at `target`.
 */
export async function salvageStore(path: string, target: string): Promise<Result<number, StoreProblem>> {
  const opened = openToRead(path);
  if (!opened.ok) return opened;
  const copy = open<Buffer>({ path: target, noSubdir: true, encoding: 'binary', overlappingSync: false });
  let lost = 0;
  try {
    copy.transactionSync(() => {
      for (const { key, value } of opened.value.getRange({})) {
        if (decodeRecord(recordKeyOf(key), value) === undefined) lost++;
        else copy.putSync(key, value);
      }
    });
    const complete = copy.get(['schema']) !== undefined && copy.get(['secrets']) !== undefined;
    return complete ? ok(lost) : unreadable(path, 'the secrets of this gateway are damaged');
  } catch (thrown) {
    return unreadable(path, reasonOf(thrown));
  } finally {
    await copy.close();
    await opened.value.close();
  }
}

/** Stores of the first format have no list of formats. */
function formatOf({ version, formats = [] }: Partial<SchemaRecord>): StoreFormat | null {
  if (version === undefined) return null;
  return { version, sinceMs: formats.at(-1)?.sinceMs ?? null };
}

/** LMDB gives a path of one part back as that part. */
function recordKeyOf(key: unknown): RecordKey {
  return (Array.isArray(key) ? key : [key]) as unknown as RecordKey;
}

/** Whoever calls closes it. */
export function openToRead(path: string): Result<RootDatabase<Buffer>, StoreProblem> {
  try {
    if (!existsSync(path)) return unreadable(path, 'there is no such file');
    const state = inspectStoreFile(path);
    if (state !== 'sound') return unreadable(path, STATES[state]);
    return ok(open<Buffer>({ path, noSubdir: true, encoding: 'binary', readOnly: true }));
  } catch (thrown) {
    return unreadable(path, reasonOf(thrown));
  }
}

const STATES = {
  absent: 'there is no such file',
  foreign: 'it was not made by Portunus',
  'cut-short': 'the file is shorter than it says',
} as const;

function unreadable(path: string, why: string): ReturnType<typeof problem> {
  return problem('store_damaged', path, `The store can't be read: ${why}.`, RESTORE_REMEDY);
}
