/**
 * What is known of the health of endpoints, in memory that all threads share: data threads write what requests meet, the
 * control thread what its checks find. One cache line for each address of each endpoint, so that threads don't wait for one another.
 */
export type EndpointMemory = Int32Array;

export const ENDPOINT_CELLS = 16;

/** Cells of a slot. Times are {@link ticksOf} the monotonic clock. */
export const CELL = {
  /** Bits of {@link STATE}; 0 for an endpoint of which nothing bad is known, which is all that most requests ask. */
  state: 0,
  /** Failures in a row. */
  failures: 1,
  /** Ejections without a quiet time between them. */
  ejections: 2,
  ejectedUntil: 3,
  /** Since when a request of any thread probes a half-open endpoint; 0: none does. */
  probing: 4,
  backSince: 5,
  /** One of {@link REASONS}. */
  reason: 6,
  /** From here on, what is counted for metrics: see `endpoint-counts.ts`. */
  counts: 7,
} as const;

export const STATE = {
  /** The checks of the control thread fail. */
  unhealthy: 1,
  /** Left alone because of what requests met. */
  ejected: 2,
  /** Came back, and gets less than its share for a while. */
  warming: 4,
  /** Some failures in a row. */
  failing: 8,
} as const;
export const OUT = STATE.unhealthy | STATE.ejected;

/** Why an endpoint was ejected. */
export const REASONS = ['refused', 'broken', 'errors'] as const;
export type EjectionReason = (typeof REASONS)[number];

export function createEndpointMemory(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * ENDPOINT_CELLS * Int32Array.BYTES_PER_ELEMENT);
}

export function endpointMemory(shared: SharedArrayBuffer): EndpointMemory {
  return new Int32Array(shared);
}

/** Hundredths of a second that wrap around: differences are right up to 248 days. */
export function ticksOf(ms: number): number {
  return Math.floor(ms / TICK_MS) | 0;
}

export function msBetween(fromTicks: number, toTicks: number): number {
  return ((toTicks - fromTicks) | 0) * TICK_MS;
}

/** An endpoint that is back: without what was held against it, and with little of its share at first. */
export function bringBack(memory: EndpointMemory, slot: number, nowMs: number): void {
  const base = slot * ENDPOINT_CELLS;
  Atomics.store(memory, base + CELL.failures, 0);
  Atomics.store(memory, base + CELL.backSince, ticksOf(nowMs));
  Atomics.or(memory, base + CELL.state, STATE.warming);
  Atomics.and(memory, base + CELL.state, ~(OUT | STATE.failing));
}

const TICK_MS = 10;
