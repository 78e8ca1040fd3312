/**
 * One LMDB file, and what lmdb 3.5.6 needs on a disk that fails.
 *
 * Where a write of its pages fails, it writes a text about that beyond the end of its memory (`mdb_page_flush`), which ends the process
 * sooner or later. So the room that a transaction may need is written here first, where an error is only an error.
 *
 * Where the write of its meta page fails, it gives up the whole map: neither reads nor writes go on, and whether the transaction is in
 * the file is not known. So the file is opened anew then, without a restart.
 */
import { closeSync, existsSync, fstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { newestState, PAGE_BYTES, putBackTransaction } from './store-file.ts';
import { syncPath } from './synced-path.ts';

/**
 * What happens to a transaction that failed and may be in the file nevertheless. `put-back`: the file goes back to the one before it,
 * durably, before it is used again: whoever asked for it was told that nothing is kept. `as-is`: it may stay.
 */
export type AfterFailure = 'put-back' | 'as-is';

/** lmdb 3.5.6 reads `permissionsMode` but doesn't declare it. */
export type LmdbOptions = RootDatabaseOptions & { readonly permissionsMode?: number };

/** To be told of each entry that a transaction puts or removes: bytes of its key and value. */
export type Counted = (bytes: number) => void;

export class LmdbFile {
  readonly path: string;
  readonly #afterFailure: AfterFailure;
  readonly #options: LmdbOptions;
  #database: RootDatabase<Buffer> | null;
  /** The last transaction that succeeded, while there is no database. */
  #lastGood = 0n;
  /** Of the database that was given up. */
  #closing: Promise<void> = Promise.resolve();

  /** Opens the file, or makes it. Throws what LMDB and the file system throw. */
  constructor(path: string, afterFailure: AfterFailure, options: LmdbOptions = {}) {
    this.path = path;
    this.#afterFailure = afterFailure;
    this.#options = options;
    const isNew = !existsSync(path);
    this.#database = this.#open();
    if (isNew) this.#keepNew(this.#database);
  }

  /** From a write that left it beyond use until it can be opened again, which {@link LmdbFile.database} tries. */
  get isAway(): boolean {
    return this.#database === null;
  }

  /** Throws while it can't be opened again. */
  get database(): RootDatabase<Buffer> {
    this.#database ??= this.#openAgain();
    return this.#database;
  }

  /** All that `write` does is on the disk when this returns; nothing of it is kept when it throws. */
  transaction(write: (database: RootDatabase<Buffer>, counted: Counted) => void): void {
    const { database } = this;
    const descriptor = openSync(this.path, 'r+');
    try {
      const before = newestState(descriptor);
      try {
        // lmdb 3.5.6 ends the process when a write that it does on a thread of its own finds the disk full.
        database.transactionSync(() => {
          const change = { entries: 0, bytes: 0 };
          write(database, (bytes) => {
            change.entries++;
            // one that takes pages of its own fills the last of them only in part
            change.bytes += bytes > PAGE_BYTES / 4 ? bytes + PAGE_BYTES : bytes;
          });
          makeRoom(descriptor, before.pages, pagesFor(change, before.pages));
        });
      } catch (thrown) {
        if (isBeyondUse(database)) {
          this.#lastGood = before.transaction;
          this.#database = null;
          // What it could not write is what it was given up for.
          this.#closing = database.close().catch(() => {});
        }
        throw thrown;
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Gives back the memory of pages that were read: what a map has touched stays resident until the map goes. For after all of a large
   * table was read. Nothing else may read meanwhile.
   */
  unmap(): void {
    if (this.#database === null) return;
    try {
      this.#lastGood = newestTransaction(this.path);
      // Nothing is being written: it is closed when this returns.
      this.#closing = this.#database.close().catch(() => {});
      this.#database = null;
      this.#database = this.#open();
    } catch {
      // Memory only. Where it could not be opened again, whoever needs it next tries, and is told.
    }
  }

  /** Throws where what was not kept can't be taken out of the file. */
  async close(): Promise<void> {
    await this.#closing;
    if (this.#database !== null) await this.#database.close();
    else if (this.#afterFailure === 'put-back') putBackTransaction(this.path, this.#lastGood);
  }

  /** LMDB syncs neither its first pages nor the name of the file; without them nothing that is written later can be read. */
  #keepNew(database: RootDatabase<Buffer>): void {
    try {
      const descriptor = openSync(this.path, 'r+');
      try {
        makeRoom(descriptor, newestState(descriptor).pages, ROOM_OF_NEW_PAGES);
      } finally {
        closeSync(descriptor);
      }
      syncPath(this.path);
      syncPath(dirname(this.path));
    } catch (thrown) {
      void database.close();
      rmSync(this.path, { force: true });
      throw thrown;
    }
  }

  #openAgain(): RootDatabase<Buffer> {
    if (this.#afterFailure === 'put-back') putBackTransaction(this.path, this.#lastGood);
    const database = this.#open();
    if (!isBeyondUse(database)) return database;
    void database.close();
    throw new Error('the file is still in use by a read that began before a write failed');
  }

  #open(): RootDatabase<Buffer> {
    return open<Buffer>({
      noSubdir: true,
      encoding: 'binary',
      // Otherwise a commit is answered before it is on the disk.
      overlappingSync: false,
      permissionsMode: 0o600,
      ...this.#options,
      path: this.path,
    } as LmdbOptions & { readonly path: string });
  }
}

function newestTransaction(path: string): bigint {
  const descriptor = openSync(path, 'r');
  try {
    return newestState(descriptor).transaction;
  } finally {
    closeSync(descriptor);
  }
}

/** A transaction of nothing is refused by a map that LMDB has given up, and otherwise touches no disk. */
function isBeyondUse(database: RootDatabase<Buffer>): boolean {
  try {
    database.transactionSync(() => {});
    return false;
  } catch {
    return true;
  }
}

/** Named tables are made by transactions of lmdb's own. */
const ROOM_OF_NEW_PAGES = 64;
/** On the way to an entry, and split on the way back: the deepest of trees that fit on a disk. */
const PAGES_ON_A_PATH = 10;
/** For LMDB's own list of free pages, beside what grows with the file. */
const PAGES_OF_ITS_OWN = 16;

/** At most so many pages are added to a file of `pages`: each touched one is copied once, new ones are at least half full. */
export function pagesFor(
  { entries, bytes }: { readonly entries: number; readonly bytes: number },
  pages: number,
): number {
  const copied = Math.min(PAGES_ON_A_PATH * entries, pages);
  return copied + Math.ceil((3 * bytes) / PAGE_BYTES) + Math.ceil(pages / 128) + PAGES_OF_ITS_OWN;
}

const ZEROS = Buffer.alloc(256 * PAGE_BYTES);

/**
 * Makes the file so large that LMDB finds room for `more` pages behind its `pages`; where it is already, its last page is written, to see
 * that it can be. LMDB has not written any of them yet. Throws what the file system throws.
 */
function makeRoom(descriptor: number, pages: number, more: number): void {
  const wantedBytes = (pages + more) * PAGE_BYTES;
  const { size } = fstatSync(descriptor);
  const end = Math.max(size, wantedBytes);
  let at = size >= wantedBytes ? size - PAGE_BYTES : size;
  while (at < end) at += writeSync(descriptor, ZEROS, 0, Math.min(ZEROS.length, end - at), at);
}
