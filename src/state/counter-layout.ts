/**
 * How the counters of one limit (a *family*) lie in shared memory. One `SharedArrayBuffer` per family:
 *
 * | part     | cells                                                                                        |
 * |----------|----------------------------------------------------------------------------------------------|
 * | header   | 16 Int32: {@link HEADER}; its lock guards `keysUsed` and the overflow record; `storeAway` and|
 * |          | `endsAtS` are written by the control thread alone, and read without a lock; `lockTimeouts` is|
 * |          | added to atomically by threads that could not have a lock                                    |
 * | shards   | 16 Int32 each: {@link SHARD}; a cache line of its own, so that locks of two shards don't meet|
 * | heads    | per shard `buckets` Int32: first record of the bucket + 1, 0 for none                        |
 * | meta     | per record 4 Int32: {@link META}                                                             |
 * | cells    | per record `recordCells` Float64, laid out by the kind of counter                            |
 *
 * Everything but these and the lock words is read and written under locks only, so plain access is race-free. Memory starts as zero,
 * and a record of zeros is a counter that was never used. Pages that no key has touched are never committed.
 */
import type { CounterSpec, CounterWindow } from '../pipeline/counters.ts';

/** `endsAtS`: monotonic second at which a replaced limit ends; 0 while that is not known. */
export const HEADER = {
  lock: 0,
  keysUsed: 1,
  overflowTakes: 2,
  storeAway: 3,
  endsAtS: 4,
  lockTimeouts: 5,
  cells: 16,
} as const;
export const SHARD = { lock: 0, handedOut: 1, firstFree: 2, cells: 16 } as const;
export const META = { keyHigh: 0, keyLow: 1, generation: 2, next: 3, cells: 4 } as const;

/** Sub-windows that T is cut into; the ring keeps one more, because a weight counts until its slot's end + T. */
export const SUB_WINDOWS = 16;
export const RING_SLOTS = SUB_WINDOWS + 1;

/** First cells of a record, by kind. Cell 0 is common: thresholds that have fired: see `thresholds.ts`. */
export const FIRED_CELL = 0;
const RECORD_CELLS: Readonly<Record<CounterWindow['kind'], number>> = {
  window: 2 + RING_SLOTS,
  pace: 5,
  concurrency: 2,
  calendar: 8,
};

export interface CounterLayout {
  readonly shards: number;
  /** A power of two. */
  readonly buckets: number;
  readonly recordsPerShard: number;
  readonly recordCells: number;
  readonly headsAt: number;
  readonly metaAt: number;
  /** In Float64 cells. */
  readonly cellsAt: number;
  readonly bytes: number;
  /** The counter that keys share when `keysMax` are in use. */
  readonly overflowRecord: number;
  /** Always zero: what a key without a record is judged by. */
  readonly blankRecord: number;
}

/** One family as it goes to the data threads: structured-cloneable. */
export interface CounterRegion {
  /** Unique in the process and ascending: the global order in which locks are taken. */
  readonly region: number;
  readonly identity: string;
  readonly memory: SharedArrayBuffer;
  readonly layout: CounterLayout;
  /** Keys kept apart: the spec's `maxKeys`, at most what the memory was made for. */
  readonly keysMax: number;
}

/** The memory of one rule set, in the order of its specs. */
export interface CounterMemory {
  readonly regions: readonly CounterRegion[];
}

const SHARDS_MAX = 1_024;
const KEYS_PER_SHARD = 512;
/** From here on a family is sharded at all: fewer keys are served by one lock, which is held for some 100 ns. */
const SHARDED_KEYS_MIN = 64;
const SHARDS_MIN = 8;

export function layoutOf(spec: CounterSpec): CounterLayout {
  const shards = shardsFor(spec.maxKeys);
  const recordsPerShard = recordsFor(spec.maxKeys, shards);
  const buckets = powerOfTwoFrom(recordsPerShard);
  const recordCells = RECORD_CELLS[spec.window.kind];
  const records = shards * recordsPerShard + 2;
  const headsAt = HEADER.cells + shards * SHARD.cells;
  const metaAt = headsAt + shards * buckets;
  const cellsAt = Math.ceil((metaAt + records * META.cells) / 2);
  return {
    shards,
    buckets,
    recordsPerShard,
    recordCells,
    headsAt,
    metaAt,
    cellsAt,
    bytes: 8 * (cellsAt + records * recordCells),
    overflowRecord: records - 2,
    blankRecord: records - 1,
  };
}

/** What must be equal for two specs to share memory: everything in language-rules #27, so not the amount or the burst. */
export function regionSignature(spec: Pick<CounterSpec, 'identity' | 'window'>): string {
  const { window } = spec;
  const shape =
    window.kind === 'window'
      ? [window.windowMs]
      : window.kind === 'pace'
        ? [window.periodMs]
        : window.kind === 'calendar'
          ? [window.period, window.zone]
          : [];
  return JSON.stringify([spec.identity, window.kind, ...shape]);
}

function shardsFor(keysMax: number): number {
  if (keysMax < SHARDED_KEYS_MIN) return 1;
  return Math.min(SHARDS_MAX, Math.max(SHARDS_MIN, powerOfTwoFrom(keysMax / KEYS_PER_SHARD)));
}

/** Keys fall on shards at random (Poisson): mean + 6 standard deviations holds them but for about one table in 10^6. */
function recordsFor(keysMax: number, shards: number): number {
  if (shards === 1) return keysMax;
  const mean = keysMax / shards;
  return Math.min(keysMax, Math.ceil(mean + 6 * Math.sqrt(mean) + 8));
}

function powerOfTwoFrom(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}
