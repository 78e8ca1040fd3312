import type * as fs from 'node:fs';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ANCHORS_FILE, ANCHORS_MAX, type Anchor, AnchorFile, readAnchors } from './audit-anchors.ts';

/** Bytes that the disk still takes, over all writes. */
let room = Number.POSITIVE_INFINITY;
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const writeSync = (descriptor: number, bytes: Buffer, offset: number, length: number): number => {
    const taken = Math.min(length, room);
    if (taken === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    room -= taken;
    return real.writeSync(descriptor, bytes, offset, taken);
  };
  const fdatasyncSync = (descriptor: number): void => {
    if (syncs === 'fail') throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    real.fdatasyncSync(descriptor);
  };
  const fsyncSync = (descriptor: number): void => {
    if (folderSyncs === 'fail' && real.fstatSync(descriptor).isDirectory())
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    real.fsyncSync(descriptor);
  };
  return { ...real, writeSync, fdatasyncSync, fsyncSync };
});
let syncs: 'succeed' | 'fail' = 'succeed';
let folderSyncs: 'succeed' | 'fail' = 'succeed';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portunus-anchors-'));
  room = Number.POSITIVE_INFINITY;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const anchor = (sequence: number): Anchor => ({ kind: 'anchor', timeMs: 0, sequence, hash: 'h', mac: 'm' });

it('an anchor for which a full disk has room only in part leaves nothing of itself', () => {
  const file = new AnchorFile(folder);
  file.append(anchor(1));
  room = 10;
  expect(() => file.append(anchor(2))).toThrow('ENOSPC');
  room = Number.POSITIVE_INFINITY;
  file.append(anchor(3));
  file.close();
  expect(readAnchors(folder)).toEqual([anchor(1), anchor(3)]);
  expect(readFileSync(join(folder, ANCHORS_FILE), 'utf8').split('\n')).toHaveLength(3);
});

it('what a sync that failed was to write is written anew, not only synced again', () => {
  const file = new AnchorFile(folder);
  const inode = (): number => statSync(join(folder, ANCHORS_FILE)).ino;
  file.append(anchor(1));
  file.sync();
  const before = inode();
  file.append(anchor(2));
  syncs = 'fail';
  expect(() => file.sync()).toThrow('EIO');
  file.append(anchor(3));
  syncs = 'succeed';
  // As a disk may have it that lost the lines which the sync was to write.
  truncateSync(join(folder, ANCHORS_FILE), `${JSON.stringify(anchor(1))}\n`.length);
  file.sync();
  expect(inode()).not.toBe(before);
  file.append(anchor(4));
  file.sync();
  file.close();
  expect(readAnchors(folder)).toEqual([1, 2, 3, 4].map(anchor));
});

it('what was written anew is written again until the folder is on the disk, too', () => {
  const file = new AnchorFile(folder);
  const inode = (): number => statSync(join(folder, ANCHORS_FILE)).ino;
  file.append(anchor(1));
  file.sync();
  const syncedBytes = statSync(join(folder, ANCHORS_FILE)).size;
  file.append(anchor(2));
  syncs = 'fail';
  expect(() => file.sync()).toThrow('EIO');
  syncs = 'succeed';
  folderSyncs = 'fail';
  expect(() => file.sync()).toThrow('EIO');
  file.append(anchor(3));
  expect(() => file.sync()).toThrow('EIO');
  const before = inode();
  folderSyncs = 'succeed';
  // As a disk has it that lost the name of the new file: that of the one before it.
  truncateSync(join(folder, ANCHORS_FILE), syncedBytes);
  file.sync();
  expect(inode()).not.toBe(before);
  file.append(anchor(4));
  file.sync();
  file.close();
  expect(readAnchors(folder)).toEqual([1, 2, 3, 4].map(anchor));
});

it('so it is where old ones go', () => {
  writeFileSync(join(folder, ANCHORS_FILE), `${JSON.stringify(anchor(0))}\n`.repeat(ANCHORS_MAX));
  const file = new AnchorFile(folder);
  folderSyncs = 'fail';
  expect(() => file.append(anchor(1))).toThrow('EIO');
  folderSyncs = 'succeed';
  const { ino } = statSync(join(folder, ANCHORS_FILE));
  file.append(anchor(1));
  file.sync();
  file.close();
  expect(statSync(join(folder, ANCHORS_FILE)).ino).not.toBe(ino);
  expect(readAnchors(folder)).toHaveLength(ANCHORS_MAX / 2 + 1);
});
