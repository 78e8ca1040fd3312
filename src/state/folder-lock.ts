/**
 * The exclusive lock on a data folder: flock(2) on a file in it. Node has no call for that, but the lock belongs to the open
 * file description, which a child shares: util-linux `flock` (an essential package of Debian) takes it on an inherited
 * descriptor and exits; this process goes on holding it by keeping the descriptor open. The kernel frees the lock with the last
 * descriptor, so no death, `kill -9` included, leaves it behind, and it holds across containers that share the folder.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import { problem, reasonOf, type StoreProblem } from './store-problem.ts';

export interface FolderLock {
  /** The last holder did not end as it should: what it wrote is to be looked at before it is trusted. */
  readonly lastHolder: 'ended' | 'lost';
  /** All that was written is sound, as far as this holder knows. */
  release(): void;
  /** As {@link FolderLock.release}, but what the last holder left stays in doubt. */
  giveUp(): void;
}

const LOCK_FILE = 'portunus.lock';
const LOCK_COMMAND_MS_MAX = 10_000;
/** Exit status of `flock --nonblock` when somebody else holds the lock (flock(1), EXIT STATUS). */
const HELD_STATUS = 1;

export function lockFolder(folder: string): Result<FolderLock, StoreProblem> {
  const path = join(folder, LOCK_FILE);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a+', 0o600);
  } catch (thrown) {
    return problem(
      'store_unusable',
      path,
      `The lock file can't be opened: ${reasonOf(thrown)}.`,
      USABLE_REMEDY,
    );
  }
  const refused = takeLock(descriptor, path);
  if (refused !== null) {
    closeSync(descriptor);
    return refused;
  }
  const lastHolder = fstatSync(descriptor).size === 0 ? 'ended' : 'lost';
  sayHolder(descriptor);
  return ok({
    lastHolder,
    release() {
      forgetHolder(descriptor);
      closeSync(descriptor);
    },
    giveUp() {
      if (lastHolder === 'ended') forgetHolder(descriptor);
      closeSync(descriptor);
    },
  });
}

/** A full disk may keep the number there: the store is then looked through once more, which is all that happens. */
function forgetHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor, 0);
  } catch {
    // told by the next start, which takes a moment longer
  }
}

/** Only for the message of a second start: the lock itself is the kernel's, and a full disk is told by the store. */
function sayHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${process.pid}\n`);
    fsyncSync(descriptor);
  } catch {
    // `holderOf` says then that the number is not known
  }
}

const USABLE_REMEDY =
  'Give the user that runs Portunus the right to write there, or set `data:` to another folder.';

function takeLock(descriptor: number, path: string): ReturnType<typeof problem> | null {
  const { status, error, stderr } = spawnSync('flock', ['--exclusive', '--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    timeout: LOCK_COMMAND_MS_MAX,
    encoding: 'utf8',
  });
  if (status === 0) return null;
  if (status === HELD_STATUS && stderr === '') {
    return problem(
      'store_held',
      path,
      `Another gateway runs on this data folder (${holderOf(path)}).`,
      'Stop it first, or give this one a data folder of its own.',
    );
  }
  return problem(
    'store_unusable',
    path,
    `The data folder can't be locked: ${error === undefined ? stderr.trim() : reasonOf(error)}.`,
    'The command `flock` of util-linux is needed, and a file system that knows locks.',
  );
}

function holderOf(path: string): string {
  try {
    const pid = readFileSync(path, 'utf8').trim();
    return /^\d+$/.test(pid) ? `process ${pid}` : 'it has not yet said its process number';
  } catch (thrown) {
    return `its process number can't be read: ${reasonOf(thrown)}`;
  }
}
