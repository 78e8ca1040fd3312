import type { LimitValues } from '../../base/limits.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { UsageQuery, UsageReport, UsageRow, UsageTooLarge } from '../../pipeline/usage.ts';
import { RollupCell } from './rollup-cell.ts';
import type { Addend, RollupPeriod, Rollups } from './rollups.ts';

export interface UsageReportOptions {
  readonly rollups: Pick<Rollups, 'periods'>;
  readonly limits: Pick<LimitValues, 'usageSums' | 'usageNames'>;
  /** Lets others have their turn: a report is made a few sums at a time. Rejects where nobody waits for it any more. */
  readonly pause: () => Promise<void>;
}

/** Sums looked at between two pauses: about a millisecond. */
export const SUMS_AT_ONCE = 512;
const ROWS_AT_ONCE = 64;

/** What was used in a time, from the rollups of its periods. */
export async function usageReport(
  { rollups, limits, pause }: UsageReportOptions,
  query: UsageQuery,
): Promise<Result<UsageReport, UsageTooLarge>> {
  const { by, granularity, fromMs, toMs } = query;
  const sums = new Sums(limits.usageNames);
  const isMeant = nameTest(query.name);
  let looked = 0;
  for (const period of rollups.periods(granularity, by, fromMs, toMs)) {
    sums.begin(period);
    for (const [name, cell] of period.cells) {
      if (++looked > limits.usageSums) return tooLarge('usageSums', limits);
      if (isMeant(name) && !sums.add(name, cell)) return tooLarge('usageNames', limits);
      if (looked % SUMS_AT_ONCE === 0) await pause();
    }
    // However few they are: each period is a piece of the file to be read.
    await pause();
  }
  const series = sums.periods.length * Math.min(sums.names, query.rowsMax);
  return series > limits.usageSums ? tooLarge('usageSums', limits) : ok(await sums.report(query, pause));
}

function tooLarge(limit: UsageTooLarge['limit'], limits: UsageReportOptions['limits']) {
  return err({ limit, max: limits[limit] });
}

/** What was added up so far. */
class Sums {
  readonly periods: number[] = [];
  readonly #names = new Map<string, Sum>();
  readonly #namesMax: number;

  constructor(namesMax: number) {
    this.#namesMax = namesMax;
  }

  get names(): number {
    return this.#names.size;
  }

  begin({ startMs }: RollupPeriod): void {
    this.periods.push(startMs);
  }

  /** To the period that began last. False where there is no room for the name. */
  add(name: string, cell: Addend): boolean {
    let sum = this.#names.get(name);
    if (sum === undefined) {
      if (this.#names.size >= this.#namesMax) return false;
      sum = new Sum();
      this.#names.set(name, sum);
    }
    sum.add(cell, this.periods.length - 1);
    return true;
  }

  async report(
    { by, granularity, fromMs, toMs, rowsMax }: UsageQuery,
    pause: UsageReportOptions['pause'],
  ): Promise<UsageReport> {
    const sums = [...this.#names].sort(mostRequests);
    const total = new RollupCell();
    const totalSeries = this.#emptySeries();
    const rows: UsageRow[] = [];
    for (const [index, [name, { cell, counts }]] of sums.entries()) {
      total.addAll(cell);
      counts.addTo(totalSeries);
      if (index < rowsMax) rows.push(rowOf(name, cell, counts.addTo(this.#emptySeries())));
      if (index % ROWS_AT_ONCE === 0) await pause();
    }
    return {
      by,
      granularity,
      fromMs,
      toMs,
      periods: this.periods,
      rows,
      rowsLeftOut: sums.length - rows.length,
      total: rowOf('(total)', total, totalSeries),
    };
  }

  #emptySeries(): number[] {
    return new Array<number>(this.periods.length).fill(0);
  }
}

class Sum {
  readonly cell = new RollupCell();
  readonly counts = new CountsByPeriod();

  add(cell: Addend, period: number): void {
    const before = this.cell.sums.requests;
    cell.addTo(this.cell);
    this.counts.add(period, this.cell.sums.requests - before);
  }
}

/** Only of periods in which there was something: most names are not used all the time. */
class CountsByPeriod {
  readonly #periods: number[] = [];
  readonly #counts: number[] = [];

  add(period: number, count: number): void {
    this.#periods.push(period);
    this.#counts.push(count);
  }

  addTo(series: number[]): number[] {
    for (const [index, period] of this.#periods.entries()) series[period]! += this.#counts[index]!;
    return series;
  }
}

function rowOf(name: string, { sums, latencyUs, responseBytes }: RollupCell, series: number[]): UsageRow {
  const { durationUs, ...told } = sums;
  return {
    name,
    ...told,
    meanUs: sums.requests === 0 ? 0 : durationUs / sums.requests,
    p50Us: latencyUs.percentile(0.5),
    p90Us: latencyUs.percentile(0.9),
    p99Us: latencyUs.percentile(0.99),
    p50Bytes: responseBytes.percentile(0.5),
    p99Bytes: responseBytes.percentile(0.99),
    series,
  };
}

function nameTest(wanted: string): (name: string) => boolean {
  if (wanted === '') return () => true;
  if (!wanted.endsWith('*')) return (name) => name === wanted;
  const beginning = wanted.slice(0, -1);
  return (name) => name.startsWith(beginning);
}

function mostRequests([leftName, left]: [string, Sum], [rightName, right]: [string, Sum]): number {
  const difference = right.cell.sums.requests - left.cell.sums.requests;
  return difference || (leftName < rightName ? -1 : 1);
}
