/**
 * Requests added up by minute, hour and day. Each record is counted into its minute alone; when the history is written, minutes are
 * added to their hours and days. What is in the file is brought together with what is in memory whenever somebody asks.
 */
import type { HistoryEntry, HistoryKey, HistoryStore } from '../../pipeline/history.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import { USAGE_GRANULARITIES, type UsageGranularity } from '../../pipeline/usage.ts';
import type { RecordConsumer } from '../record-drain.ts';
import type { RecordFrame } from '../record-format.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { cellOf, type Dimensions, emptyDimensions, MinuteCounts } from './minute-counts.ts';
import type { RollupCell } from './rollup-cell.ts';
import { decodeCells, encodeCells, StoredCells } from './rollup-codec.ts';
import { ROLLUP_DIMENSIONS, type RollupDimension } from './rollup-dimensions.ts';

export const GRANULARITIES = USAGE_GRANULARITIES;
export type Granularity = UsageGranularity;

export interface RollupPeriod {
  readonly startMs: number;
  /** To be gone through once, before the next period is asked for; each cell is good until the next. */
  readonly cells: Iterable<readonly [name: string, cell: Addend]>;
}

/** What can be added to a cell. */
export interface Addend {
  addTo(cell: RollupCell): void;
}

export interface Rollups extends RecordConsumer {
  /** What is to be written so that the file knows everything counted so far. */
  pending(): readonly HistoryEntry[];
  /** What {@link pending} said is in the file. */
  written(): void;
  /**
   * Periods that begin in [fromMs, toMs), oldest first; those in which nothing happened are left out. Each is read when it is asked
   * for, and nothing of the file is held meanwhile: whoever goes through many may let others have their turn between any two steps.
   */
  periods(
    granularity: Granularity,
    dimension: RollupDimension,
    fromMs: number,
    toMs: number,
  ): Iterable<RollupPeriod>;
  /** Keys of periods that ended before the time that each granularity is kept for; at most `countMax` of each. */
  outdated(
    nowMs: number,
    keptMs: Readonly<Record<Granularity, number>>,
    countMax: number,
  ): readonly HistoryKey[];
  /** Requests counted under {@link OTHER_NAMES}, since the start. */
  readonly leftOut: number;
}

export interface RollupsOptions {
  readonly store: HistoryStore;
  /** The limit `rollupNames`. */
  readonly namesMax: number;
  /** The start of the day that a moment lies in, in the zone of the project. */
  readonly dayStartMs: (ms: number) => number;
}

