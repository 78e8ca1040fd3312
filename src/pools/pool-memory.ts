/** What all threads share of pools. Everything starts as zero: nothing taken, every key active, nobody waiting. */
import type { LimitValues } from '../base/limits.ts';
import { answerHomesBytes } from './answer-homes.ts';
import { fairSharesCells } from './fair-shares.ts';
import { laneBytes } from './lane-layout.ts';

export interface PoolMemory {
  readonly lanes: SharedArrayBuffer;
  /** {@link KEY_CELLS} Int32 for each key. */
  readonly keys: SharedArrayBuffer;
  /** For each pool `fairSharesCells` Float64. */
  readonly shares: SharedArrayBuffer;
  /** Int32 hashes of tenants, by their place in the tags of a pool. */
  readonly tenants: SharedArrayBuffer;
  /** Of `AnswerHomes`: accounts, and tenants. */
  readonly homes: SharedArrayBuffer;
  readonly owners: SharedArrayBuffer;
  readonly threads: number;
}

export type PoolSizes = Pick<
  LimitValues,
  'poolLanes' | 'poolKeys' | 'pools' | 'poolTenants' | 'rememberedAnswers'
>;

/** Cells of one key. */
export const KEY_CELLS = {
  /** Index into `KEY_STATE_NAMES`. */
  state: 0,
  /** Counts changes of the state: who polls sees that there was one. */
  changes: 1,
  /** The last event, an index into `KEY_EVENT_NAMES`. */
  event: 2,
  /** Whole seconds of the monotonic clock until which the one call that proves the key may be refused, and is waited for; 0: none is under way. */
  proofDueS: 3,
  /** Calls under way. */
  inFlight: 4,
  /** Counts the secrets that the key has had: calls with an earlier one say nothing of it. */
  secretTurn: 5,
  /** Of a key with its former secret: one more than the place of the key itself; 0: it is that. */
  family: 6,
  /** Counts calls that told more use than is believed. */
  doubted: 7,
  /** Whole seconds of the monotonic clock at which its account has credit again, as its provider said; 0: it did not say. */
  creditDueS: 8,
  /** How long that was; 0: a call has been answered since. */
  creditWaitS: 9,
  /** 1: it has new credit, they say, and one call at a time shows whether it has. */
  tries: 10,
  cells: 16,
} as const;

export function createPoolMemory(sizes: PoolSizes, threads: number): PoolMemory {
  return {
    lanes: new SharedArrayBuffer(laneBytes(sizes.poolLanes)),
    keys: new SharedArrayBuffer(sizes.poolKeys * KEY_CELLS.cells * Int32Array.BYTES_PER_ELEMENT),
    shares: new SharedArrayBuffer(
      sizes.pools * fairSharesCells(threads, sizes.poolTenants) * Float64Array.BYTES_PER_ELEMENT,
    ),
    tenants: new SharedArrayBuffer(sizes.poolTenants * Int32Array.BYTES_PER_ELEMENT),
    homes: new SharedArrayBuffer(answerHomesBytes(sizes.rememberedAnswers)),
    owners: new SharedArrayBuffer(answerHomesBytes(sizes.rememberedAnswers)),
    threads,
  };
}
