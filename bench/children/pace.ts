/** How late a due request may be noticed. Timers of Node have a grain of 1 ms, which would hide the latencies looked for. */
const GRAIN_MS = 0.25;

/**
 * Calls `send` at an even rate with the time each call was due. What is late is made up for at once and keeps its due
 * time. Sleeps on a futex between looks at the sockets: cheaper than spinning, finer than a timer.
 */
export function pace(perSecond: number, send: (dueMs: number) => void, isWanted: () => boolean): void {
  const intervalMs = 1_000 / perSecond;
  const startedMs = performance.now();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let sent = 0;
  const look = () => {
    if (!isWanted()) return;
    const nowMs = performance.now();
    // Multiplied, not added up: the rate stays exact over millions of requests.
    for (let dueMs = startedMs + sent * intervalMs; dueMs <= nowMs; dueMs = startedMs + sent * intervalMs) {
      sent += 1;
      send(dueMs);
    }
    const leftMs = startedMs + sent * intervalMs - performance.now();
    if (leftMs > 0) Atomics.wait(cell, 0, 0, Math.min(leftMs, GRAIN_MS));
    setImmediate(look);
  };
  look();
}
