import { ok } from '../../base/result.ts';
import { HISTORY_TABLES } from '../../observe/history/history-tables.ts';
import { readThroughHistory } from '../../state/history-file.ts';
import { copyStore, examineStore, salvageStore } from '../../state/store-examination.ts';

/**
 * Entry of a child process that reads a store which might end it: `examine PATH`, `copy PATH TARGET`, `salvage PATH TARGET` or `read-history PATH`. Prints the
 * result as JSON.
 */
const TASKS: Readonly<Record<string, (path: string, target: string) => Promise<unknown>>> = {
  examine: examineStore,
  copy: copyStore,
  salvage: salvageStore,
  'read-history': async (path) => ok(await readThroughHistory(path, Object.values(HISTORY_TABLES))),
};

const [, , task, path, target] = process.argv;
process.stdout.write(JSON.stringify(await TASKS[task!]!(path!, target!)));
