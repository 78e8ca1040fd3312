/**
 * A look at an LMDB file before it is mapped: a file that is cut short would end the process by SIGBUS, and LMDB's pages carry no
 * checksums. Layout of the meta pages as lmdb 3.5.6 writes them (its LMDB keeps a page header of 24 bytes, data version 2):
 * magic at 24, data version at 28, last page at 144, transaction at 152. The page size is 4096.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const PAGE_BYTES = 4_096;
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

function isMeta(head: Buffer, page: number): boolean {
  return (
    head.readUInt32LE(page + AT.magic) === MAGIC && head.readUInt32LE(page + AT.version) === DATA_VERSION
  );
}
