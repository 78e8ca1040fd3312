import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';
import { memoryLine } from '../soak/thread-memory.ts';

/**
 * Loaded into a gateway before its own modules (`node --import`), so that the gateway itself stays as it is delivered: tells once a
 * second what the collector of each thread accounts for. Writes `memory-THREAD` into the folder that the URL of this module names
 * (`?into=FOLDER&collectEveryMs=N`). Collects all of its thread's heap once in each `collectEveryMs` on the clock of the machine, so all
 * threads at one moment; 0: never.
 */
const EVERY_MS = 1_000;

const options = new URL(import.meta.url).searchParams;
const folder = options.get('into');
if (folder !== null) {
  const file = join(folder, `memory-${isMainThread ? 'control' : threadId}`);
  watch(file, Number(options.get('collectEveryMs')));
}

function watch(file: string, collectEveryMs: number): void {
  const collect = collectEveryMs === 0 ? null : collector();
  const windowOf = (atMs: number): number => Math.floor(atMs / collectEveryMs);
  let window = Number.POSITIVE_INFINITY;
  setInterval(() => {
    const atMs = Number(process.hrtime.bigint()) / 1e6;
    if (collect !== null && windowOf(atMs) > window) collect();
    window = windowOf(atMs);
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    appendFileSync(file, memoryLine({ atMs, heapUsed, external, arrayBuffers }));
  }, EVERY_MS).unref();
}

/** What `--expose-gc` gives to contexts that are made later. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
