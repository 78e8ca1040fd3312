import { randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Random } from '../../base/ports.ts';

/**
 * The real clock. `performance.now()` counts from the start of its own thread, so each thread adds its offset to the
 * machine's monotonic clock once; reading the latter each time would allocate.
 */
export function systemClock(): Clock {
  const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return {
    monotonicMs: () => performance.now() + offsetMs,
    wallMs: () => Date.now(),
  };
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