export const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The last moment that a calendar knows (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15 - 1;
/** More than one period has: one for each dimension. */
const KEYS_AT_ONCE = 64;
/** Periods of each granularity held in memory while the file can't be written: of more, the oldest are given up. */
const PERIODS_WAITING_MAX = 120;

export function createRollups(options: RollupsOptions): Rollups {
  return new CountedRollups(options);
}

class CountedRollups implements Rollups {
  readonly #options: RollupsOptions;
  /** Counted and not yet added to {@link CountedRollups.#periods}. */
  readonly #minutes = new Map<number, MinuteCounts>();
  #minuteMs = Number.NaN;
  #minute: MinuteCounts;
  readonly #periods: Readonly<Record<Granularity, Map<number, Dimensions>>> = {
    minute: new Map(),
    hour: new Map(),
    day: new Map(),
  };
  leftOut = 0;

  constructor(options: RollupsOptions) {
    this.#options = options;
    this.#minute = new MinuteCounts(options.namesMax);
  }

  accept(record: AccessRecord, frame: RecordFrame | null): void {
    const endMs = record.timeMs + Math.max(0, record.finishedUs) / 1_000;
    // Nothing else holds a record that came out damaged: it belongs to no period.
    if (!(endMs >= 0 && endMs <= LAST_MS)) return;
    this.leftOut += this.#minuteOf(endMs).count(record, frame);
  }

  endBatch(): void {}

  pending(): readonly HistoryEntry[] {
    this.#addMinutes();
    return GRANULARITIES.flatMap((granularity) => this.#entries(granularity));
  }

  /** What goes on is read again a minute later: less than it would take to hold on to it. */
  written(): void {
    for (const granularity of GRANULARITIES) this.#periods[granularity].clear();
  }

  *periods(
    granularity: Granularity,
    dimension: RollupDimension,
    fromMs: number,
    toMs: number,
  ): Generator<RollupPeriod> {
    this.#addMinutes();
    const held = this.#periods[granularity];
    const inMemory = [...held.keys()].filter((ms) => ms >= fromMs && ms < toMs);
    for (const startMs of merged(inMemory.sort(ascending), this.#stored(granularity, fromMs, toMs))) {
      // What was in memory when the scan began may be in the file by now.
      const cells = held.get(startMs)?.[dimension] ?? this.#read(granularity, startMs, dimension);
      if (cells !== null) yield { startMs, cells };
    }
  }

  outdated(
    nowMs: number,
    keptMs: Readonly<Record<Granularity, number>>,
    countMax: number,
  ): readonly HistoryKey[] {
    return GRANULARITIES.flatMap((granularity, number) => {
      const range = { from: [number], order: 'ascending', countMax } as const;
      return this.#options.store
        .keys(HISTORY_TABLES.rollups, range)
        .filter(([, at, startMs]) => at === number && startMs! < nowMs - keptMs[granularity]);
    });
  }

  /** Starts of periods in the file, ascending; a few keys at a time, so that no transaction outlives the turn. */
  *#stored(granularity: Granularity, fromMs: number, toMs: number): Generator<number> {
    const number = GRANULARITIES.indexOf(granularity);
    let nextMs = fromMs;
    for (;;) {
      const range = { from: [number, nextMs], order: 'ascending', countMax: KEYS_AT_ONCE } as const;
      const keys = this.#options.store.keys(HISTORY_TABLES.rollups, range);
      for (const [, at, startMs] of keys) {
        if (at !== number || startMs! >= toMs) return;
        if (startMs! >= nextMs) yield startMs!;
        nextMs = startMs! + 1;
      }
      if (keys.length < KEYS_AT_ONCE) return;
    }
  }

  #read(granularity: Granularity, startMs: number, dimension: RollupDimension): StoredCells | null {
    const bytes = this.#options.store.get(keyOf(granularity, startMs, dimension));
    return bytes === null ? null : new StoredCells(bytes);
  }

  /** By the moment of the end: that is when the record is written, so minutes are complete soon after they are over. */
  #minuteOf(endMs: number): MinuteCounts {
    const minuteMs = Math.floor(endMs / MINUTE_MS) * MINUTE_MS;
    if (minuteMs === this.#minuteMs) return this.#minute;
    let minute = this.#minutes.get(minuteMs);
    if (minute === undefined) {
      // They wait while the file can't be read.
      if (this.#minutes.size >= PERIODS_WAITING_MAX) this.#minutes.delete(Math.min(...this.#minutes.keys()));
      minute = new MinuteCounts(this.#options.namesMax);
      this.#minutes.set(minuteMs, minute);
    }
    this.#minuteMs = minuteMs;
    this.#minute = minute;
    return minute;
  }

  #addMinutes(): void {
    this.#minuteMs = Number.NaN;
    for (const [minuteMs, { dimensions }] of this.#minutes) {
      // All of them are read first: where that throws, the minute was added to none, and is added to all later.
      const periods = [
        this.#periodOf('minute', minuteMs),
        this.#periodOf('hour', Math.floor(minuteMs / HOUR_MS) * HOUR_MS),
        this.#periodOf('day', this.#options.dayStartMs(minuteMs)),
      ];
      for (const period of periods) this.#add(period, dimensions);
      this.#minutes.delete(minuteMs);
    }
  }

  #add(period: Dimensions, counted: Dimensions): void {
    for (const dimension of ROLLUP_DIMENSIONS) {
      for (const [name, cell] of counted[dimension]) {
        cellOf(period[dimension], name, this.#options.namesMax).cell.addAll(cell);
      }
    }
  }

  #periodOf(granularity: Granularity, startMs: number): Dimensions {
    const periods = this.#periods[granularity];
    let period = periods.get(startMs);
    if (period !== undefined) return period;
    if (periods.size >= PERIODS_WAITING_MAX) periods.delete(Math.min(...periods.keys()));
    period = emptyDimensions();
    for (const dimension of ROLLUP_DIMENSIONS) {
      const bytes = this.#options.store.get(keyOf(granularity, startMs, dimension));
      const cells = bytes === null ? null : decodeCells(bytes);
      for (const [name, cell] of cells ?? []) period[dimension].set(name, cell);
    }
    periods.set(startMs, period);
    return period;
  }

  #entries(granularity: Granularity): HistoryEntry[] {
    const entries: HistoryEntry[] = [];
    for (const [startMs, dimensions] of this.#periods[granularity]) {
      for (const dimension of ROLLUP_DIMENSIONS) {
        entries.push({
          key: keyOf(granularity, startMs, dimension),
          bytes: encodeCells(dimensions[dimension]),
        });
      }
    }
    return entries;
  }
}

/** Of two ascending sequences, each number once. */
function* merged(left: readonly number[], right: Iterable<number>): Generator<number> {
  let at = 0;
  for (const number of right) {
    while (at < left.length && left[at]! < number) yield left[at++]!;
    if (left[at] === number) at++;
    yield number;
  }
  yield* left.slice(at);
}

function ascending(left: number, right: number): number {
  return left - right;
}

function keyOf(granularity: Granularity, startMs: number, dimension: RollupDimension): HistoryKey {
  return [
    HISTORY_TABLES.rollups,
    GRANULARITIES.indexOf(granularity),
    startMs,
    ROLLUP_DIMENSIONS.indexOf(dimension),
  ];
}
