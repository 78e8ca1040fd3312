import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { BACKUP_NAME, BACKUPS_FOLDER, backupFile, timeStamp } from '../../state/backup-place.ts';
import { STORE_FILE } from '../../state/store.ts';
import type { StoreExamination } from '../../state/store-examination.ts';
import { syncPath } from '../../state/synced-path.ts';
import { copyInChild, examineInChild, salvageInChild } from './store-task.ts';

/** Copies of the store that are kept in the data folder; of more, the oldest go. */
export const BACKUPS_KEPT = 10;

export interface Backup {
  readonly path: string;
  readonly examination: StoreExamination;
}

/** Newest last. */
export function listBackups(dataFolder: string): readonly string[] {
  try {
    return readdirSync(join(dataFolder, BACKUPS_FOLDER))
      .filter((name) => BACKUP_NAME.test(name))
      .sort()
      .map((name) => join(dataFolder, BACKUPS_FOLDER, name));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}

/** Copies the store, also under a running gateway; the copy is there under its name only when it is whole and on the disk. */
export function makeBackup(
  dataFolder: string,
  wallMs: number,
  target: string | null,
): Result<Backup, string> {
  const path = target ?? backupFile(dataFolder, wallMs);
  // It could be anything, a store in use included.
  if (existsSync(path))
    return err(`${path} is there already, and nothing is overwritten. Name another file.`);
  const unfinished = `${path}.unfinished`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(unfinished, { force: true });
    const copied = copyInChild(join(dataFolder, STORE_FILE), unfinished);
    if (!copied.ok) return err(`${copied.error.message} ${copied.error.remedy}`);
    // It holds the secrets of this instance.
    chmodSync(unfinished, 0o600);
    const examined = examineInChild(unfinished);
    rmSync(`${unfinished}-lock`, { force: true });
    if (!examined.ok) return err(examined.error.message);
    if (examined.value.damaged.length > 0)
      return err(`The store has damaged records (${examined.value.damaged.join(', ')}); no copy was kept.`);
    syncPath(unfinished);
    renameSync(unfinished, path);
    syncPath(dirname(path));
    if (target === null) for (const old of listBackups(dataFolder).slice(0, -BACKUPS_KEPT)) rmSync(old);
    return ok({ path, examination: examined.value });
  } catch (thrown) {
    return err(`The copy can't be made: ${(thrown as Error).message}.`);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/**
 * Puts a copy in the place of the store. Whoever calls holds the lock of the folder. What was there is kept beside it; answers its new
 * name, or null when there was nothing.
 */
export function restoreBackup(
  dataFolder: string,
  backup: string,
  wallMs: number,
): Result<string | null, string> {
  const examined = examineInChild(backup);
  rmSync(`${backup}-lock`, { force: true });
  if (!examined.ok) return err(`${backup} can't be used: ${examined.error.message}`);
  const { damaged, tables } = examined.value;
  if (damaged.length > 0 || tables.secrets === undefined)
    return err(
      `${backup} can't be used: ${damaged.length > 0 ? 'it has damaged records' : 'it is no store of a gateway'}.`,
    );
  const store = join(dataFolder, STORE_FILE);
  const aside = `${store}.replaced-${timeStamp(wallMs)}`;
  const fresh = `${store}.unfinished`;
  try {
    copyFileSync(backup, fresh);
    chmodSync(fresh, 0o600);
    syncPath(fresh);
    const kept = moveAside(store, aside);
    renameSync(fresh, store);
    syncPath(dataFolder);
    return ok(kept);
  } catch (thrown) {
    return err(`The copy can't be put in place: ${(thrown as Error).message}.`);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/**
 * Puts what is sound of a damaged store in its place; what was there is kept beside it. Whoever calls holds the lock of the folder.
 * Answers how many records were lost.
 */
export function rebuildStore(dataFolder: string, wallMs: number): Result<number, string> {
  const store = join(dataFolder, STORE_FILE);
  const fresh = `${store}.unfinished`;
  try {
    rmSync(fresh, { force: true });
    const salvaged = salvageInChild(store, fresh);
    rmSync(`${fresh}-lock`, { force: true });
    if (!salvaged.ok) return err(salvaged.error.message);
    chmodSync(fresh, 0o600);
    syncPath(fresh);
    moveAside(store, `${store}.replaced-${timeStamp(wallMs)}`);
    renameSync(fresh, store);
    syncPath(dataFolder);
    return ok(salvaged.value);
  } catch (thrown) {
    return err(`The store can't be rebuilt: ${(thrown as Error).message}.`);
  } finally {
    rmSync(fresh, { force: true });
  }
}

function moveAside(store: string, aside: string): string | null {
  // LMDB's own table of readers belongs to the file that goes.
  rmSync(`${store}-lock`, { force: true });
  try {
    renameSync(store, aside);
    return aside;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}
