import { randomFillSync } from 'node:crypto';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Clock, Random } from '../../base/ports.ts';

/**
 * The real clock. `performance.now()` counts from the start of its own thread, so each thread adds its offset to the
 * machine's monotonic clock once; reading the latter each time would allocate.
 */
export function systemClock(): Clock {
  const offsetMs = monotonicOffsetMs();
  return {
    monotonicMs: () => performance.now() + offsetMs,
    wallMs: () => Date.now(),
  };
}

/** What one try takes between its two looks is missing in its outcome: of several, the greatest is nearest. */
function monotonicOffsetMs(): number {
  let offsetMs = Number.NEGATIVE_INFINITY;
  for (let tries = 0; tries < 10; tries++) {
    offsetMs = Math.max(offsetMs, Number(process.hrtime.bigint()) / 1e6 - performance.now());
  }
  return offsetMs;
}

export function systemRandom(): Random {
  const pool = new Uint32Array(256);
  let next = pool.length;
  return {
    fill: (target) => {
      randomFillSync(target);
    },
    uint32: () => {
      if (next === pool.length) {
        randomFillSync(pool);
        next = 0;
      }
      return pool[next++]!;
    },
  };
}

/** Mean lateness of this thread's events since the last call: a timer of libuv's own measures it, without a call into JavaScript. */
export function eventLoopDelay(): () => number {
  const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  histogram.enable();
  return () => {
    const meanMs = histogram.count === 0 ? 0 : histogram.mean / 1e6;
    histogram.reset();
    return Math.max(0, meanMs - DELAY_RESOLUTION_MS);
  };
}

const DELAY_RESOLUTION_MS = 20;
