/** The records of leases in the memory of one quota, found and changed under their locks. For the control thread. */

import type { LockSet } from '../base/shared-lock.ts';
import type { LeaseAsk } from '../pipeline/counters.ts';
import type { CounterFamily } from './counter-family.ts';
import type { Moment } from './counter-kind.ts';
import { HEADER, META, SHARD } from './counter-layout.ts';
import type { QuotaRegion } from './counter-registry.ts';
import {
  assignRecord,
  cellsAt,
  chooseRecord,
  findRecord,
  isLinked,
  metaAt,
  NO_RECORD,
  shardAt,
  shardOf,
} from './counter-table.ts';
import { applyGrant, type LeaseGrant, type LeaseState, readLease } from './quota-lease-cells.ts';
import type { MarkedKey, QuotaMark } from './quota-marks.ts';

export interface LeaseView {
  readonly key: MarkedKey;
  readonly state: LeaseState;
}

/** What the counter of a key has; null when its lock can't be had now. */
export function readLeaseOf(
  { families }: QuotaRegion,
  ask: LeaseAsk,
  locks: LockSet,
  now: Moment,
): LeaseView | null {
  const family = widest(families);
  return locked(family, ask, locks, () => {
    const { record, contents } = recordOf(family, ask, now);
    const { keyHigh, keyLow } = ask;
    const key = record === family.overflowRecord ? 'shared' : { keyHigh, keyLow };
    return { key, state: readLease(family, family.cells, cellsAt(family, contents), now) };
  });
}

/** Makes the record of a key where it has none. False when its lock can't be had now. */
export function setLeaseOf(
  { families }: QuotaRegion,
  ask: LeaseAsk,
  grant: LeaseGrant,
  locks: LockSet,
  now: Moment,
): boolean {
  const family = widest(families);
  const done = locked(family, ask, locks, () => {
    const { record, contents } = recordOf(family, ask, now);
    if (contents !== record) assignRecord(family, record, contents, ask.keyHigh, ask.keyLow);
    applyGrant(family, family.cells, cellsAt(family, record), grant, now);
    return true;
  });
  return done === true;
}

/** Gives a key that has none its record, as its mark says it was used; nothing is granted beyond that. */
export function adoptLease(
  { families }: QuotaRegion,
  key: Exclude<MarkedKey, 'shared'>,
  { periodMs, used, told = 0 }: QuotaMark,
  locks: LockSet,
  now: Moment,
): 'adopted' | 'no room' | 'busy' {
  const family = widest(families);
  const { keyHigh, keyLow } = key;
  const adopted = locked(family, key, locks, () => {
    if (findRecord(family, keyHigh, keyLow) !== NO_RECORD) return 'adopted';
    const record = chooseRecord(family, shardOf(family, keyLow), now);
    if (record === NO_RECORD) return 'no room';
    assignRecord(family, record, family.blankRecord, keyHigh, keyLow);
    const nothing = { sliceAmount: 0, askFrom: Number.POSITIVE_INFINITY };
    const grant = { periodMs, restored: used, told, mark: used, ...nothing };
    applyGrant(family, family.cells, cellsAt(family, record), grant, now);
    return 'adopted';
  });
  return adopted ?? 'busy';
}

/** Every counter of the quota that something was granted to in its present period. */
export function openLeases(
  { families, layout }: QuotaRegion,
  locks: LockSet,
  now: Moment,
): readonly LeaseView[] {
  const family = families[0]!;
  const { words, cells } = family;
  const found: LeaseView[] = [];
  const look = (key: MarkedKey, record: number): void => {
    const state = readLease(family, cells, cellsAt(family, record), now);
    if (state.mark > 0) found.push({ key, state });
  };
  for (let shard = 0; shard < layout.shards; shard++) {
    // A lock that can't be had is of a thread that died: what it left is as it was before, or after.
    locks.acquire(words, shardAt(shard));
    const first = shard * layout.recordsPerShard;
    for (let record = first; record < first + words[shardAt(shard) + SHARD.handedOut]!; record++) {
      if (!isLinked(family, record)) continue;
      const meta = metaAt(family, record);
      look({ keyHigh: words[meta + META.keyHigh]!, keyLow: words[meta + META.keyLow]! }, record);
    }
    locks.releaseAll();
  }
  look('shared', family.overflowRecord);
  return found;
}

/**
 * As the take does: the key's own record; else, a new one if there is room and nothing is in the shared one; else that.
 * A new one has the contents of another record until it is made.
 */
function recordOf(
  family: CounterFamily,
  { keyHigh, keyLow }: LeaseAsk,
  now: Moment,
): { readonly record: number; readonly contents: number } {
  const own = findRecord(family, keyHigh, keyLow);
  if (own !== NO_RECORD) return { record: own, contents: own };
  const { overflowRecord, blankRecord } = family;
  const shared = { record: overflowRecord, contents: overflowRecord };
  if (!family.kind.asNew(family, family.cells, cellsAt(family, overflowRecord), now)) return shared;
  const made = chooseRecord(family, shardOf(family, keyLow), now);
  return made === NO_RECORD ? shared : { record: made, contents: blankRecord };
}

/** Both locks that a take of a new key holds. Null when one can't be had. */
function locked<Value>(
  family: CounterFamily,
  ask: Pick<LeaseAsk, 'keyLow'>,
  locks: LockSet,
  run: () => Value,
): Value | null {
  const both =
    locks.acquire(family.words, shardAt(shardOf(family, ask.keyLow))) &&
    locks.acquire(family.words, HEADER.lock);
  const value = both ? run() : null;
  locks.releaseAll();
  return value;
}

/** The view with the most keys: a take of any rule set finds what it makes. */
export function widest(families: readonly CounterFamily[]): CounterFamily {
  return families.reduce((best, family) => (family.keysMax > best.keysMax ? family : best));
}
