import { chmodSync, constants, copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncPath } from './synced-path.ts';

/** Copies of the store, in the data folder. */
export const BACKUPS_FOLDER = 'backups';
export const BACKUP_NAME = /^store-\d{8}T\d{6}(\.\d{3})?Z\.mdb$/;

export function backupFile(dataFolder: string, wallMs: number): string {
  return join(dataFolder, BACKUPS_FOLDER, `store-${timeStamp(wallMs)}.mdb`);
}

/** `20261129T203000.123Z`: sorts by time, and fits every file system. */
export function timeStamp(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:]/g, '');
}

/** A copy that nobody needs. One that can't be removed stays: nothing depends on it. */
export function removeCopy(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder can't be written to, which whoever writes the next copy is told.
  }
}

/**
 * Copies a store that nobody writes to: whoever calls holds the lock of the folder. On the disk under its name when it returns, which
 * answers where. Throws what the file system throws.
 */
export function copyStillStore(dataFolder: string, store: string, wallMs: number): string {
  const path = backupFile(dataFolder, wallMs);
  const unfinished = `${path}.unfinished`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    copyFileSync(store, unfinished, constants.COPYFILE_FICLONE);
    // It holds the secrets of this instance.
    chmodSync(unfinished, 0o600);
    syncPath(unfinished);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
  syncPath(dirname(path));
  return path;
}
