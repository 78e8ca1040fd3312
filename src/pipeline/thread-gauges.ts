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
  /** Requests that wait for a connection, to whichever service, and for a further slice of a quota. */
  connectionWaiters: 11,
  leaseWaiters: 12,
  /** The most of them that wait for one service. */
  connectionWaitersMost: 13,
  /** The most connections to one address of an endpoint. */
  upstreamConnectionsMost: 14,
  /** The most callers that one of the caches remembers. */
  identitiesKnown: 15,
  tokensVerifying: 16,
  decodersOpen: 17,
  /** How many priorities, from the lowest, are turned away because the thread is late. */
  overloadLevel: 18,
  // Requests and connections that were turned away since the start, by the bound that was reached.
  exchangesPerThreadRefused: 19,
  normalExchangesPerThreadRefused: 20,
  lowExchangesPerThreadRefused: 21,
  eventLoopDelayMsRefused: 22,
  connectionsPerThreadRefused: 23,
  bodiesBufferedPerThreadBytesRefused: 24,
  bodyDecodersPerThreadRefused: 25,
  tokensVerifyingRefused: 26,
  upstreamWaitingRefused: 27,
  connectionsPerAddressRefused: 28,
  /** Requests that wait for room in limits. */
  limitWaiters: 29,
  limitWaitersPerThreadRefused: 30,
  /** Answers that are kept for later requests. */
  cachedAnswers: 31,
  cachedBytes: 32,
  cachedAnswersEvicted: 33,
  /** Prompts whose tokens are being counted, and those that were. */
  promptsCounting: 34,
  promptsCounted: 35,
  promptCountsPerThreadRefused: 36,
  /** Counts that did not come in time. */
  promptCountMsRefused: 37,
} as const;

export type ThreadGauge = keyof typeof THREAD_GAUGES;
export type ThreadGaugeValues = Readonly<Record<ThreadGauge, number>>;

/** What only the thread's own parts know. */
export type ThreadLoad = Readonly<Record<Exclude<ThreadGauge, MeasuredGauge>, number>>;
/** What can be measured of any thread. */
type MeasuredGauge =
  | 'heapUsedBytes'
  | 'heapLimitBytes'
  | 'loopDelayMean'
  | 'loopDelayP50'
  | 'loopDelayP99'
  | 'loopDelayMax'
  | 'loopActive'
  | 'loopIdle';

export function createThreadGauges(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(THREAD_GAUGES).length * Float64Array.BYTES_PER_ELEMENT);
}

export function readThreadGauges(memory: SharedArrayBuffer): ThreadGaugeValues {
  const cells = new Float64Array(memory);
  const values = Object.entries(THREAD_GAUGES).map(([name, cell]) => [name, cells[cell]!]);
  return Object.fromEntries(values) as ThreadGaugeValues;
}
