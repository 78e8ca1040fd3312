import { ok } from '../../base/result.ts';
import { HISTORY_TABLES } from '../../observe/history/history-tables.ts';
import { auditRecordsOf, verifyAuditOf } from '../../state/audit-reading.ts';
import { readThroughHistory } from '../../state/history-file.ts';
import { copyStore, examineStore, salvageStore } from '../../state/store-examination.ts';

/**
 * Entry of a child process that reads a store which might end it. Its arguments are the name of a task and what that takes, as JSON;
 * it prints the result as JSON.
 */
const TASKS = {
  examine: examineStore,
  copy: copyStore,
  salvage: salvageStore,
  'read-history': async (path: string) => ok(await readThroughHistory(path, Object.values(HISTORY_TABLES))),
  'verify-audit': verifyAuditOf,
  'audit-records': auditRecordsOf,
} as const satisfies Readonly<Record<string, (...values: never[]) => Promise<unknown>>>;

export type StoreTasks = typeof TASKS;

const [, , task, values] = process.argv;
const run = TASKS[task as keyof StoreTasks] as (...values: unknown[]) => Promise<unknown>;
process.stdout.write(JSON.stringify(await run(...(JSON.parse(values!) as unknown[]))));
