import { copyStore, examineStore, salvageStore } from '../../state/store-examination.ts';

/**
 * Entry of a child process that reads a store which might end it: `examine PATH`, `copy PATH TARGET` or `salvage PATH TARGET`. Prints the
 * result as JSON.
 */
const TASKS: Readonly<Record<string, (path: string, target: string) => Promise<unknown>>> = {
  examine: examineStore,
  copy: copyStore,
  salvage: salvageStore,
};

const [, , task, path, target] = process.argv;
process.stdout.write(JSON.stringify(await TASKS[task!]!(path!, target!)));
