/** Puts what an earlier process has counted into the counters of this one, before any thread takes from them. */
import type { CounterFamily } from '../counter-family.ts';
import { Moment } from '../counter-kind.ts';
import type { RateRegion } from '../counter-registry.ts';
import { assignRecord, cellsAt, chooseRecord, findRecord, NO_RECORD, shardOf } from '../counter-table.ts';
import type { CataloguedRegion } from './catalogue.ts';
import { ENTRY, ENTRY_FLAGS } from './journal-format.ts';
import type { JournalEntries } from './journal-reading.ts';
import { SHARED_COUNTER } from './snapshot-format.ts';
import { eachRecord, type Snapshot } from './snapshot-reading.ts';

/** What was read of an earlier process, all of it as it was written. */
export interface RateContents {
  readonly regions: readonly CataloguedRegion[];
  readonly snapshot: Snapshot;
  /** Of each thread; none after a stop that left a whole snapshot. */
  readonly journals: readonly JournalEntries[];
  /** Added to all moments: 0 on the same boot. */
  readonly shiftTicks: number;
}

/**
 * Every window is full, and every bucket empty, as of `ticks`: nobody knows what was taken until then. The counter that keys share
 * is filled, because a key without one of its own may be part of it, and begins with its contents.
 */
export function fillRates(regions: readonly RateRegion[], ticks: number): void {
  for (const { families } of regions) {
    for (const family of families) {
      const at = cellsAt(family, family.overflowRecord);
      const used = family.kind.used(family, family.cells, at, momentOf(ticks));
      family.rate!.book(family, family.cells, at, Math.max(0, family.capacity - used), ticks);
    }
  }
}

export function restoreRates(contents: RateContents, regions: readonly RateRegion[], now: Moment): void {
  new Restoration(contents, regions, now).run();
}

class Restoration {
  readonly #contents: RateContents;
  readonly #now: Moment;
  /** By the region's number of that process. */
  readonly #targets = new Map<number, Target>();

  constructor(contents: RateContents, regions: readonly RateRegion[], now: Moment) {
    this.#contents = contents;
    this.#now = now;
    const bySignature = new Map(
      regions.flatMap((region) => region.signatures.map((signature) => [signature, region] as const)),
    );
    for (const stored of contents.regions) {
      // What it counted was given up before the process ended; a limit of its name that came later has a region of its own.
      if (stored.gone === true) continue;
      const region = bySignature.get(stored.signature);
      if (region === undefined) continue;
      const family = region.families.at(-1)!;
      this.#targets.set(stored.region, { family, stored, seen: new Map() });
    }
  }

  /** Shared counters first: counters of keys begin as copies of them. */
  run(): void {
    for (const shared of [true, false]) {
      this.#readSnapshot(shared);
      this.#readJournals(shared);
    }
  }

  #readSnapshot(shared: boolean): void {
    const { snapshot, shiftTicks } = this.#contents;
    for (const chunk of snapshot.chunks) {
      const target = this.#targets.get(chunk.region);
      if (target === undefined || (chunk.shard === SHARED_COUNTER) !== shared) continue;
      target.seen.set(chunk.shard, chunk.positions);
      const { family } = target;
      const stored = new Float64Array(target.stored.recordCells);
      eachRecord(snapshot, chunk, stored, (keyHigh, keyLow) => {
        const record = shared ? family.overflowRecord : this.#recordOf(family, keyHigh, keyLow, false);
        family.rate!.restore(family, family.cells, cellsAt(family, record), stored, shiftTicks);
      });
    }
  }

  /** In the order of time, as far as threads agree on it: buckets depend on it. */
  #readJournals(shared: boolean): void {
    const { journals } = this.#contents;
    const next = journals.map(() => 0);
    for (;;) {
      let first = -1;
      let firstTicks = Number.POSITIVE_INFINITY;
      for (let thread = 0; thread < journals.length; thread++) {
        const journal = journals[thread]!;
        if (next[thread] === journal.at.length) continue;
        const ticks = ticksAt(journal, journal.at[next[thread]!]!);
        if (ticks >= firstTicks) continue;
        first = thread;
        firstTicks = ticks;
      }
      if (first < 0) return;
      this.#apply(first, next[first]!++, shared);
    }
  }

  #apply(thread: number, entry: number, shared: boolean): void {
    const journal = this.#contents.journals[thread]!;
    const { words, doubles } = journal;
    const at = journal.at[entry]!;
    const flags = words[at + ENTRY.flags]!;
    if (((flags & ENTRY_FLAGS.shared) !== 0) !== shared) return;
    const target = this.#targets.get(words[at + ENTRY.region]!);
    if (target === undefined) return;
    const { family, stored, seen } = target;
    const keyHigh = words[at + ENTRY.keyHigh]!;
    const keyLow = words[at + ENTRY.keyLow]!;
    const positions = seen.get(shared ? SHARED_COUNTER : keyLow & (stored.shards - 1));
    if (positions !== undefined && ((journal.sequence[entry]! - positions[thread]!) | 0) < 0) return;
    const copied = (flags & ENTRY_FLAGS.copied) !== 0;
    const record = shared ? family.overflowRecord : this.#recordOf(family, keyHigh, keyLow, copied);
    const weight = doubles[at / 2 + ENTRY.weight]!;
    const ticks = ticksAt(journal, at) + this.#contents.shiftTicks;
    family.rate!.book(family, family.cells, cellsAt(family, record), weight, ticks);
  }

  /** The key's record; the shared one where there is no room for its own. */
  #recordOf(family: CounterFamily, keyHigh: number, keyLow: number, copied: boolean): number {
    const own = findRecord(family, keyHigh, keyLow);
    if (own !== NO_RECORD) return own;
    const made = chooseRecord(family, shardOf(family, keyLow), this.#now);
    if (made === NO_RECORD) return family.overflowRecord;
    assignRecord(family, made, copied ? family.overflowRecord : family.blankRecord, keyHigh, keyLow);
    return made;
  }
}

interface Target {
  readonly family: CounterFamily;
  readonly stored: CataloguedRegion;
  /** By shard: how many entries of each thread the snapshot has. */
  readonly seen: Map<number, Int32Array>;
}

function ticksAt({ doubles }: JournalEntries, at: number): number {
  return doubles[at / 2 + ENTRY.ticks]!;
}

function momentOf(ticks: number): Moment {
  FILLED.ticks = ticks;
  return FILLED;
}

const FILLED = new Moment();
