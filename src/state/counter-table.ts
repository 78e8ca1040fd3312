/**
 * Keys to records inside one family: chained hashing per shard, so that a record can be taken out without traces. All
 * functions are called under the lock of the key's shard; those that make or end a record also under the family's lock.
 */
import type { CounterFamily } from './counter-family.ts';
import type { Moment } from './counter-kind.ts';
import { HEADER, META, SHARD } from './counter-layout.ts';

export const NO_RECORD = -1;

/** Records looked at for one that can be given up, when all are in use. */
const VICTIMS_SEEN_MAX = 64;

export function shardOf(family: CounterFamily, keyLow: number): number {
  return keyLow & family.shardMask;
}

/** Index of a shard's header, which is that of its lock. */
export function shardAt(shard: number): number {
  return HEADER.cells + shard * SHARD.cells;
}

export function metaAt(family: CounterFamily, record: number): number {
  return family.metaAt + record * META.cells;
}

export function cellsAt(family: CounterFamily, record: number): number {
  return family.cellsAt + record * family.recordCells;
}

export function findRecord(family: CounterFamily, keyHigh: number, keyLow: number): number {
  const { words } = family;
  let record = words[headAt(family, keyHigh, keyLow)]! - 1;
  while (record >= 0) {
    const meta = metaAt(family, record);
    if (words[meta + META.keyLow] === keyLow && words[meta + META.keyHigh] === keyHigh) return record;
    record = words[meta + META.next]! - 1;
  }
  return NO_RECORD;
}

/**
 * What a key without a record would get, without changing anything: a record number (free, or to be taken from a key whose
 * counter is as new), or {@link NO_RECORD} when it has to share the overflow counter.
 */
export function chooseRecord(family: CounterFamily, shard: number, now: Moment): number {
  const { words } = family;
  const header = shardAt(shard);
  if (words[HEADER.keysUsed]! < family.keysMax) {
    const free = words[header + SHARD.firstFree]! - 1;
    if (free >= 0) return free;
    const handedOut = words[header + SHARD.handedOut]!;
    if (handedOut < family.recordsPerShard) return shard * family.recordsPerShard + handedOut;
  }
  return chooseVictim(family, shard, now);
}

/** Makes `record`, as chosen, the record of the key, with the contents of `source`. */
export function assignRecord(
  family: CounterFamily,
  record: number,
  source: number,
  keyHigh: number,
  keyLow: number,
): void {
  const { words, cells } = family;
  const header = shardAt(shardOf(family, keyLow));
  const meta = metaAt(family, record);
  if (record === words[header + SHARD.firstFree]! - 1) {
    words[header + SHARD.firstFree] = words[meta + META.next]!;
    words[HEADER.keysUsed]! += 1;
  } else if (record % family.recordsPerShard === words[header + SHARD.handedOut]) {
    words[header + SHARD.handedOut]! += 1;
    words[HEADER.keysUsed]! += 1;
  } else {
    unlink(family, record);
  }
  const head = headAt(family, keyHigh, keyLow);
  words[meta + META.keyHigh] = keyHigh;
  words[meta + META.keyLow] = keyLow;
  words[meta + META.generation] = (words[meta + META.generation]! + 1) | 0;
  words[meta + META.next] = words[head]!;
  words[head] = record + 1;
  const from = cellsAt(family, source);
  cells.copyWithin(cellsAt(family, record), from, from + family.recordCells);
}

/** Takes the record out and puts it on the shard's free list. */
export function freeRecord(family: CounterFamily, record: number): void {
  const { words } = family;
  unlink(family, record);
  const meta = metaAt(family, record);
  const header = shardAt(Math.floor(record / family.recordsPerShard));
  words[meta + META.generation] = (words[meta + META.generation]! + 1) | 0;
  words[meta + META.next] = words[header + SHARD.firstFree]!;
  words[header + SHARD.firstFree] = record + 1;
  words[HEADER.keysUsed]! -= 1;
}

/** Where the next search for a victim begins; differs by thread, which is fine: any record that is as new will do. */
let hand = 0;

function chooseVictim(family: CounterFamily, shard: number, now: Moment): number {
  const handedOut = family.words[shardAt(shard) + SHARD.handedOut]!;
  // On free list or in use: with keysUsed at its maximum a shard may have free records that must not be handed out.
  for (let seen = Math.min(handedOut, VICTIMS_SEEN_MAX); seen > 0; seen--) {
    hand = hand + 1 >= handedOut ? 0 : hand + 1;
    const record = shard * family.recordsPerShard + hand;
    if (isLinked(family, record) && family.kind.asNew(family, family.cells, cellsAt(family, record), now)) {
      return record;
    }
  }
  return NO_RECORD;
}

/** False for records that are free. */
export function isLinked(family: CounterFamily, record: number): boolean {
  const meta = metaAt(family, record);
  return findRecord(family, family.words[meta + META.keyHigh]!, family.words[meta + META.keyLow]!) === record;
}

function unlink(family: CounterFamily, record: number): void {
  const { words } = family;
  const meta = metaAt(family, record);
  let link = headAt(family, words[meta + META.keyHigh]!, words[meta + META.keyLow]!);
  while (words[link] !== record + 1) link = metaAt(family, words[link]! - 1) + META.next;
  words[link] = words[meta + META.next]!;
}

function headAt(family: CounterFamily, keyHigh: number, keyLow: number): number {
  return family.headsAt + shardOf(family, keyLow) * family.buckets + (keyHigh & family.bucketMask);
}
