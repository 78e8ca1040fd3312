/**
 * `swap`: one reservation replaced by another in one step, under the union of both sets of locks. What both hold with equal
 * counter, key and weight keeps its unit (language-rules #6); the rest of the old is given back, the rest of the new
 * taken. A refusal restores every cell that the giving back had touched.
 */

import type { LockSet } from '../base/shared-lock.ts';
import { EXCEEDED, TAKEN, type TakeBatch, type TakeResult } from '../pipeline/counters.ts';
import type { CounterFamily } from './counter-family.ts';
import { HEADER } from './counter-layout.ts';
import { cellsAt, shardAt, shardOf } from './counter-table.ts';
import type { TakeSink } from './rates/take-journal.ts';
import {
  correctEntry,
  lockOf,
  type ReservedEntry,
  reservedEntry,
  type SharedReservation,
  tellCorrection,
} from './shared-reservation.ts';
import type { TakeEntries } from './take-entries.ts';

export function swapReservation(
  reservation: SharedReservation,
  batch: TakeBatch,
  families: readonly CounterFamily[],
  entries: TakeEntries,
  locks: LockSet,
  journal: TakeSink,
): TakeResult {
  const kept = Array.from({ length: batch.count }, (_, i) => keptEntry(reservation, batch, i));
  const given = reservation.held.filter((entry) => entry.state !== 'done' && !kept.includes(entry));
  if (!lockUnion(batch, families, given, entries, locks)) return EXCEEDED;
  const before = given.map(saveCells);
  for (const entry of given) correctEntry(entry, -entry.weight);
  let result: TakeResult = TAKEN;
  for (let i = 0; i < batch.count; i++) {
    if (kept[i] !== null) continue;
    const judged = entries.judge(families[batch.counter[i]!]!, batch, i);
    if (judged !== TAKEN && result !== EXCEEDED) result = judged;
  }
  if (result === TAKEN) {
    reservation.held = Array.from({ length: batch.count }, (_, i) =>
      bookEntry(batch, i, families[batch.counter[i]!]!, entries, kept[i]!),
    );
    for (const entry of given) {
      entry.state = 'done';
      tellCorrection(entry, -entry.weight, journal);
    }
  } else {
    for (let i = 0; i < batch.count; i++) entries.describe(families[batch.counter[i]!]!, batch, i);
    for (let g = given.length - 1; g >= 0; g--) restoreCells(given[g]!, before[g]!);
  }
  locks.releaseAll();
  return result;
}

function keptEntry(reservation: SharedReservation, batch: TakeBatch, i: number): ReservedEntry | null {
  const same = reservation.held.find(
    (entry) =>
      entry.state !== 'done' &&
      entry.counter === batch.counter[i] &&
      entry.keyHigh === batch.keyHigh[i] &&
      entry.keyLow === batch.keyLow[i] &&
      entry.weight === batch.weight[i],
  );
  return same ?? null;
}

/** A kept entry is described with what is left now; its unit is in `used` already. */
function bookEntry(
  batch: TakeBatch,
  i: number,
  family: CounterFamily,
  entries: TakeEntries,
  kept: ReservedEntry | null,
): ReservedEntry {
  if (kept === null) {
    entries.book(family, batch, i);
    return reservedEntry(family, batch, i, entries);
  }
  entries.describe(family, batch, i);
  batch.retryAtMs[i] = 0;
  return kept;
}

interface LockRequest {
  readonly family: CounterFamily;
  readonly lock: number;
  /** Entry of the batch to be found under this lock, or -1. */
  readonly entry: number;
}

/** The family's own lock comes after those of its shards. */
function lockRank(request: LockRequest): number {
  return request.lock === HEADER.lock ? Number.MAX_SAFE_INTEGER : request.lock;
}

function lockUnion(
  batch: TakeBatch,
  families: readonly CounterFamily[],
  given: readonly ReservedEntry[],
  entries: TakeEntries,
  locks: LockSet,
): boolean {
  const requests: LockRequest[] = given.map((entry) => ({
    family: entry.family,
    lock: lockOf(entry),
    entry: -1,
  }));
  for (let i = 0; i < batch.count; i++) {
    const family = families[batch.counter[i]!]!;
    if (family.isLeftOut(batch, entries.moment.nowMs)) {
      entries.leaveOut(batch, i, 'none');
      continue;
    }
    requests.push({ family, lock: shardAt(shardOf(family, batch.keyLow[i]!)), entry: i });
  }
  requests.sort((a, b) => a.family.region - b.family.region || lockRank(a) - lockRank(b));
  const held = new Set<string>();
  const acquire = (family: CounterFamily, lock: number): boolean => {
    const name = `${family.region}/${lock}`;
    if (held.has(name)) return true;
    if (!locks.acquire(family.words, lock)) return false;
    held.add(name);
    return true;
  };
  const missing: LockRequest[] = [];
  for (let at = 0; at < requests.length; at++) {
    const request = requests[at]!;
    const { family, entry } = request;
    let locked = acquire(family, request.lock);
    if (locked && entry >= 0 && !entries.findOwn(family, batch, entry)) missing.push(request);
    // All shards of a family are locked before its own lock, which making a record needs.
    if (locked && requests[at + 1]?.family !== family) {
      for (const { entry: newKey } of missing.splice(0)) {
        locked = locked && acquire(family, HEADER.lock);
        if (locked) entries.findShared(family, batch, newKey);
      }
    }
    if (!locked) {
      family.noteLockTimeout();
      for (let i = 0; i < batch.count; i++) {
        entries.leaveOut(batch, i, families[batch.counter[i]!] === family ? 'lock-timeout' : 'none');
        batch.retryAtMs[i] = entries.moment.nowMs + 1;
      }
      locks.releaseAll();
      return false;
    }
  }
  return true;
}

function saveCells(entry: ReservedEntry): Float64Array {
  const at = cellsAt(entry.family, entry.record);
  return entry.family.cells.slice(at, at + entry.family.recordCells);
}

function restoreCells(entry: ReservedEntry, before: Float64Array): void {
  entry.family.cells.set(before, cellsAt(entry.family, entry.record));
}
