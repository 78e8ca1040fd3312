/**
 * The entries of one take while its locks are held: first every entry is judged without changing anything, then all are
 * booked, or none. Scratch memory of one thread, overwritten by each take.
 */
import {
  BATCH_ENTRIES_MAX,
  COUNTER_FAULTS,
  type CounterFault,
  EXCEEDED,
  type LeaseSource,
  NEEDS_LEASE,
  TAKEN,
  type TakeBatch,
  type TakeResult,
  type ThresholdCrossing,
  type ThresholdSink,
} from '../pipeline/counters.ts';
import type { CounterFamily } from './counter-family.ts';
import { Moment } from './counter-kind.ts';
import { HEADER, META } from './counter-layout.ts';
import {
  assignRecord,
  cellsAt,
  chooseRecord,
  findRecord,
  metaAt,
  NO_RECORD,
  shardOf,
} from './counter-table.ts';
import { leaseLeft, wantsSlice } from './quota-lease-cells.ts';

import { ENTRY_FLAGS } from './rates/journal-format.ts';
import type { TakeSink } from './rates/take-journal.ts';
import { forgetReserved, reserve } from './reserved-amounts.ts';

import { isNewlyExhausted, newlyReached } from './thresholds.ts';

/** How soon another try is worth it while marks can't be written: the control thread tries about once a second. */
const STORE_RETRY_MS = 1_000;

export class TakeEntries {
  readonly moment = new Moment();
  /** The record an entry is judged by; after booking, the one it is booked in. {@link NO_RECORD}: left out. */
  readonly record = new Int32Array(BATCH_ENTRIES_MAX);
  readonly generation = new Int32Array(BATCH_ENTRIES_MAX);
  readonly mark = new Float64Array(BATCH_ENTRIES_MAX);
  /** The record to be made for the key when the entry is booked, or {@link NO_RECORD}. */
  readonly #made = new Int32Array(BATCH_ENTRIES_MAX);
  readonly #used = new Float64Array(BATCH_ENTRIES_MAX);
  /** Entries whose counters need a further slice of their quota. */
  readonly #asking = new Int32Array(2 * BATCH_ENTRIES_MAX);
  readonly #askedWeight = new Float64Array(2 * BATCH_ENTRIES_MAX);
  #askingCount = 0;
  #crossings: ThresholdCrossing[] = [];
  readonly #journal: TakeSink;

  constructor(journal: TakeSink) {
    this.#journal = journal;
  }

  /** True when the key has a record. If not, `findShared` has to follow under the family's lock. */
  findOwn(family: CounterFamily, batch: TakeBatch, entry: number): boolean {
    this.#made[entry] = NO_RECORD;
    const record = findRecord(family, batch.keyHigh[entry]!, batch.keyLow[entry]!);
    this.record[entry] = record;
    return record !== NO_RECORD;
  }

  /**
   * Finds what a key without a record is judged by. While the overflow counter holds anything, this key may be
   * part of it: its own record begins as a copy, or (slots in flight can't be copied) it goes on sharing.
   */
  findShared(family: CounterFamily, batch: TakeBatch, entry: number): void {
    const { overflowRecord } = family;
    const overflowAt = cellsAt(family, overflowRecord);
    const overflowIdle = family.kind.asNew(family, family.cells, overflowAt, this.moment);
    const mayHaveOwn = overflowIdle || !family.frees;
    const made = mayHaveOwn
      ? chooseRecord(family, shardOf(family, batch.keyLow[entry]!), this.moment)
      : NO_RECORD;
    this.#made[entry] = made;
    this.record[entry] = made === NO_RECORD || !overflowIdle ? overflowRecord : family.blankRecord;
  }

  leaveOut(batch: TakeBatch, entry: number, fault: CounterFault): void {
    this.#made[entry] = NO_RECORD;
    this.record[entry] = NO_RECORD;
    batch.fault[entry] = COUNTER_FAULTS.indexOf(fault);
    batch.remaining[entry] = 0;
    batch.retryAtMs[entry] = 0;
    batch.resetMs[entry] = 0;
  }

  /** Whether the entry alone could be booked. An entry whose lease can't be had is left out, as `on failure` says. */
  judge(family: CounterFamily, batch: TakeBatch, entry: number): TakeResult {
    const record = this.record[entry]!;
    if (record === NO_RECORD) return TAKEN;
    const { cells } = family;
    const at = cellsAt(family, record);
    const weight = batch.weight[entry]!;
    const used = family.kind.used(family, cells, at, this.moment);
    this.#used[entry] = used;
    if (weight > family.capacity - used) return EXCEEDED;
    if (!family.leased || weight <= leaseLeft(family, cells, at, used, this.moment)) return TAKEN;
    return this.#judgeWithoutLease(family, batch, entry);
  }

