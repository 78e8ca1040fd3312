import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';
import { ASKED, type HeapAnswer, heapFile } from '../collected-heap.ts';

/**
 * Loaded into a gateway before its own modules (`node --import`), so that the gateway itself stays as it is delivered: collects all of the
 * heap of each of its threads when it is asked to, and says what is left. Asked by the number in the file `asked` of the folder that the
 * URL of this module names (`?into=FOLDER`).
 */
const LOOK_EVERY_MS = 100;

const folder = new URL(import.meta.url).searchParams.get('into');
if (folder !== null) watch(folder, heapFile(isMainThread ? 'control' : `${threadId}`));

function watch(into: string, file: string): void {
  const asked = join(into, ASKED);
  const collect = collector();
  let answered = answer(0);
  setInterval(() => {
    const number = existsSync(asked) ? Number(readFileSync(asked, 'utf8')) : 0;
    if (number === answered) return;
    collect();
    answered = answer(number);
  }, LOOK_EVERY_MS).unref();

  function answer(number: number): number {
    const { heapUsed, external } = process.memoryUsage();
    const told: HeapAnswer = { number, heapUsed, external };
    writeFileSync(join(into, `${file}.new`), JSON.stringify(told));
    renameSync(join(into, `${file}.new`), join(into, file));
    return number;
  }
}

/** What `--expose-gc` gives to contexts that are made later. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
