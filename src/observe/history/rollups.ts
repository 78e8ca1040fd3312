/**
 * Requests added up by minute, hour and day. Each record is counted into its minute alone; when the history is written, minutes are
 * added to their hours and days. What is in the file is brought together with what is in memory whenever somebody asks.
 */
import type { HistoryEntry, HistoryKey, HistoryStore } from '../../pipeline/history.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import { USAGE_GRANULARITIES, type UsageGranularity } from '../../pipeline/usage.ts';
import type { RecordConsumer } from '../record-drain.ts';
import type { RecordFrame } from '../record-format.ts';
import {
  CALLER_NAMES,
  type CallerNames,
  DECISION_NAMES,
  type DecisionNames,
  ROUTE_NAMES,
  type RouteNames,
} from '../record-names.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { RollupCell } from './rollup-cell.ts';
import { decodeCells, encodeCells } from './rollup-codec.ts';
import {
  consumerName,
  credentialName,
  decisionName,
  ROLLUP_DIMENSIONS,
  type RollupDimension,
  routeName,
  tenantName,
} from './rollup-dimensions.ts';

export const GRANULARITIES = USAGE_GRANULARITIES;
export type Granularity = UsageGranularity;

export type Cells = ReadonlyMap<string, RollupCell>;

export interface RollupPeriod {
  readonly startMs: number;
  readonly cells: Cells;
}

export interface Rollups extends RecordConsumer {
  /** What is to be written so that the file knows everything counted so far. */
  pending(): readonly HistoryEntry[];
  /** What {@link pending} said is in the file. */
  written(): void;
  /** Periods that begin in [fromMs, toMs), oldest first; those in which nothing happened are left out. */
  periods(
    granularity: Granularity,
    dimension: RollupDimension,
    fromMs: number,
    toMs: number,
  ): readonly RollupPeriod[];
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

export const OTHER_NAMES = '(others)';
export const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The last moment that a calendar knows (ECMA-262, 21.4.1.1). */
const LAST_MS = 8.64e15 - 1;
/** Periods of each granularity held in memory while the file can't be written: of more, the oldest are given up. */
const PERIODS_WAITING_MAX = 120;

export function createRollups(options: RollupsOptions): Rollups {
  return new CountedRollups(options);
}

type Dimensions = Readonly<Record<RollupDimension, Map<string, RollupCell>>>;

/** Cells of a period in memory. */
class Period {
  readonly dimensions: Dimensions = {
    route: new Map(),
    tenant: new Map(),
    consumer: new Map(),
    credential: new Map(),
    decision: new Map(),
  };
}

class CountedRollups implements Rollups {
  readonly #options: RollupsOptions;
  /** Counted and not yet added to {@link CountedRollups.#periods}. */
  readonly #minutes = new Map<number, Minute>();
  #minuteMs = Number.NaN;
  #minute: Minute;
  readonly #periods: Readonly<Record<Granularity, Map<number, Period>>> = {
    minute: new Map(),
    hour: new Map(),
    day: new Map(),
  };
  leftOut = 0;

  constructor(options: RollupsOptions) {
    this.#options = options;
    this.#minute = new Minute(options.namesMax);
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

  periods(
    granularity: Granularity,
    dimension: RollupDimension,
    fromMs: number,
    toMs: number,
  ): readonly RollupPeriod[] {
    this.#addMinutes();
    const found = new Map<number, Cells>();
    const number = ROLLUP_DIMENSIONS.indexOf(dimension);
    const from = [GRANULARITIES.indexOf(granularity), fromMs];
    for (const { key, bytes } of this.#options.store.entries(HISTORY_TABLES.rollups, {
      from,
      order: 'ascending',
    })) {
      const [, granularityAt, startMs, dimensionAt] = key;
      if (granularityAt !== from[0] || startMs! >= toMs) break;
      if (dimensionAt !== number) continue;
      const cells = decodeCells(bytes);
      if (cells !== null) found.set(startMs!, cells);
    }
    for (const [startMs, period] of this.#periods[granularity]) {
      if (startMs >= fromMs && startMs < toMs) found.set(startMs, period.dimensions[dimension]);
    }
    return [...found]
      .map(([startMs, cells]) => ({ startMs, cells }))
      .sort((left, right) => left.startMs - right.startMs);
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

  /** By the moment of the end: that is when the record is written, so minutes are complete soon after they are over. */
  #minuteOf(endMs: number): Minute {
    const minuteMs = Math.floor(endMs / MINUTE_MS) * MINUTE_MS;
    if (minuteMs === this.#minuteMs) return this.#minute;
    let minute = this.#minutes.get(minuteMs);
    if (minute === undefined) {
      minute = new Minute(this.#options.namesMax);
      this.#minutes.set(minuteMs, minute);
    }
    this.#minuteMs = minuteMs;
    this.#minute = minute;
    return minute;
  }

  #addMinutes(): void {
    for (const [minuteMs, { dimensions }] of this.#minutes) {
      this.#add('minute', minuteMs, dimensions);
      this.#add('hour', Math.floor(minuteMs / HOUR_MS) * HOUR_MS, dimensions);
      this.#add('day', this.#options.dayStartMs(minuteMs), dimensions);
    }
    this.#minutes.clear();
    this.#minuteMs = Number.NaN;
  }