  #judgeWithoutLease(family: CounterFamily, batch: TakeBatch, entry: number): TakeResult {
    this.#noteAsk(entry, batch.weight[entry]!);
    if (family.watching) return TAKEN;
    if (Atomics.load(family.words, HEADER.storeAway) === 0) return NEEDS_LEASE;
    // It is counted all the same: once marks can be written again, they say what was used.
    if (family.allowOnFailure) return TAKEN;
    this.leaveOut(batch, entry, 'store-away');
    batch.retryAtMs[entry] = this.moment.nowMs + STORE_RETRY_MS;
    return EXCEEDED;
  }

  #noteAsk(entry: number, weight: number): void {
    this.#asking[this.#askingCount] = entry;
    this.#askedWeight[this.#askingCount++] = weight;
  }

  /** To be called after every take, when its locks are free again. */
  askForLeases(families: readonly CounterFamily[], batch: TakeBatch, leases: LeaseSource): void {
    for (let i = 0; i < this.#askingCount; i++) {
      const entry = this.#asking[i]!;
      leases.ask({
        region: families[batch.counter[entry]!]!.region,
        keyHigh: batch.keyHigh[entry]!,
        keyLow: batch.keyLow[entry]!,
        weight: this.#askedWeight[i]!,
      });
    }
    this.#askingCount = 0;
  }

  book(family: CounterFamily, batch: TakeBatch, entry: number): void {
    const { kind, cells, words } = family;
    let record = this.record[entry]!;
    if (record === NO_RECORD) return;
    const made = this.#made[entry]!;
    let flags = 0;
    if (made !== NO_RECORD) {
      if (record === family.overflowRecord) flags = ENTRY_FLAGS.copied;
      assignRecord(family, made, record, batch.keyHigh[entry]!, batch.keyLow[entry]!);
      // Requests in flight settle with the record that they were booked in: here nothing will.
      forgetReserved(family, cellsAt(family, made));
      this.record[entry] = made;
      record = made;
    } else if (record === family.overflowRecord) {
      words[HEADER.overflowTakes] = (words[HEADER.overflowTakes]! + 1) | 0;
      flags = ENTRY_FLAGS.shared;
    }
    const at = cellsAt(family, record);
    if (family.rate !== null) this.#tell(family, batch, entry, flags);
    kind.add(family, cells, at, batch.weight[entry]!, this.moment);
    if (family.leased && wantsSlice(cells, at)) this.#noteAsk(entry, 0);
    this.mark[entry] = kind.mark(family, cells, at, this.moment);
    this.generation[entry] = words[metaAt(family, record) + META.generation]!;
    const used = this.#used[entry]!;
    const usedNow = used + batch.weight[entry]!;
    batch.fault[entry] = 0;
    batch.remaining[entry] = family.capacity - usedNow;
    batch.retryAtMs[entry] = 0;
    batch.resetMs[entry] = kind.resetMs(family, cells, at, this.moment);
    if (family.estimated) reserve(family, at, batch.weight[entry]!);
    // windows keep no account of what is reserved of them: there it counts as used
    if (family.thresholdsPercent.length > 0 && !(family.estimated && family.periods !== null))
      this.#noteReached(family, batch, entry, usedNow);
  }

  #tell({ region }: CounterFamily, batch: TakeBatch, entry: number, flags: number): void {
    const { keyHigh, keyLow, weight } = batch;
    this.#journal.append(region, keyHigh[entry]!, keyLow[entry]!, flags, weight[entry]!, this.moment.ticks);
  }

  /** Describes an entry of a refused take; changes nothing. */
  describe(family: CounterFamily, batch: TakeBatch, entry: number): void {
    const record = this.record[entry]!;
    if (record === NO_RECORD) return;
    const { kind, cells, capacity } = family;
    const at = cellsAt(family, record);
    const weight = batch.weight[entry]!;
    const left = capacity - kind.used(family, cells, at, this.moment);
    const fits = weight <= left;
    batch.fault[entry] = 0;
    batch.remaining[entry] = Math.max(0, left);
    batch.resetMs[entry] = kind.resetMs(family, cells, at, this.moment);
    if (fits) batch.retryAtMs[entry] = 0;
    else if (weight > capacity) batch.retryAtMs[entry] = Number.POSITIVE_INFINITY;
    else {
      batch.retryAtMs[entry] = kind.fitsAtMs(family, cells, at, weight, this.moment);
      // What is larger than the limit never fits: that says nothing of what was used.
      if (!batch.isTrial && isNewlyExhausted(family, at)) this.#note(family, batch, entry, 100, capacity);
    }
  }

  #noteReached(family: CounterFamily, batch: TakeBatch, entry: number, used: number): void {
    const at = cellsAt(family, this.record[entry]!);
    for (const percent of newlyReached(family, at, used)) this.#note(family, batch, entry, percent, used);
  }

  #note(family: CounterFamily, batch: TakeBatch, entry: number, percent: number, used: number): void {
    this.#crossings.push({
      identity: family.identity,
      keyHigh: batch.keyHigh[entry]!,
      keyLow: batch.keyLow[entry]!,
      isShared: this.record[entry] === family.overflowRecord,
      percent,
      used,
      resetsWallMs: this.moment.wallMs + batch.resetMs[entry]!,
    });
  }

  /** To be called after every take, when its locks are free again. */
  tellCrossings(sink: ThresholdSink): void {
    if (this.#crossings.length === 0) return;
    const crossings = this.#crossings;
    this.#crossings = [];
    for (const crossing of crossings) sink.crossed(crossing);
  }
}
