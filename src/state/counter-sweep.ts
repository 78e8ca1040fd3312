/**
 * Gives back the records of counters that are as new, so that keys that come later find room without a search. Takes do
 * this for themselves within the shard of their key; the control thread sweeps all shards of a crowded family in turn.
 */

import type { LockSet } from '../base/shared-lock.ts';
import type { CounterFamily } from './counter-family.ts';
import type { Moment } from './counter-kind.ts';
import { HEADER, SHARD } from './counter-layout.ts';
import { cellsAt, freeRecord, isLinked, shardAt } from './counter-table.ts';

/**
 * Frees what is as new in one shard; answers how many records. `families` are the views of all rule sets that use
 * the memory: they may differ in pace, and a record must be as new to each. Holds two locks for at most one shard.
 */
export function sweepShard(
  families: readonly CounterFamily[],
  shard: number,
  now: Moment,
  locks: LockSet,
): number {
  const family = families[0]!;
  const { words } = family;
  const header = shardAt(shard);
  // Busy locks are left for the next round: nothing depends on this one.
  const locked = locks.acquire(words, header + SHARD.lock) && locks.acquire(words, HEADER.lock);
  let freed = 0;
  if (locked) {
    const first = shard * family.recordsPerShard;
    for (let record = first; record < first + words[header + SHARD.handedOut]!; record++) {
      if (!isLinked(family, record)) continue;
      const at = cellsAt(family, record);
      if (!families.every((view) => view.kind.asNew(view, view.cells, at, now))) continue;
      freeRecord(family, record);
      freed++;
    }
  }
  locks.releaseAll();
  return freed;
}

/** Share of the keys in use from which on a family is swept. */
export const CROWDED_SHARE = 0.75;
