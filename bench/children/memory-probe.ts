import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { memoryLine } from '../soak/thread-memory.ts';

/**
 * Loaded into a gateway before its own modules (`node --import`), so that the gateway itself stays as it is delivered: tells once a
 * second what the collector of each thread accounts for. Writes `memory-THREAD` into the folder that the URL of this module names
 * (`?into=FOLDER`). Asks for no collection: what is told is what lies there.
 */
const EVERY_MS = 1_000;

const folder = new URL(import.meta.url).searchParams.get('into');
if (folder !== null) watch(join(folder, `memory-${isMainThread ? 'control' : threadId}`));

function watch(file: string): void {
  setInterval(() => {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const atMs = Number(process.hrtime.bigint()) / 1e6;
    appendFileSync(file, memoryLine({ atMs, heapUsed, external, arrayBuffers }));
  }, EVERY_MS).unref();
}
