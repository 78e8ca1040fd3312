/**
 * The file of request log and rollups: an LMDB of its own beside the store. So neither its size nor a write that fails on a full disk
 * touches quotas and keys, a damaged one is put aside and begun anew, and it needs no backup.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Database, RangeOptions, RootDatabase } from 'lmdb';
import { err, ok, type Result } from '../base/result.ts';
import {
  HistoryAway,
  type HistoryChange,
  type HistoryEntry,
  type HistoryKey,
  type HistoryKeyRange,
  type HistoryProblem,
  type HistoryRange,
  type HistoryStore,
} from '../pipeline/history.ts';
import { LmdbFile } from './lmdb-file.ts';
import { inspectStoreFile } from './store-file.ts';
import { reasonOf } from './store-problem.ts';

/** In the data folder. */
export const HISTORY_FILE = 'history.mdb';

export interface HistoryFile extends HistoryStore {
  /** Where a file went that could not be used, or null. */
  readonly putAside: string | null;
  close(): Promise<void>;
}

/**
 * Opens the file, or makes it. `inDoubt`: its last holder did not end as it should, so `isSound` is asked before it is mapped. The
 * error is one sentence.
 */
export function openHistoryFile(
  folder: string,
  wallMs: number,
  inDoubt: boolean,
  isSound: (path: string) => boolean,
): Result<HistoryFile, string> {
  const path = join(folder, HISTORY_FILE);
  try {
    const state = inspectStoreFile(path);
    const usable = state === 'absent' || (state === 'sound' && (!inDoubt || isSound(path)));
    const putAside = usable ? null : aside(path, wallMs);
    return ok(new LmdbHistory(new LmdbFile(path, 'as-is'), putAside));
  } catch (thrown) {
    return err(`The history ${path} can't be opened: ${reasonOf(thrown)}.`);
  }
}

/** Reads every entry; for a child process, because a damaged file may end who maps it. Answers how many there are. */
export async function readThroughHistory(path: string, tables: readonly number[]): Promise<number> {
  const file = new LmdbFile(path, 'as-is');
  let entries = 0;
  for (const table of tables) {
    for (const { value } of openTable(file.database, table).getRange({})) if (value.length > 0) entries++;
  }
  await file.close();
  return entries;
}

function openTable(database: RootDatabase<Buffer>, table: number): Database<Buffer> {
  return database.openDB<Buffer, number[]>({ name: String(table), encoding: 'binary', compression: true });
}

function aside(path: string, wallMs: number): string {
  const target = `${path}.damaged-${wallMs}`;
  renameSync(path, target);
  if (existsSync(`${path}-lock`)) renameSync(`${path}-lock`, `${target}-lock`);
  return target;
}

const CHECKSUM_BYTES = 4;
/** A path of numbers, and more than enough for what LMDB says of an entry. */
const KEY_BYTES_MAX = 256;

class LmdbHistory implements HistoryFile {
  readonly putAside: string | null;
  readonly #file: LmdbFile;
  readonly #tables = new Map<number, Database<Buffer>>();
  /** What the tables are of. */
  #database: RootDatabase<Buffer>;

  constructor(file: LmdbFile, putAside: string | null) {
    this.#file = file;
    this.#database = file.database;
    this.putAside = putAside;
  }

  get([table, ...path]: HistoryKey): Uint8Array | null {
    const value = this.#table(table).get(path);
    return value === undefined ? null : contentsOf(value);
  }

  *entries(table: number, { from, order }: HistoryRange): Generator<HistoryEntry> {
    for (const { key, value } of this.#table(table).getRange(rangeOf(from, order))) {
      const bytes = contentsOf(value);
      if (bytes !== null) yield { key: [table, ...pathOf(key)], bytes };
    }
  }

  keys(table: number, { from, order, countMax }: HistoryKeyRange): readonly HistoryKey[] {
    const keys = this.#table(table).getKeys({ ...rangeOf(from, order), limit: countMax });
    return Array.from(keys, (key) => [table, ...pathOf(key)] as const);
  }

  write({ puts, removes }: HistoryChange): Result<void, HistoryProblem> {
    try {
      for (const [table] of [...puts.map(({ key }) => key), ...removes]) this.#table(table);
      this.#file.transaction((_database, counted) => {
        for (const { key, bytes } of puts) {
          const [table, ...path] = key;
          counted(KEY_BYTES_MAX + bytes.length);
          this.#table(table).putSync(path, withChecksum(bytes));
        }
        for (const [table, ...path] of removes) {
          counted(KEY_BYTES_MAX);
          this.#table(table).removeSync(path);
        }
      });
      return ok(undefined);
    } catch (thrown) {
      return err(thrown instanceof HistoryAway ? thrown.problem : this.#problem('written', thrown));
    }
  }

  reading<T>(ask: () => T): Result<T, HistoryProblem> {
    try {
      return ok(ask());
    } catch (thrown) {
      return err(thrown instanceof HistoryAway ? thrown.problem : this.#problem('read', thrown));
    }
  }

  usedBytes(table: number): number {
    const stats = this.#table(table).getStats() as Readonly<Record<string, number>>;
    const pages =
      (stats.treeBranchPageCount ?? 0) + (stats.treeLeafPageCount ?? 0) + (stats.overflowPages ?? 0);
    return pages * (stats.pageSize ?? 0);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #problem(what: 'written' | 'read', thrown: unknown): HistoryProblem {
    return {
      message: `${this.#file.path} can't be ${what}: ${reasonOf(thrown)}.`,
      remedy: 'Make room on the disk and see that it can be written to.',
    };
  }

  #open(): RootDatabase<Buffer> {
    try {
      return this.#file.database;
    } catch (thrown) {
      throw new HistoryAway(this.#problem('read', thrown));
    }
  }

  #table(table: number): Database<Buffer> {
    const database = this.#open();
    if (database !== this.#database) {
      this.#tables.clear();
      this.#database = database;
    }
    let found = this.#tables.get(table);
    if (found === undefined) {
      found = openTable(database, table);
      this.#tables.set(table, found);
    }
    return found;
  }
}

function rangeOf(from: readonly number[], order: HistoryRange['order']): RangeOptions {
  const start = from.length === 0 ? {} : { start: [...from] };
  return { ...start, reverse: order === 'descending' };
}

/** LMDB gives a path of one part back as that part. */
function pathOf(key: unknown): number[] {
  return Array.isArray(key) ? (key as number[]) : [key as number];
}

function withChecksum(bytes: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length);
  value.set(bytes, CHECKSUM_BYTES);
  value.writeUInt32LE(crc32(bytes), 0);
  return value;
}

function contentsOf(value: Buffer): Uint8Array | null {
  if (value.length < CHECKSUM_BYTES) return null;
  const bytes = value.subarray(CHECKSUM_BYTES);
  return crc32(bytes) === value.readUInt32LE(0) ? bytes : null;
}
