/** Tables of checksummed records over LMDB. A key is a path; its first part names the table. */
import type { RangeOptions } from 'lmdb';
import { ok, type Result } from '../base/result.ts';
import type { LmdbFile } from './lmdb-file.ts';
import { problem, RESTORE_REMEDY, reasonOf, type StoreProblem } from './store-problem.ts';
import { decodeAsciiText, decodeRecord, encodeRecord, type RecordKey } from './store-records.ts';

export interface StoreChange {
  put(key: RecordKey, value: unknown): void;
  remove(key: RecordKey): void;
}

export interface StoreEntry<Value> {
  readonly key: RecordKey;
  readonly value: Value;
}

export class StoreTables {
  readonly #file: LmdbFile;

  constructor(file: LmdbFile) {
    this.#file = file;
  }

  /** Null when there is no such record. */
  get<Value>(key: RecordKey): Result<Value | null, StoreProblem> {
    return this.#reading((): Result<Value | null, StoreProblem> => {
      const record = this.#file.database.get([...key]);
      return record === undefined ? ok(null) : this.#decode<Value>(key, record);
    });
  }

  /** All records of a table in the order of their keys. */
  list<Value>(table: string): Result<Value[], StoreProblem> {
    const found = this.entries<Value>([table]);
    return found.ok ? ok(found.value.map(({ value }) => value)) : found;
  }

  /** All records whose keys begin with `prefix`, in the order of their keys. */
  entries<Value>(prefix: RecordKey): Result<StoreEntry<Value>[], StoreProblem> {
    const entries: StoreEntry<Value>[] = [];
    const visited = this.visit<Value>(prefix, (key, value) => entries.push({ key, value }));
    return visited.ok ? ok(entries) : visited;
  }

  /** How many records there are whose keys begin with `prefix`. */
  count(prefix: RecordKey): Result<number, StoreProblem> {
    return this.#reading(() => {
      let count = 0;
      for (const key of this.#file.database.getKeys({ start: [...prefix] })) {
        if (!Array.isArray(key) || prefix.some((part, at) => key[at] !== part)) break;
        count += 1;
      }
      return ok(count);
    });
  }

  /** The same one by one, for tables that are larger than memory should be. */
  visit<Value>(prefix: RecordKey, visit: (key: RecordKey, value: Value) => void): Result<void, StoreProblem> {
    return this.visitFrom<Value>(prefix, (key, value) => {
      if (prefix.some((part, at) => key[at] !== part)) return 'enough';
      visit(key, value);
      return 'further';
    });
  }

  /**
   * All records of a table of plain ASCII texts, as bytes that hold until the next one is visited: reading each as JSON costs a text of
   * its characters, and a buffer of its own work for the collector.
   */
  visitTexts(table: string, visit: (text: Buffer) => void): Result<void, StoreProblem> {
    return this.#reading(() => {
      for (const key of this.#file.database.getKeys({ start: [table] })) {
        if (!Array.isArray(key) || key[0] !== table) break;
        const recordKey = key as unknown as RecordKey;
        const record = this.#file.database.getBinaryFast([...recordKey]);
        const text = record === undefined ? undefined : decodeAsciiText(recordKey, record);
        if (text === undefined) return this.#wrongChecksum(recordKey);
        visit(text);
      }
      return ok(undefined);
    });
  }

  /** Records of one table from a key on, until it is enough. */
  visitFrom<Value>(
    start: RecordKey,
    visit: (key: RecordKey, value: Value) => 'further' | 'enough',
  ): Result<void, StoreProblem> {
    return this.#reading(() => {
      for (const { key, value } of this.#file.database.getRange({ start: [...start] })) {
        if (!Array.isArray(key) || key[0] !== start[0]) break;
        const recordKey = key as unknown as RecordKey;
        const decoded = this.#decode<Value>(recordKey, value);
        if (!decoded.ok) return decoded;
        if (visit(recordKey, decoded.value) === 'enough') break;
      }
      return ok(undefined);
    });
  }

  /** The first `count` records of a table that is numbered, from `first` on. */
  range<Value>(table: string, first: number, count: number): Result<Value[], StoreProblem> {
    return this.#reading(() => {
      const values: Value[] = [];
      const bounds = { start: [table, first], end: [table, Number.MAX_SAFE_INTEGER], limit: count };
      for (const { key, value } of this.#file.database.getRange(bounds)) {
        const decoded = this.#decode<Value>(key as unknown as RecordKey, value);
        if (!decoded.ok) return decoded;
        values.push(decoded.value);
      }
      return ok(values);
    });
  }

  /** Of a table the last key up to `key`, or else its first one; null where the table is empty. */
  keyAtOrBefore(table: string, key: RecordKey): Result<RecordKey | null, StoreProblem> {
    return this.#reading(() => {
      const before = this.#firstKey(table, { start: [...key], reverse: true });
      return ok(before ?? this.#firstKey(table, { start: [table] }));
    });
  }

  keyBehind(table: string, key: RecordKey): Result<RecordKey | null, StoreProblem> {
    return this.#reading(() => ok(this.#firstKey(table, { start: [...key], exclusiveStart: true })));
  }

  #firstKey(table: string, range: RangeOptions): RecordKey | null {
    for (const key of this.#file.database.getKeys({ ...range, limit: 1 }))
      return Array.isArray(key) && key[0] === table ? (key as unknown as RecordKey) : null;
    return null;
  }

  /** The last record of a table that is numbered; null where it has none. */
  last<Value>(table: string): Result<Value | null, StoreProblem> {
    return this.#reading((): Result<Value | null, StoreProblem> => {
      const bounds = { start: [table, Number.MAX_SAFE_INTEGER], end: [table, 0], reverse: true, limit: 1 };
      for (const { key, value } of this.#file.database.getRange(bounds))
        return this.#decode<Value>(key as unknown as RecordKey, value);
      return ok(null);
    });
  }

  /** One transaction: all that `write` asks for is on the disk when this returns, or none of it ever is. */
  change(write: (change: StoreChange) => void): Result<void, StoreProblem> {
    try {
      this.#file.transaction((database, counted) => {
        write({
          put(key, value) {
            const record = encodeRecord(key, value);
            counted(bytesOfKey(key) + record.length);
            database.putSync([...key], record);
          },
          remove(key) {
            counted(bytesOfKey(key));
            database.removeSync([...key]);
          },
        });
      });
      return ok(undefined);
    } catch (thrown) {
      return problem(
        'store_write_failed',
        this.#file.path,
        `The change could not be saved: ${reasonOf(thrown)}.`,
        WRITE_REMEDY,
      );
    }
  }

  /** Gives back the memory that reading all of a large table has taken. */
  unmap(): void {
    this.#file.unmap();
  }

  /** An error: the file may hold a change that was answered as not saved. */
  async close(): Promise<Result<void, StoreProblem>> {
    try {
      await this.#file.close();
      return ok(undefined);
    } catch (thrown) {
      return problem(
        'store_not_put_back',
        this.#file.path,
        `A change that could not be saved may be in the store nevertheless: ${reasonOf(thrown)}.`,
        'See to the disk, then look at the last changes: "portunus audit show" lists them.',
      );
    }
  }

  #decode<Value>(key: RecordKey, record: Buffer): Result<Value, StoreProblem> {
    const value = decodeRecord(key, record);
    if (value !== undefined) return ok(value as Value);
    return this.#wrongChecksum(key);
  }

  #wrongChecksum(key: RecordKey): ReturnType<typeof problem> {
    return this.damaged(`the checksum of record ${JSON.stringify(key)} is wrong`);
  }

  #reading<Value>(read: () => Result<Value, StoreProblem>): Result<Value, StoreProblem> {
    try {
      return read();
    } catch (thrown) {
      return this.#file.isAway ? this.#away(reasonOf(thrown)) : this.damaged(reasonOf(thrown));
    }
  }

  #away(why: string): ReturnType<typeof problem> {
    const message = `The store can't be read since a change failed: ${why}.`;
    return problem('store_unusable', this.#file.path, message, WRITE_REMEDY);
  }

  damaged(how: string): ReturnType<typeof problem> {
    return problem('store_damaged', this.#file.path, `The store is damaged: ${how}.`, RESTORE_REMEDY);
  }
}

/** At most, as lmdb writes it, with what LMDB adds for an entry. */
function bytesOfKey(key: RecordKey): number {
  return key.reduce<number>((sum, part) => sum + (typeof part === 'string' ? 3 * part.length : 9), 32);
}

const WRITE_REMEDY = 'Make room on the disk and see that it can be written to, then try again.';
