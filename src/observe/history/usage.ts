import type { UsageQuery, UsageReport, UsageRow } from '../../pipeline/usage.ts';
import { RollupCell } from './rollup-cell.ts';
import type { RollupPeriod, Rollups } from './rollups.ts';

/** What was used in a time, from the rollups of its periods. */
export function usageReport(rollups: Pick<Rollups, 'periods'>, query: UsageQuery): UsageReport {
  const { by, granularity, fromMs, toMs, name, rowsMax } = query;
  const periods = rollups.periods(granularity, by, fromMs, toMs);
  const sums = new Map<string, Sum>();
  const total = new Sum(periods.length);
  for (const [index, period] of periods.entries()) {
    for (const [cellName, cell] of cellsOf(period, name)) {
      const sum = sums.get(cellName) ?? new Sum(periods.length);
      sums.set(cellName, sum);
      sum.add(cell, index);
      total.add(cell, index);
    }
  }
  const rows = Array.from(sums, ([rowName, sum]) => sum.row(rowName)).sort(mostRequests);
  return {
    by,
    granularity,
    fromMs,
    toMs,
    periods: periods.map(({ startMs }) => startMs),
    rows: rows.slice(0, rowsMax),
    rowsLeftOut: Math.max(0, rows.length - rowsMax),
    total: total.row('(total)'),
  };
}

class Sum {
  readonly #cell = new RollupCell();
  readonly #series: number[];

  constructor(periods: number) {
    this.#series = new Array<number>(periods).fill(0);
  }

  add(cell: RollupCell, period: number): void {
    this.#cell.addAll(cell);
    this.#series[period]! += cell.sums.requests;
  }

  row(name: string): UsageRow {
    const { sums, latencyUs, responseBytes } = this.#cell;
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
      series: this.#series,
    };
  }
}

function* cellsOf({ cells }: RollupPeriod, wanted: string): Generator<readonly [string, RollupCell]> {
  for (const entry of cells) {
    const [name] = entry;
    const fits = wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
    if (wanted === '' || fits) yield entry;
  }
}

function mostRequests(left: UsageRow, right: UsageRow): number {
  return right.requests - left.requests || (left.name < right.name ? -1 : 1);
}
