import { describe, expect, it } from 'vitest';
import type { UsageQuery } from '../../pipeline/usage.ts';
import { record } from '../record.cases.ts';
import { MemoryHistory } from './memory-history.cases.ts';
import { createRollups } from './rollups.ts';
import { usageReport } from './usage.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_795_456_000_000 - (1_795_456_000_000 % HOUR_MS);

function report(changes: Partial<UsageQuery> = {}): ReturnType<typeof usageReport> {
  const rollups = createRollups({ store: new MemoryHistory(), namesMax: 10, dayStartMs: () => START_MS });
  for (const [hour, tenant, requests] of [
    [0, 'acme', 3],
    [0, 'globex', 1],
    [2, 'acme', 1],
    [2, 'acorn', 2],
  ] as const) {
    for (let i = 0; i < requests; i++) {
      const timeMs = START_MS + hour * HOUR_MS + i * 1_000;
      rollups.accept(record({ timeMs, tenant, responseBytes: 100, costNanoUsd: 7, finishedUs: 1_000 }), null);
    }
  }
  return usageReport(rollups, {
    by: 'tenant',
    granularity: 'hour',
    fromMs: START_MS,
    toMs: START_MS + 10 * HOUR_MS,
    name: '',
    rowsMax: 10,
    ...changes,
  });
}

describe('a report of usage', () => {
  it('adds up each name over the periods in which something happened', () => {
    const { periods, rows, total } = report();
    expect(periods).toEqual([START_MS, START_MS + 2 * HOUR_MS]);
    expect(rows.map(({ name, requests, series }) => [name, requests, series])).toEqual([
      ['acme', 4, [3, 1]],
      ['acorn', 2, [0, 2]],
      ['globex', 1, [1, 0]],
    ]);
    expect(total).toMatchObject({ requests: 7, responseBytes: 700, costNano: 49, meanUs: 1_000 });
    expect(total.p99Us).toBeGreaterThanOrEqual(1_000);
    expect(total.p99Us).toBeLessThanOrEqual(1_125);
  });

  it('keeps to the time, the name and the number of rows that are asked for', () => {
    expect(report({ fromMs: START_MS + 1 }).rows.map(({ name }) => name)).toEqual(['acorn', 'acme']);
    expect(report({ toMs: START_MS + 2 * HOUR_MS }).total.requests).toBe(4);
    expect(report({ name: 'ac*' }).rows.map(({ name }) => name)).toEqual(['acme', 'acorn']);
    expect(report({ name: 'ac' }).rows).toEqual([]);
    const few = report({ rowsMax: 1 });
    expect([few.rows.length, few.rowsLeftOut, few.total.requests]).toEqual([1, 2, 7]);
  });
});
