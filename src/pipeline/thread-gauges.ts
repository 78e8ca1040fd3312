/**
 * What a thread says about itself, once a second, in shared memory of its own: Float64 cells, each right by itself. Written by
 * the thread, read by the control thread for `/metrics` and `portunus top`.
 */
export const THREAD_GAUGES = {
  activeRequests: 0,
  connections: 1,
  bufferedBodyBytes: 2,
  heapUsedBytes: 3,
  heapLimitBytes: 4,
  /** Of the event loop, in seconds: over the last ten, and since the thread began. */
  loopDelayMean: 5,
  loopDelayP50: 6,
  loopDelayP99: 7,
  loopDelayMax: 8,
  loopActive: 9,
  loopIdle: 10,
} as const;

export type ThreadGauge = keyof typeof THREAD_GAUGES;
export type ThreadGaugeValues = Readonly<Record<ThreadGauge, number>>;

export function createThreadGauges(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(THREAD_GAUGES).length * Float64Array.BYTES_PER_ELEMENT);
}

export function readThreadGauges(memory: SharedArrayBuffer): ThreadGaugeValues {
  const cells = new Float64Array(memory);
  const values = Object.entries(THREAD_GAUGES).map(([name, cell]) => [name, cells[cell]!]);
  return Object.fromEntries(values) as ThreadGaugeValues;
}
