import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { err, type Result } from '../../base/result.ts';
import type { StoreExamination } from '../../state/store-examination.ts';
import { RESTORE_REMEDY, type StoreProblem } from '../../state/store-problem.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';

/** A store of a million records is looked through in some seconds. */
const TASK_MS_MAX = 120_000;

/** Looks at every record of a store, in a child process: a damaged file may end whoever maps it. */
export function examineInChild(path: string): Result<StoreExamination, StoreProblem> {
  return storeTask<StoreExamination>(['examine', path], path);
}

/** Copies a store as it is at one moment, also while a gateway runs on it. */
export function copyInChild(path: string, target: string): Result<void, StoreProblem> {
  return storeTask<void>(['copy', path, target], path);
}

/** Copies what is sound in a damaged store; answers how many records were not. */
export function salvageInChild(path: string, target: string): Result<number, StoreProblem> {
  return storeTask<number>(['salvage', path, target], path);
}

/** Whether a process that reads the whole request log comes to its end. */
export function historyIsSound(path: string): boolean {
  return storeTask<number>(['read-history', path], path).ok;
}

function storeTask<Value>(commandLine: readonly string[], path: string): Result<Value, StoreProblem> {
  const entry = fileURLToPath(new URL('dist/src/cli/run/store-child.js', PACKAGE_FOLDER));
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [entry, ...commandLine], {
    encoding: 'utf8',
    timeout: TASK_MS_MAX,
  });
  if (status === 0) return JSON.parse(stdout) as Result<Value, StoreProblem>;
  const how =
    error?.message ??
    (signal === null ? (stderr.trim().split('\n').at(-1) ?? '') : `it is ended by ${signal}`);
  return err({
    code: 'store_damaged',
    place: path,
    message: `The store is damaged: a process that reads it fails (${how}).`,
    remedy: RESTORE_REMEDY,
  });
}
