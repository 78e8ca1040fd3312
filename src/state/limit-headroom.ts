/**
 * How near the counters of a limit are to their ends, found in passes over their shared memory: a few shards of each limit a
 * second, under the lock of one shard at a time, so that a limit of a million keys costs no more than one of ten.
 */

import type { LockSet } from '../base/shared-lock.ts';
import type { CounterFamily } from './counter-family.ts';
import type { Moment } from './counter-kind.ts';
import { type CounterLayout, HEADER, SHARD } from './counter-layout.ts';
import { cellsAt, isLinked, shardAt } from './counter-table.ts';

export interface LimitHeadroom {
  /** The greatest share in use of all keys, 0 … 1; of the last whole pass, and of the one that goes on. */
  readonly usedShare: number;
  /** Keys with nothing left. */
  readonly exhaustedKeys: number;
}

/** Records looked at in one step; a shard is looked at as a whole. */
export const RECORDS_PER_STEP_MAX = 2_048;

/** The pass over one limit. */
export class HeadroomPass {
  #nextShard = 0;
  #usedShare = 0;
  #exhaustedKeys = 0;
  #last: LimitHeadroom = { usedShare: 0, exhaustedKeys: 0 };

  get headroom(): LimitHeadroom {
    return {
      usedShare: Math.max(this.#last.usedShare, this.#usedShare),
      exhaustedKeys: Math.max(this.#last.exhaustedKeys, this.#exhaustedKeys),
    };
  }

  /** Looks at the next shards; `family` is the limit as the newest rule set sees it. */
  step(family: CounterFamily, { shards }: CounterLayout, now: Moment, locks: LockSet): void {
    let records = 0;
    for (let step = 0; step < shards && records < RECORDS_PER_STEP_MAX; step++) {
      records += this.#look(family, this.#nextShard, now, locks);
      this.#nextShard++;
      if (this.#nextShard >= shards) this.#end(family, now, locks);
    }
  }

  /** Answers how many records it looked at. */
  #look(family: CounterFamily, shard: number, now: Moment, locks: LockSet): number {
    const { words } = family;
    const header = shardAt(shard);
    const handedOut = Atomics.load(words, header + SHARD.handedOut);
    if (handedOut === 0) return 0;
    // A busy lock is left for the next pass: nothing depends on this one.
    if (locks.acquire(words, header + SHARD.lock)) {
      const first = shard * family.recordsPerShard;
      for (let record = first; record < first + words[header + SHARD.handedOut]!; record++) {
        if (isLinked(family, record)) this.#count(family, record, now);
      }
    }
    locks.releaseAll();
    return handedOut;
  }

  #count(family: CounterFamily, record: number, now: Moment): void {
    const used = family.kind.used(family, family.cells, cellsAt(family, record), now);
    const share = family.capacity > 0 ? Math.min(1, used / family.capacity) : 1;
    if (share > this.#usedShare) this.#usedShare = share;
    if (used >= family.capacity) this.#exhaustedKeys++;
  }

  /** The counter that keys share when all are in use is one more. */
  #end(family: CounterFamily, now: Moment, locks: LockSet): void {
    if (locks.acquire(family.words, HEADER.lock)) {
      const used = family.kind.used(family, family.cells, cellsAt(family, family.overflowRecord), now);
      if (used > 0) this.#count(family, family.overflowRecord, now);
    }
    locks.releaseAll();
    this.#last = { usedShare: this.#usedShare, exhaustedKeys: this.#exhaustedKeys };
    this.#nextShard = this.#usedShare = this.#exhaustedKeys = 0;
  }
}
