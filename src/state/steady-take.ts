/**
 * The take of most requests in one straight line: one or two exact counters that go on as they were – known keys, the same
 * sub-window or period, room, a lease that lasts, nobody to be told. Whatever else it meets, it has changed nothing and says
 * so, and the whole take judges anew. One linearizable step, as that is. Two counters: 0.65 × the CPU of the whole take.
 */

import type { LockSet } from '../base/shared-lock.ts';
import type { TakeBatch } from '../pipeline/counters.ts';
import type { CounterFamily } from './counter-family.ts';
import type { Moment, SteadyKind } from './counter-kind.ts';
import { NOT_STEADY } from './counter-kind.ts';
import { cellsAt, findRecord, NO_RECORD, shardAt, shardOf } from './counter-table.ts';
import { leaseLasts } from './quota-lease-cells.ts';
import type { TakeSink } from './rates/take-journal.ts';

/** True when everything is taken, and the batch says what is left. */
export function takeSteady(
  families: readonly CounterFamily[],
  batch: TakeBatch,
  now: Moment,
  locks: LockSet,
  journal: TakeSink,
): boolean {
  const { count } = batch;
  if (batch.leavesOut !== 'nothing' || batch.holds) return false;
  if (count !== 1 && count !== 2) return false;
  const first = families[batch.counter[0]!]!;
  const second = count === 1 ? first : families[batch.counter[1]!]!;
  if (first.steady === null || second.steady === null) return false;
  const taken = lock(first, second, batch, locks) && takeLocked(first, second, batch, now, journal);
  locks.releaseAll();
  return taken;
}

/** In the global order, as the whole take does. A lock that is not free at once is waited for there. */
function lock(first: CounterFamily, second: CounterFamily, batch: TakeBatch, locks: LockSet): boolean {
  if (batch.count === 1) return lockOne(first, batch, 0, locks);
  if (first.region === second.region) return false;
  return first.region < second.region
    ? lockOne(first, batch, 0, locks) && lockOne(second, batch, 1, locks)
    : lockOne(second, batch, 1, locks) && lockOne(first, batch, 0, locks);
}

function lockOne(family: CounterFamily, batch: TakeBatch, entry: number, locks: LockSet): boolean {
  return locks.tryAcquire(family.words, shardAt(shardOf(family, batch.keyLow[entry]!)));
}

function takeLocked(
  first: CounterFamily,
  second: CounterFamily,
  batch: TakeBatch,
  now: Moment,
  journal: TakeSink,
): boolean {
  const firstRecord = findRecord(first, batch.keyHigh[0]!, batch.keyLow[0]!);
  if (firstRecord === NO_RECORD) return false;
  const firstAt = cellsAt(first, firstRecord);
  const firstUsed = usedIfRoom(first, first.steady!, firstAt, batch.weight[0]!, now);
  if (firstUsed === NOT_STEADY) return false;
  if (batch.count === 1) {
    book(first, first.steady!, firstAt, firstUsed, batch, 0, now, journal);
    return true;
  }
  const secondRecord = findRecord(second, batch.keyHigh[1]!, batch.keyLow[1]!);
  if (secondRecord === NO_RECORD) return false;
  const secondAt = cellsAt(second, secondRecord);
  const secondUsed = usedIfRoom(second, second.steady!, secondAt, batch.weight[1]!, now);
  if (secondUsed === NOT_STEADY) return false;
  book(first, first.steady!, firstAt, firstUsed, batch, 0, now, journal);
  book(second, second.steady!, secondAt, secondUsed, batch, 1, now, journal);
  return true;
}

function usedIfRoom(
  family: CounterFamily,
  steady: SteadyKind,
  at: number,
  weight: number,
  now: Moment,
): number {
  const used = steady.used(family, family.cells, at, now);
  if (used === NOT_STEADY || weight > family.capacity - used) return NOT_STEADY;
  return family.leased && !leaseLasts(family.cells, at, weight) ? NOT_STEADY : used;
}

function book(
  family: CounterFamily,
  steady: SteadyKind,
  at: number,
  used: number,
  batch: TakeBatch,
  entry: number,
  now: Moment,
  journal: TakeSink,
): void {
  const { keyHigh, keyLow } = batch;
  const weight = batch.weight[entry]!;
  // The key has a record of its own: no flag says otherwise.
  if (family.rate !== null)
    journal.append(family.region, keyHigh[entry]!, keyLow[entry]!, 0, weight, now.ticks);
  steady.add(family, family.cells, at, weight, now);
  batch.fault[entry] = 0;
  batch.remaining[entry] = family.capacity - (used + weight);
  batch.retryAtMs[entry] = 0;
  batch.resetMs[entry] = family.kind.resetMs(family, family.cells, at, now);
}
