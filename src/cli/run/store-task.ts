import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, type Result } from '../../base/result.ts';
import type { AuditRecord } from '../../pipeline/audit.ts';
import type { AuditVerdict, ForeignAnchor } from '../../state/audit-verification.ts';
import { STORE_FILE } from '../../state/store.ts';
import type { StoreExamination } from '../../state/store-examination.ts';
import { RESTORE_REMEDY, type StoreProblem } from '../../state/store-problem.ts';
import { PACKAGE_FOLDER } from '../package-folder.ts';
import type { StoreTasks } from './store-child.ts';

/** A store of a million records is looked through in some seconds. */
const TASK_MS_MAX = 120_000;

/** Looks at every record of a store, in a child process: a damaged file may end whoever maps it. */
export function examineInChild(path: string): Result<StoreExamination, StoreProblem> {
  return storeTask('examine', path, [path]);
}

/** Copies a store as it is at one moment, also while a gateway runs on it. */
export function copyInChild(path: string, target: string): Result<void, StoreProblem> {
  return storeTask('copy', path, [path, target]);
}

/** Copies what is sound in a damaged store; answers how many records were not. */
export function salvageInChild(path: string, target: string): Result<number, StoreProblem> {
  return storeTask('salvage', path, [path, target]);
}

/** Whether a process that reads the whole request log comes to its end. */
export function historyIsSound(path: string): boolean {
  return storeTask('read-history', path, [path]).ok;
}

/** Whether the audit log of a data folder is as it was written; also while a gateway runs on it. */
export function verifyAuditInChild(
  dataFolder: string,
  foreign: readonly ForeignAnchor[],
): Result<AuditVerdict, StoreProblem> {
  const path = join(dataFolder, STORE_FILE);
  return storeTask('verify-audit', path, [dataFolder, path, foreign]);
}

/** Records of the audit log; see `state/audit-reading`. */
export function auditRecordsInChild(
  path: string,
  after: number | null,
  count: number,
): Result<readonly AuditRecord[], StoreProblem> {
  return storeTask('audit-records', path, [path, after, count]);
}

function storeTask<Value>(
  task: keyof StoreTasks,
  path: string,
  values: readonly unknown[],
): Result<Value, StoreProblem> {
  const entry = fileURLToPath(new URL('dist/src/cli/run/store-child.js', PACKAGE_FOLDER));
  const commandLine = [entry, task, JSON.stringify(values)];
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, commandLine, {
    encoding: 'utf8',
    timeout: TASK_MS_MAX,
    maxBuffer: ANSWER_BYTES_MAX,
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

/** A thousand audit records with the largest values. */
const ANSWER_BYTES_MAX = 1024 * 1024 * 1024;
