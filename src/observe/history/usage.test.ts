import { describe, expect, it } from 'vitest';
import { ok } from '../../base/result.ts';
import type { UsageQuery, UsageReport } from '../../pipeline/usage.ts';
import { record } from '../record.cases.ts';
import { MemoryHistory } from './memory-history.cases.ts';
import { RollupCell } from './rollup-cell.ts';
import { createRollups, type RollupPeriod } from './rollups.ts';
import { SUMS_AT_ONCE, usageReport } from './usage.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_795_456_000_000 - (1_795_456_000_000 % HOUR_MS);

const REQUESTS = [
  [0, 'acme', 3],
  [0, 'globex', 1],
  [2, 'acme', 1],
  [2, 'acorn', 2],
] as const;

const QUERY: UsageQuery = {
  by: 'tenant',
  granularity: 'hour',
  fromMs: START_MS,
  toMs: START_MS + 10 * HOUR_MS,
  name: '',
  rowsMax: 10,
};
const LIMITS = { usageSums: 1_000, usageNames: 100 };
const pause = (): Promise<void> => Promise.resolve();

function rollupsOf(requests: readonly (readonly [hour: number, tenant: string, requests: number])[]) {
  const store = new MemoryHistory();
  const rollups = createRollups({ store, namesMax: 2_000, dayStartMs: () => START_MS });
  for (const [hour, tenant, count] of requests) {
    for (let i = 0; i < count; i++) {
      const timeMs = START_MS + hour * HOUR_MS + i * 1_000;
      const responseBytes = tenant === 'globex' ? 400 : 100;
      rollups.accept(record({ timeMs, tenant, responseBytes, costNano: 7, finishedUs: 1_000 }), null);
    }
  }
  const write = (): void => {
    store.write({ puts: rollups.pending(), removes: [] });
    rollups.written();
  };
  return { rollups, write };
}

async function report(
  changes: Partial<UsageQuery> = {},
  requests: Parameters<typeof rollupsOf>[0] = REQUESTS,
): Promise<UsageReport> {
  const { rollups } = rollupsOf(requests);
  const made = await usageReport({ rollups, limits: LIMITS, pause }, { ...QUERY, ...changes });
  if (!made.ok) throw new Error(made.error.limit);
  return made.value;
}

describe('a report of usage', () => {
  it('adds up each name over the periods in which something happened', async () => {
    const { periods, rows, total } = await report();
    expect(periods).toEqual([START_MS, START_MS + 2 * HOUR_MS]);
    expect(rows.map(({ name, requests, series }) => [name, requests, series])).toEqual([
      ['acme', 4, [3, 1]],
      ['acorn', 2, [0, 2]],
      ['globex', 1, [1, 0]],
    ]);
    expect(total).toMatchObject({
      requests: 7,
      responseBytes: 1_000,
      costNano: 49,
      meanUs: 1_000,
      series: [4, 3],
    });
    expect(total.p99Us).toBeGreaterThanOrEqual(1_000);
    expect(total.p99Us).toBeLessThanOrEqual(1_125);
    // Sizes are told by powers of two, and never above the greatest.
    expect([total.p50Bytes, total.p99Bytes]).toEqual([127, 400]);
  });

  it('keeps to the time, the name and the number of rows that are asked for', async () => {
    const names = async (changes: Partial<UsageQuery>): Promise<string[]> =>
      (await report(changes)).rows.map(({ name }) => name);
    expect(await names({ fromMs: START_MS + 1 })).toEqual(['acorn', 'acme']);
    expect((await report({ toMs: START_MS + 2 * HOUR_MS })).total.requests).toBe(4);
    expect(await names({ name: 'ac*' })).toEqual(['acme', 'acorn']);
    expect(await names({ name: 'ac' })).toEqual([]);
    const few = await report({ rowsMax: 1 });
    expect([few.rows.length, few.rowsLeftOut, few.total.requests]).toEqual([1, 2, 7]);
  });

  it('is the same from memory, from the file, and while what it reads is written', async () => {
    // More periods than keys are read at once, and several names in each.
    const requests = Array.from({ length: 80 }, (_, at) => [(at >> 1) / 60, `t${at % 4}`, at + 1] as const);
    for (const name of ['', 't1']) {
      const query = { ...QUERY, granularity: 'minute', name } as const;
      const expected = await report(query, requests);
      expect(expected.periods).toHaveLength(40 + 1);
      for (const writtenAt of [0, 1, 5]) {
        const { rollups, write } = rollupsOf(requests);
        let pauses = 0;
        if (writtenAt === 0) write();
        const writing = async (): Promise<void> => {
          if (++pauses === writtenAt) write();
        };
        expect(await usageReport({ rollups, limits: LIMITS, pause: writing }, query)).toEqual(ok(expected));
      }
    }
  });

  it('lets others have their turn after each period and at most so many sums, and ends with who asked', async () => {
    let since = 0;
    let most = 0;
    let read = 0;
    function* cells(): Generator<readonly [string, RollupCell]> {
      for (let i = 0; i < 1_300; i++) {
        read++;
        most = Math.max(most, ++since);
        yield [`t${i}`, new RollupCell()];
      }
    }
    function* periods(): Generator<RollupPeriod> {
      for (let hour = 0; hour < 4; hour++) yield { startMs: hour, cells: cells() };
    }
    const options = { rollups: { periods }, limits: { usageSums: 10_000, usageNames: 2_000 } };
    const pausing = async (): Promise<void> => {
      since = 0;
    };
    const made = await usageReport({ ...options, pause: pausing }, QUERY);
    expect([made.ok, most, read]).toEqual([true, SUMS_AT_ONCE, 4 * 1_300]);

    read = 0;
    const gone = (): Promise<void> => (read > 600 ? Promise.reject(new Error('gone')) : Promise.resolve());
    await expect(usageReport({ ...options, pause: gone }, QUERY)).rejects.toThrow('gone');
    expect(read).toBe(2 * SUMS_AT_ONCE);
  });

  it('is refused where it would look at more sums, keep apart more names, or tell more than it may', async () => {
    const { rollups } = rollupsOf(REQUESTS);
    const outcome = async (limits: Partial<typeof LIMITS>, changes: Partial<UsageQuery> = {}) => {
      const made = await usageReport(
        { rollups, limits: { ...LIMITS, ...limits }, pause },
        { ...QUERY, ...changes },
      );
      return made.ok ? 'made' : made.error;
    };
    expect(await outcome({ usageSums: 3 })).toEqual({ limit: 'usageSums', max: 3 });
    expect(await outcome({ usageSums: 4 }, { rowsMax: 2 })).toBe('made');
    // Three names in two periods are six figures.
    expect(await outcome({ usageSums: 5 })).toEqual({ limit: 'usageSums', max: 5 });
    expect(await outcome({ usageSums: 6 })).toBe('made');
    expect(await outcome({ usageNames: 2 })).toEqual({ limit: 'usageNames', max: 2 });
    expect(await outcome({ usageNames: 2 }, { name: 'ac*' })).toBe('made');
  });
});
