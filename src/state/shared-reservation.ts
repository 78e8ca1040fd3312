/** What was taken at admission, entry by entry, so that it can be settled, swapped or given back. */
import type { Reservation, TakeBatch } from '../pipeline/counters.ts';
import type { CounterFamily } from './counter-family.ts';
import { META } from './counter-layout.ts';
import { cellsAt, metaAt, NO_RECORD, shardAt, shardOf } from './counter-table.ts';
import { isOverdrawn } from './quota-lease-cells.ts';
import { ENTRY_FLAGS } from './rates/journal-format.ts';
import type { TakeSink } from './rates/take-journal.ts';
import { settledAmount, unreserve } from './reserved-amounts.ts';
import type { TakeEntries } from './take-entries.ts';
import { newlyReached } from './thresholds.ts';

/** `open`: can be settled and given back. `final`: exact, stays taken unless swapped. `done`: settled or given back. */
export type EntryState = 'open' | 'final' | 'done';

export interface ReservedEntry {
  readonly family: CounterFamily;
  readonly counter: number;
  readonly keyHigh: number;
  readonly keyLow: number;
  readonly weight: number;
  readonly record: number;
  readonly generation: number;
  readonly mark: number;
  state: EntryState;
}

export class SharedReservation implements Reservation {
  held: readonly ReservedEntry[];

  constructor(held: readonly ReservedEntry[]) {
    this.held = held;
  }

  get entries(): number {
    return this.held.length;
  }
}

export function reservedEntry(
  family: CounterFamily,
  batch: TakeBatch,
  entry: number,
  entries: TakeEntries,
): ReservedEntry {
  const record = entries.record[entry]!;
  const open = family.frees || family.estimated;
  return {
    family,
    counter: batch.counter[entry]!,
    keyHigh: batch.keyHigh[entry]!,
    keyLow: batch.keyLow[entry]!,
    weight: batch.weight[entry]!,
    record,
    generation: entries.generation[entry]!,
    mark: entries.mark[entry]!,
    state: record === NO_RECORD ? 'done' : open ? 'open' : 'final',
  };
}

/** Index of the lock word that guards the entry's record. */
export function lockOf(entry: ReservedEntry): number {
  const { family } = entry;
  return entry.record === family.overflowRecord ? 0 : shardAt(shardOf(family, entry.keyLow));
}

/** What a correction has brought about. */
export interface Correction {
  /** More is used now than is durable. */
  readonly overdrawn: boolean;
  /** Thresholds that the settled amount has reached. */
  readonly reached: readonly number[];
  readonly settled: number;
}

/**
 * Corrects the record by `delta`, if it still is the one the entry was booked in; the entry reserves nothing any more. Under the
 * entry's lock.
 */
export function correctEntry(entry: ReservedEntry, delta: number): Correction {
  const { family, record, mark } = entry;
  if (family.words[metaAt(family, record) + META.generation] !== entry.generation) return UNCHANGED;
  const at = cellsAt(family, record);
  family.kind.correct(family, family.cells, at, mark, delta);
  if (!family.estimated) return UNCHANGED;
  unreserve(family, at, mark, entry.weight);
  const settled = settledAmount(family, at, mark);
  return {
    overdrawn: family.leased && delta > 0 && isOverdrawn(family.cells, at),
    reached: family.thresholdsPercent.length === 0 ? NONE : newlyReached(family, at, settled),
    settled,
  };
}

/** Tells the journal of a correction that was made and stays. Under the entry's lock. */
export function tellCorrection(entry: ReservedEntry, delta: number, journal: TakeSink): void {
  const { family, keyHigh, keyLow, record, mark } = entry;
  if (family.rate === null) return;
  if (family.words[metaAt(family, record) + META.generation] !== entry.generation) return;
  const flags = record === family.overflowRecord ? ENTRY_FLAGS.shared : 0;
  const ticks = family.rate.ticksOf(family, family.cells, cellsAt(family, record), mark);
  journal.append(family.region, keyHigh, keyLow, flags, delta, ticks);
}

const NONE: readonly number[] = Object.freeze([]);
const UNCHANGED: Correction = { overdrawn: false, reached: NONE, settled: 0 };
