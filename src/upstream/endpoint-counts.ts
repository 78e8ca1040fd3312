/**
 * What is counted at an address of an endpoint, by all data threads, for `/metrics`: nothing is decided by it. Only what is rare is
 * counted here. Every request of every thread adding to one cell would cost each of them the other's cache line.
 */
import { CELL, ENDPOINT_CELLS, type EndpointMemory } from './endpoint-memory.ts';

/** Cells behind `CELL.counts`. All but the first only grow, since the address has its slot, and wrap around at 2^32. */
const COUNTS = {
  /** Open connections. */
  connections: 0,
  /** Attempts of requests that failed there, whatever came of the requests. */
  failedAttempts: 1,
  /** Those of them that were sent again. */
  retries: 2,
  /** Those that were not only because the retries of the service were used up. */
  retriesRefused: 3,
  /** Times that it was left alone because of what requests met, again after a probe among them. */
  ejections: 4,
} as const;

export type EndpointCount = keyof typeof COUNTS;
export type EndpointCounts = Readonly<Record<EndpointCount, number>>;

export function countAt(memory: EndpointMemory, slot: number, what: EndpointCount, change: number): void {
  Atomics.add(memory, cellOf(slot, what), change);
}

export function readCounts(memory: EndpointMemory, slot: number): EndpointCounts {
  const count = (what: EndpointCount): number => Atomics.load(memory, cellOf(slot, what)) >>> 0;
  return {
    // What ends after its slot was given to another address is not that one's.
    connections: Math.max(0, Atomics.load(memory, cellOf(slot, 'connections'))),
    failedAttempts: count('failedAttempts'),
    retries: count('retries'),
    retriesRefused: count('retriesRefused'),
    ejections: count('ejections'),
  };
}

function cellOf(slot: number, what: EndpointCount): number {
  return slot * ENDPOINT_CELLS + CELL.counts + COUNTS[what];
}
