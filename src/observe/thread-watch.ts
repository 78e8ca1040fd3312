import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { THREAD_GAUGES, type ThreadGauge, type ThreadLoad } from '../pipeline/thread-gauges.ts';

const WRITE_EVERY_MS = 1_000;
/** Writes after which the delays of the event loop are counted anew. */
const DELAY_WRITES = 10;
/** The loop is woken for each sample: 50 a second cost less than a thousandth of a core. */
const DELAY_RESOLUTION_MS = 20;

/**
 * Writes what the thread that calls this does into its gauges, until the returned function is called. `load`: null on a thread
 * that serves nobody.
 */
export function watchThread(memory: SharedArrayBuffer, load: (() => ThreadLoad) | null): () => void {
  const cells = new Float64Array(memory);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  let writes = 0;
  const put = (name: ThreadGauge, value: number): void => {
    cells[THREAD_GAUGES[name]] = value;
  };
  // What is measured is the time between two wake-ups: their distance is no delay.
  const late = (ns: number): number => Math.max(0, ns / 1e9 - DELAY_RESOLUTION_MS / 1e3);
  const putDelay = (): void => {
    put('loopDelayMean', late(delay.mean));
    put('loopDelayP50', late(delay.percentile(50)));
    put('loopDelayP99', late(delay.percentile(99)));
    put('loopDelayMax', late(delay.max));
  };
  const write = (): void => {
    if (load !== null) for (const [name, value] of Object.entries(load())) put(name as ThreadGauge, value);
    const heap = getHeapStatistics();
    put('heapUsedBytes', heap.used_heap_size);
    put('heapLimitBytes', heap.heap_size_limit);
    const { active, idle } = performance.eventLoopUtilization();
    put('loopActive', active / 1e3);
    put('loopIdle', idle / 1e3);
    // The first ten seconds are told as they come, later ones when they are whole.
    writes++;
    const whole = writes % DELAY_WRITES === 0;
    if ((whole || writes < DELAY_WRITES) && delay.count > 0) putDelay();
    if (whole) delay.reset();
  };
  write();
  const timer = setInterval(write, WRITE_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