  #add(granularity: Granularity, startMs: number, counted: Dimensions): void {
    const period = this.#periodOf(granularity, startMs);
    for (const dimension of ROLLUP_DIMENSIONS) {
      for (const [name, cell] of counted[dimension]) {
        cellOf(period.dimensions[dimension], name, this.#options.namesMax).cell.addAll(cell);
      }
    }
  }

  #periodOf(granularity: Granularity, startMs: number): Period {
    const periods = this.#periods[granularity];
    let period = periods.get(startMs);
    if (period !== undefined) return period;
    if (periods.size >= PERIODS_WAITING_MAX) periods.delete(Math.min(...periods.keys()));
    period = new Period();
    for (const dimension of ROLLUP_DIMENSIONS) {
      const bytes = this.#options.store.get(keyOf(granularity, startMs, dimension));
      const cells = bytes === null ? null : decodeCells(bytes);
      for (const [name, cell] of cells ?? []) period.dimensions[dimension].set(name, cell);
    }
    periods.set(startMs, period);
    return period;
  }

  #entries(granularity: Granularity): HistoryEntry[] {
    const entries: HistoryEntry[] = [];
    for (const [startMs, { dimensions }] of this.#periods[granularity]) {
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

/** Cells of one minute, found by groups of names: no text is put together for a record. */
class Minute {
  readonly dimensions: Dimensions = new Period().dimensions;
  readonly #namesMax: number;
  readonly #routes = new Map<RouteNames, CountedCell>();
  readonly #callers = new Map<CallerNames, readonly CountedCell[]>();
  readonly #decisions = new Map<DecisionNames, CountedCell>();

  constructor(namesMax: number) {
    this.#namesMax = namesMax;
  }

  /** Answers in how many dimensions the record was counted under another name than its own. */
  count(record: AccessRecord, frame: RecordFrame | null): number {
    const route = this.#route(frame === null ? ROUTE_NAMES.pick(record) : frame.routeNames);
    const decision = this.#decision(frame === null ? DECISION_NAMES.pick(record) : frame.decisionNames);
    const callers = this.#caller(frame === null ? CALLER_NAMES.pick(record) : frame.callerNames);
    route.cell.count(record);
    decision.cell.count(record);
    let leftOut = (route.own ? 0 : 1) + (decision.own ? 0 : 1);
    for (const { cell, own } of callers) {
      cell.count(record);
      if (!own) leftOut++;
    }
    return leftOut;
  }

  #route(names: RouteNames): CountedCell {
    let known = this.#routes.get(names);
    if (known === undefined) {
      known = this.#cell('route', routeName(names));
      this.#routes.set(names, known);
    }
    return known;
  }

  #decision(names: DecisionNames): CountedCell {
    let known = this.#decisions.get(names);
    if (known === undefined) {
      known = this.#cell('decision', decisionName(names));
      this.#decisions.set(names, known);
    }
    return known;
  }

  #caller(names: CallerNames): readonly CountedCell[] {
    let known = this.#callers.get(names);
    if (known === undefined) {
      known = [
        this.#cell('tenant', tenantName(names)),
        this.#cell('consumer', consumerName(names)),
        this.#cell('credential', credentialName(names)),
      ];
      this.#callers.set(names, known);
    }
    return known;
  }

  #cell(dimension: RollupDimension, name: string): CountedCell {
    return cellOf(this.dimensions[dimension], name, this.#namesMax);
  }
}

interface CountedCell {
  readonly cell: RollupCell;
  /** False for the one that names beyond the bound share. */
  readonly own: boolean;
}

/** One more than `namesMax`: what they don't hold is never lost. */
function cellOf(cells: Map<string, RollupCell>, name: string, namesMax: number): CountedCell {
  const known = cells.get(name);
  if (known !== undefined) return { cell: known, own: name !== OTHER_NAMES };
  const own = cells.size < namesMax;
  const kept = own ? name : OTHER_NAMES;
  const cell = cells.get(kept) ?? new RollupCell();
  cells.set(kept, cell);
  return { cell, own };
}

function keyOf(granularity: Granularity, startMs: number, dimension: RollupDimension): HistoryKey {
  return [
    HISTORY_TABLES.rollups,
    GRANULARITIES.indexOf(granularity),
    startMs,
    ROLLUP_DIMENSIONS.indexOf(dimension),
  ];
}
