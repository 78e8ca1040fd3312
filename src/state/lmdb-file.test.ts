import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type * as lmdb from 'lmdb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LmdbFile, pagesFor } from './lmdb-file.ts';
import { newestState, PAGE_BYTES, putBackTransaction } from './store-file.ts';

/** Of a disk that takes the meta page and says that it did not: lmdb gives up its map then. */
let metaPages: 'written' | 'lost in answer' = 'written';
let opening: 'works' | 'fails' = 'works';
vi.mock('lmdb', async (original) => {
  const real = await original<typeof lmdb>();
  const open = (options: lmdb.RootDatabaseOptionsWithPath) => {
    if (opening === 'fails') throw new Error('ENOMEM');
    const database = real.open(options);
    const transactionSync = database.transactionSync.bind(database);
    let isBeyondUse = false;
    return Object.assign(database, {
      transactionSync<T>(work: () => T): T {
        if (isBeyondUse) throw new Error('MDB_PANIC');
        const done = transactionSync(work);
        if (metaPages === 'written') return done;
        isBeyondUse = true;
        throw new Error('EIO');
      },
    });
  };
  return { ...real, open };
});

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-lmdb-'));
  path = join(folder, 'store.mdb');
});
afterEach(() => rmSync(folder, { recursive: true }));

function newest() {
  const descriptor = openSync(path, 'r');
  const state = newestState(descriptor);
  closeSync(descriptor);
  return state;
}

const CHANGES = fc.array(
  fc.array(
    fc.record({
      key: fc.integer({ min: 0, max: 2_000 }),
      bytes: fc.oneof(fc.nat(200), fc.nat(200), fc.nat(9_000), fc.constant(-1)),
      run: fc.integer({ min: 1, max: 120 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  { minLength: 1, maxLength: 12 },
);

it('no transaction makes the file larger than the room that was made for it', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(CHANGES, async (changes) => {
      path = join(folder, `${runs++}.mdb`);
      const file = new LmdbFile(path, 'as-is', { noSync: true });
      for (const change of changes) {
        const before = newest();
        const counts = { entries: 0, bytes: 0 };
        file.transaction((database, counted) => {
          for (const { key, bytes, run } of change) {
            for (let at = key; at < key + run; at++) {
              const size = Math.max(0, bytes) + 32;
              counted(size);
              counts.entries++;
              counts.bytes += size > PAGE_BYTES / 4 ? size + PAGE_BYTES : size;
              if (bytes < 0) database.removeSync([at]);
              else database.putSync([at], Buffer.alloc(bytes, 1));
            }
          }
        });
        const after = newest();
        expect(after.pages - before.pages).toBeLessThanOrEqual(pagesFor(counts, before.pages));
        expect(statSync(path).size).toBeGreaterThanOrEqual(after.pages * PAGE_BYTES);
      }
      await file.close();
    }),
    { numRuns: 60 },
  );
});

it('a transaction that is put back was never there', async () => {
  const file = new LmdbFile(path, 'put-back');
  const put = (value: string) =>
    file.transaction((database, counted) => {
      counted(64);
      database.putSync(['key'], Buffer.from(value));
    });
  put('first');
  const { transaction } = newest();
  put('second');
  expect(newest().transaction).toBe(transaction + 1n);
  await file.close();
  putBackTransaction(path, transaction);
  expect(newest().transaction).toBe(transaction);
  const again = new LmdbFile(path, 'put-back');
  expect(again.database.get(['key'])?.toString()).toBe('first');
  again.transaction((database, counted) => {
    counted(64);
    database.putSync(['key'], Buffer.from('third'));
  });
  expect([again.database.get(['key'])?.toString(), newest().transaction]).toEqual([
    'third',
    transaction + 1n,
  ]);
  await again.close();
});

/** Pages of the file that this process has mapped and touched. */
function residentBytes(): number {
  const maps = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[\da-f]+-[\da-f]+ )/m);
  const ofFile = maps.filter((map) => map.split('\n', 1)[0]!.endsWith(` ${path}`));
  return ofFile.reduce((sum, map) => sum + 1_024 * Number(/^Rss:\s+(\d+)/m.exec(map)![1]), 0);
}

it('gives back the memory of what was read, and goes on', async () => {
  const file = new LmdbFile(path, 'put-back');
  const put = (key: number, bytes: number) =>
    file.transaction((database, counted) => {
      counted(bytes);
      database.putSync(key, Buffer.alloc(bytes, key));
    });
  for (let key = 1; key <= 8; key++) put(key, 1_024 * 1_024);
  for (let key = 1; key <= 8; key++) file.database.get(key);
  expect(residentBytes()).toBeGreaterThan(8 * 1_024 * 1_024);
  file.unmap();
  expect(residentBytes()).toBeLessThan(256 * 1_024);
  put(9, 10);
  expect([file.isAway, file.database.get(8)?.[0], file.database.get(9)?.[0]]).toEqual([false, 8, 9]);
  await file.close();
});

it('loses nothing where it can not be opened again at once', async () => {
  const file = new LmdbFile(path, 'put-back');
  const put = (value: string) =>
    file.transaction((database, counted) => {
      counted(64);
      database.putSync(['key'], Buffer.from(value));
    });
  put('first');
  put('last');
  opening = 'fails';
  file.unmap();
  expect(() => file.database).toThrow('ENOMEM');
  opening = 'works';
  expect(file.database.get(['key'])?.toString()).toBe('last');
  put('more');
  await file.close();
  const again = new LmdbFile(path, 'as-is');
  expect(again.database.get(['key'])?.toString()).toBe('more');
  await again.close();
});

it('what could not be saved is taken out of the file even when nobody opens it again', async () => {
  const file = new LmdbFile(path, 'put-back');
  const put = (value: string) =>
    file.transaction((database, counted) => {
      counted(64);
      database.putSync(['key'], Buffer.from(value));
    });
  put('kept');
  const { transaction } = newest();
  metaPages = 'lost in answer';
  expect(() => put('refused')).toThrow('EIO');
  metaPages = 'written';
  expect([file.isAway, newest().transaction]).toEqual([true, transaction + 1n]);
  await file.close();
  expect(newest().transaction).toBe(transaction);
  const again = new LmdbFile(path, 'as-is');
  expect(again.database.get(['key'])?.toString()).toBe('kept');
  await again.close();
});

it('where that can not be done, whoever closes it is told', async () => {
  const file = new LmdbFile(path, 'put-back');
  metaPages = 'lost in answer';
  expect(() => file.transaction((database) => database.putSync(['key'], Buffer.from('x')))).toThrow('EIO');
  metaPages = 'written';
  rmSync(path);
  await expect(file.close()).rejects.toThrow('ENOENT');
});

it('a file that may stay as it is stays so', async () => {
  const file = new LmdbFile(path, 'as-is');
  const { transaction } = newest();
  metaPages = 'lost in answer';
  expect(() => file.transaction((database) => database.putSync(['key'], Buffer.from('x')))).toThrow('EIO');
  metaPages = 'written';
  await file.close();
  expect(newest().transaction).toBe(transaction + 1n);
});
