/**
 * A look at an LMDB file before it is mapped: a file that is cut short would end the process by SIGBUS, and LMDB's pages carry no
 * checksums. Layout of the meta pages as lmdb 3.5.6 writes them (its LMDB keeps a page header of 24 bytes, data version 2):
 * magic at 24, data version at 28, last page at 144, transaction at 152. The page size is 4096.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

export const PAGE_BYTES = 4_096;
const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
const AT = { magic: 24, version: 28, lastPage: 144, transaction: 152 } as const;

export type StoreFileState = 'absent' | 'sound' | 'foreign' | 'cut-short';

/** Throws what the file system throws. */
export function inspectStoreFile(path: string): StoreFileState {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 'absent';
    throw thrown;
  }
  try {
    const { size } = fstatSync(descriptor);
    const head = Buffer.alloc(2 * PAGE_BYTES);
    const read = readSync(descriptor, head, 0, head.length, 0);
    return judge(head.subarray(0, read), size);
  } finally {
    closeSync(descriptor);
  }
}

function judge(head: Buffer, fileBytes: number): StoreFileState {
  if (head.length < PAGE_BYTES || !isMeta(head, 0)) return 'foreign';
  if (head.length < 2 * PAGE_BYTES) return 'cut-short';
  if (!isMeta(head, PAGE_BYTES)) return 'foreign';
  const first = head.readBigUInt64LE(AT.transaction);
  const second = head.readBigUInt64LE(PAGE_BYTES + AT.transaction);
  const newest = second > first ? PAGE_BYTES : 0;
  const pages = head.readBigUInt64LE(newest + AT.lastPage) + 1n;
  return pages * BigInt(PAGE_BYTES) > BigInt(fileBytes) ? 'cut-short' : 'sound';
}

/** What the newest meta page of a sound store says. */
export interface NewestState {
  /** Number of the last transaction. */
  readonly transaction: bigint;
  readonly pages: number;
}

/** Throws what the file system throws. */
export function newestState(descriptor: number): NewestState {
  const states = statesIn(descriptor);
  return states[1].transaction > states[0].transaction ? states[1] : states[0];
}

/**
 * Makes an earlier transaction the newest again, the last one before it: LMDB's pages are copied on write, so all of it is still there.
 * On the disk when this returns, as is everything before it. Nobody may have the file open. Throws what the file system throws.
 */
export function putBackTransaction(path: string, transaction: bigint): void {
  const descriptor = openSync(path, 'r+');
  try {
    const number = Buffer.alloc(8);
    // The meta page has had the one before, as they take turns; the first one of all has had none.
    number.writeBigUInt64LE(transaction === 0n ? 0n : transaction - 1n);
    for (const [page, newer] of statesIn(descriptor).entries()) {
      if (newer.transaction > transaction)
        writeSync(descriptor, number, 0, number.length, page * PAGE_BYTES + AT.transaction);
    }
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function statesIn(descriptor: number): readonly [NewestState, NewestState] {
  const head = Buffer.alloc(2 * PAGE_BYTES);
  readSync(descriptor, head, 0, head.length, 0);
  const stateAt = (page: number): NewestState => ({
    transaction: head.readBigUInt64LE(page + AT.transaction),
    pages: Number(head.readBigUInt64LE(page + AT.lastPage)) + 1,
  });
  return [stateAt(0), stateAt(PAGE_BYTES)];
}

function isMeta(head: Buffer, page: number): boolean {
  return (
    head.readUInt32LE(page + AT.magic) === MAGIC && head.readUInt32LE(page + AT.version) === DATA_VERSION
  );
}
