import { appendFileSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { isMainThread, threadId } from 'node:worker_threads';
import { parseSchedstat } from '../cpu.ts';
import { collectionLine, turnLine } from '../turns.ts';

/**
 * Loaded into a gateway before its own modules (`node --import`), so that the gateway itself stays as it is delivered:
 * tells of each data thread how long its event loop was away. A timer is due every millisecond; what ran between two
 * of its ticks ran in one go, but for that millisecond. Writes `turns-THREAD` into the folder that the URL of this
 * module names (`?into=FOLDER`).
 */
const TICK_MS = 1;
/** Shorter turns are no news. */
const TOLD_FROM_MS = 0.5;
const WRITE_EVERY_MS = 100;

const folder = new URL(import.meta.url).searchParams.get('into');
if (!isMainThread && folder !== null) watch(join(folder, `turns-${threadId}`));

function watch(file: string): void {
  let lines = '';
  const schedstat = openSync('/proc/thread-self/schedstat', 'r');
  const text = Buffer.alloc(128);
  const cpuMs = (): number =>
    parseSchedstat(text.toString('latin1', 0, readSync(schedstat, text, 0, text.length, 0))) / 1e6;
  let lastCpuMs = cpuMs();
  let lastMs = monotonicMs();
  setInterval(() => {
    const atMs = monotonicMs();
    const atCpuMs = cpuMs();
    const turn = { endMs: atMs, wallMs: atMs - lastMs, cpuMs: atCpuMs - lastCpuMs };
    if (turn.cpuMs >= TOLD_FROM_MS || turn.wallMs >= TOLD_FROM_MS + TICK_MS) lines += turnLine(turn);
    lastMs = atMs;
    lastCpuMs = atCpuMs;
  }, TICK_MS).unref();
  setInterval(() => {
    if (lines !== '') appendFileSync(file, lines);
    lines = '';
  }, WRITE_EVERY_MS).unref();
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      lines += collectionLine({ endMs: toMonotonic(startTime + duration), wallMs: duration });
  }).observe({ entryTypes: ['gc'] });
}

/** The clock that all processes of the machine share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function toMonotonic(performanceMs: number): number {
  return monotonicMs() - (performance.now() - performanceMs);
}
