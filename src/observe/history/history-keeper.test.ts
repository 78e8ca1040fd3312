import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../base/ports.ts';
import type { HistoryProblem } from '../../pipeline/history.ts';
import { LOG_TEXT_FIELDS, type LogQuery, type LogTextField, statusFilter } from '../../pipeline/log-query.ts';
import type { AccessRecord } from '../../pipeline/record.ts';
import { anyRecord, record } from '../record.cases.ts';
import { createRecordReader, createRecordRing, createRecordWriter } from '../record-ring.ts';
import { HistoryKeeper, type HistoryKeeperOptions } from './history-keeper.ts';
import { type LogCursor, searchLog } from './log-search.ts';
import { MemoryHistory } from './memory-history.cases.ts';
import { RollupCell } from './rollup-cell.ts';
import { OTHER_NAMES, ROLLUP_DIMENSIONS, type RollupDimension } from './rollup-dimensions.ts';
import { type Addend, createRollups, GRANULARITIES, type Rollups } from './rollups.ts';

const START_MS = 1_795_456_000_000;
const DAY_MS = 24 * 3_600_000;
const EVERYTHING: LogQuery = {
  texts: [],
  statuses: [],
  sinceMs: null,
  untilMs: null,
  amounts: [],
  aborted: null,
};

class TestClock implements Clock {
  ms = 0;
  monotonicMs(): number {
    return this.ms;
  }
  wallMs(): number {
    return START_MS + this.ms;
  }
}

class Rig {
  readonly clock = new TestClock();
  readonly store = new MemoryHistory();
  readonly problems: HistoryProblem[] = [];
  back = 0;
  keeper: HistoryKeeper;
  readonly #changes: Partial<HistoryKeeperOptions>;

  constructor(changes: Partial<HistoryKeeperOptions> = {}) {
    this.#changes = changes;
    this.keeper = this.open();
  }

  /** Also as after a kill: what was not written is gone. */
  open(): HistoryKeeper {
    this.keeper = new HistoryKeeper({
      store: this.store,
      clock: this.clock,
      retention: {
        logBytes: 2 ** 30,
        logAgeMs: 7 * DAY_MS,
        rollupsMs: { minute: DAY_MS, hour: 60 * DAY_MS, day: 1_000 * DAY_MS },
      },
      requestLogQueueBytes: 2 ** 20,
      rollupNames: 100,
      dayStartMs: (ms) => Math.floor(ms / DAY_MS) * DAY_MS,
      onAway: (problem) => this.problems.push(problem),
      onBack: () => this.back++,
      ...this.#changes,
    });
    return this.keeper;
  }

  record(changes: Partial<AccessRecord> = {}): void {
    this.keeper.accept(record({ timeMs: this.clock.wallMs(), ...changes }), null);
    this.keeper.endBatch();
  }

  pass(ms: number): void {
    this.clock.ms += ms;
    this.keeper.turn();
  }

  async search(query: Partial<LogQuery> = {}, recordsMax = 10_000): Promise<AccessRecord[]> {
    const found: AccessRecord[] = [];
    let next: LogCursor | null = null;
    do {
      const options = { store: this.store, clock: this.clock, pause: () => Promise.resolve() };
      const page = await searchLog(options, { ...EVERYTHING, ...query }, recordsMax, next);
      found.push(...page.records);
      next = page.next;
    } while (next !== null);
    return found;
  }
}

/** Everything that rollups say, as plain data. */
function told(rollups: Rollups): object {
  return Object.fromEntries(
    GRANULARITIES.flatMap((granularity) =>
      ROLLUP_DIMENSIONS.map((dimension) => [
        `${granularity} ${dimension}`,
        Array.from(
          rollups.periods(granularity, dimension, 0, Number.MAX_SAFE_INTEGER),
          ({ startMs, cells }) => [
            startMs,
            Array.from(cells, ([name, cell]) => [name, copyOf(cell)] as const)
              .sort(([left], [right]) => (left < right ? -1 : 1))
              .map(([name, { sums, histograms }]) => [
                name,
                sums,
                histograms.map((histogram) => [[...histogram.filled()], histogram.max]),
              ]),
          ],
        ),
      ]),
    ),
  );
}

function copyOf(cell: Addend): RollupCell {
  const copy = new RollupCell();
  cell.addTo(copy);
  return copy;
}

function requestsBy(rollups: Rollups, dimension: RollupDimension): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { cells } of rollups.periods('day', dimension, 0, Number.MAX_SAFE_INTEGER)) {
    for (const [name, cell] of cells) sums[name] = (sums[name] ?? 0) + copyOf(cell).sums.requests;
  }
  return sums;
}

const life = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('request' as const),
        names: fc.nat(6),
        lateMs: fc.nat(200_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(100, 1_000, 59_000, 3_600_000),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
  ),
  { maxLength: 60 },
);

describe('the history', () => {
  it('has rollups that equal a recount of its log, whatever happens and whenever it is killed', async () => {
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        const rig = new Rig();
        for (const step of steps) {
          if (step.kind === 'request') {
            const { names, lateMs } = step;
            rig.record({
              timeMs: rig.clock.wallMs() - lateMs,
              finishedUs: lateMs * 1_000,
              route: `r${names % 3}`,
              tenant: names % 2 === 0 ? 'acme' : '',
              consumer: names % 2 === 0 ? `c${names}` : '',
              status: [200, 404, 503][names % 3]!,
              code: names % 3 === 0 ? '' : 'limit_exceeded',
              responseBytes: lateMs,
              costNano: names,
            });
          } else if (step.kind === 'pass') rig.pass(step.ms);
          else {
            if (step.kind === 'stop') rig.keeper.stop();
            rig.open();
          }
        }
        rig.keeper.stop();
        const recount = createRollups({
          store: new MemoryHistory(),
          namesMax: 100,
          dayStartMs: (ms) => Math.floor(ms / DAY_MS) * DAY_MS,
        });
        for (const found of await rig.search()) recount.accept(found, null);
        expect(told(rig.keeper.rollups)).toEqual(told(recount));
        expect(told(rig.open().rollups)).toEqual(told(recount));
      }),
      { numRuns: 50 },
    );
  });

  it('gives each record back as it was, through a ring and without one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 12 }), async (records) => {
        const rig = new Rig();
        const ring = createRecordRing(256 * 1024);
        const writer = createRecordWriter(ring);
        const reader = createRecordReader(ring);
        const kept: AccessRecord[] = [];
        for (const one of records) {
          writer.write(one);
          reader.drain(1, (drained, frame) => {
            kept.push({ ...drained });
            rig.keeper.accept(drained, frame);
          });
          rig.keeper.accept(one, null);
          kept.push({ ...one });
        }
        rig.keeper.stop();
        expect(await rig.search()).toEqual(kept.reverse());
      }),
      { numRuns: 30 },
    );
  });

  it('is found by each field of its own', async () => {
    const rig = new Rig();
    const fields = Object.entries(LOG_TEXT_FIELDS) as [LogTextField, { readonly field: string }][];
    // What a record has in one field the others have in the next: a search that looks elsewhere finds another.
    const textOf = (record: number, field: number): string =>
      `value-${(record + field) % fields.length}-${record === field ? 'own' : 'other'}`;
    for (const record of fields.keys()) {
      const texts = fields.map(([, { field }], number) => [
        field === 'rules' ? 'decidingRule' : field,
        textOf(record, number),
      ]);
      rig.record(Object.fromEntries(texts));
    }
    rig.keeper.flush();
    for (const [number, [field]] of fields.entries()) {
      const found = await rig.search({ texts: [{ field, values: [textOf(number, number)] }] });
      expect(
        found.map(({ requestId }) => requestId),
        field,
      ).toEqual([textOf(number, 0)]);
    }
  });

  it('is found by beginnings, classes of status, times and lengths', async () => {
    const rig = new Rig();
    rig.record({ requestId: 'id-1', tenant: 'acme', path: '/orders/1', status: 200, finishedUs: 10 });
    rig.pass(1_000);
    rig.record({
      requestId: 'id-2',
      tenant: 'globex',
      path: '/orders/2',
      status: 429,
      finishedUs: 5_000,
      code: 'limit_exceeded',
    });
    rig.pass(61_000);
    rig.record({
      requestId: 'id-3',
      tenant: 'globex',
      path: '/stock',
      status: 502,
      clientAborted: true,
      warnedRules: ['keys/old'],
    });
    rig.keeper.flush();
    const ids = async (query: Partial<LogQuery>): Promise<string[]> =>
      (await rig.search(query)).map(({ requestId }) => requestId);
    const text = (field: LogQuery['texts'][number]['field'], ...values: string[]) => ({
      texts: [{ field, values }],
    });
    expect(await ids({})).toEqual(['id-3', 'id-2', 'id-1']);
    expect(await ids(text('request', 'id-2'))).toEqual(['id-2']);
    expect(await ids(text('request', 'id-'))).toEqual([]);
    expect(await ids(text('tenant', 'acme', 'nobody'))).toEqual(['id-1']);
    expect(await ids(text('path', '/orders/*'))).toEqual(['id-2', 'id-1']);
    expect(await ids(text('code', 'limit_exceeded'))).toEqual(['id-2']);
    expect(await ids(text('rule', 'keys/old'))).toEqual(['id-3']);
    expect(await ids(text('code', ''))).toEqual(['id-3', 'id-1']);
    expect(await ids({ statuses: [statusFilter('5xx')!, statusFilter('200')!] })).toEqual(['id-3', 'id-1']);
    expect(await ids({ sinceMs: START_MS + 1_000 })).toEqual(['id-3', 'id-2']);
    expect(await ids({ untilMs: START_MS + 1_000 })).toEqual(['id-1']);
    expect(await ids({ amounts: [{ field: 'took', operator: '>', amount: 1_000 }] })).toEqual(['id-2']);
    expect(await ids({ aborted: true })).toEqual(['id-3']);
    expect([statusFilter('6xx'), statusFilter('20'), statusFilter('4x')]).toEqual([null, null, null]);
  });

  it('answers a long search in parts that miss nothing and repeat nothing', async () => {
    const rig = new Rig();
    for (let i = 0; i < 25; i++) {
      rig.record({ requestId: `id-${i}` });
      if (i % 4 === 0) rig.pass(61_000);
    }
    rig.keeper.flush();
    const found = (await rig.search({}, 3)).map(({ requestId }) => requestId);
    expect(found).toEqual(Array.from({ length: 25 }, (_, i) => `id-${24 - i}`));
  });

  it('makes no block a second for a request a second, and one at once for many', () => {
    const rig = new Rig();
    for (let i = 0; i < 20; i++) {
      rig.record();
      rig.pass(1_000);
    }
    const blocks = (): number => rig.store.keys(1, { from: [], order: 'ascending', countMax: 100 }).length;
    expect(blocks()).toBe(1);
    for (let i = 0; i < 5_000; i++) rig.record({ path: `/${'x'.repeat(300)}` });
    rig.pass(1_000);
    expect(blocks()).toBeGreaterThan(5);
  });

  it('counts what waits, not what was written long ago', async () => {
    const rig = new Rig({ requestLogQueueBytes: 600 * 1024 });
    for (let i = 0; i < 10_000; i++) {
      const path = `/${createHash('sha512').update(`${i}`).digest('base64')}`;
      rig.keeper.accept(record({ timeMs: rig.clock.wallMs(), path: path + path }), null);
      if (i % 1_000 === 999) rig.pass(1_000);
    }
    expect(await rig.search({}, 20_000)).toHaveLength(10_000);
  });

  it('loses the oldest records when it is as large as it may be, and those that are too old', async () => {
    const rig = new Rig({
      retention: {
        logBytes: 200_000,
        logAgeMs: 3_600_000,
        rollupsMs: { minute: 120_000, hour: DAY_MS, day: DAY_MS },
      },
    });
    for (let i = 0; i < 3_000; i++) {
      rig.record({ requestId: `id-${i}`, path: `/${'x'.repeat(200)}` });
      if (i % 50 === 49) rig.pass(1_000);
    }
    expect(rig.store.usedBytes(1)).toBeLessThan(230_000);
    const ids = (await rig.search()).map(({ requestId }) => requestId);
    expect(ids[0]).toBe('id-2999');
    expect(ids.at(-1)).not.toBe('id-0');
    rig.pass(3_700_000);
    for (let turn = 0; turn < 5; turn++) rig.pass(61_000);
    expect(await rig.search()).toEqual([]);
    expect([...rig.keeper.rollups.periods('minute', 'route', 0, Number.MAX_SAFE_INTEGER)]).toEqual([]);
    expect(requestsBy(rig.keeper.rollups, 'route')).toEqual({ 'list-orders': 3_000 });
  });

  it('goes on without a file that can not be opened again, in each turn and at the end, and counts nothing twice', async () => {
    const rig = new Rig();
    rig.record({ requestId: 'before' });
    rig.pass(1_000);
    rig.store.away = true;
    rig.record({ requestId: 'waiting' });
    rig.pass(1_000);
    rig.pass(1_000);
    expect(rig.problems.map(({ message }) => message)).toEqual(['It is away.']);
    rig.pass(60_000);
    rig.keeper.flush();
    rig.keeper.stop();
    expect(rig.problems).toHaveLength(4);
    rig.store.away = false;
    rig.pass(61_000);
    expect(rig.back).toBe(1);
    expect((await rig.search()).map(({ requestId }) => requestId)).toEqual(['waiting', 'before']);
    expect(requestsBy(rig.open().rollups, 'route')).toEqual({ 'list-orders': 2 });
  });

  // One: the first minute, not its hour; three: all of the first minute, not the second one.
  it.each([1, 3])(
    'adds a minute to all of its periods or to none, where %i of them can be read',
    (periods) => {
      const rig = new Rig();
      const get = rig.store.get.bind(rig.store);
      rig.record();
      rig.clock.ms += 61_000;
      rig.record();
      let reads = 0;
      rig.store.get = (key) => {
        if (++reads > periods * ROLLUP_DIMENSIONS.length) throw new Error('It is away.');
        return get(key);
      };
      rig.pass(61_000);
      expect(rig.problems).toHaveLength(1);
      rig.store.get = get;
      rig.pass(61_000);
      for (const granularity of GRANULARITIES) {
        const told = rig.keeper.rollups.periods(granularity, 'route', 0, Number.MAX_SAFE_INTEGER);
        const requests = Array.from(told, ({ cells }) =>
          Array.from(cells, ([, cell]) => copyOf(cell).sums.requests),
        );
        expect(requests).toEqual(granularity === 'minute' ? [[1], [1]] : [[2]]);
      }
    },
  );

  it('says when it can not be written, keeps a bounded part of what comes meanwhile, and goes on by itself', async () => {
    const rig = new Rig({ requestLogQueueBytes: 64 * 1024 });
    rig.record({ requestId: 'before' });
    rig.pass(1_000);
    rig.store.full = true;
    rig.record({ requestId: 'waiting' });
    rig.pass(1_000);
    expect(rig.problems).toHaveLength(1);
    rig.pass(1_000);
    expect(rig.problems).toHaveLength(1);
    rig.pass(10_000);
    expect(rig.problems).toHaveLength(2);
    expect(rig.keeper.waitingBytes).toBeGreaterThan(0);
    rig.store.full = false;
    rig.pass(10_000);
    expect([rig.back, rig.keeper.lost, rig.keeper.waitingBytes]).toEqual([1, 0, 0]);
    expect((await rig.search()).map(({ requestId }) => requestId)).toEqual(['waiting', 'before']);

    rig.store.full = true;
    for (let i = 0; i < 5_000; i++) rig.record({ path: `/${'x'.repeat(300)}` });
    rig.pass(1_000);
    expect(rig.keeper.lost).toBeGreaterThan(0);
    rig.store.full = false;
    rig.pass(61_000);
    expect(rig.back).toBe(2);
    // What is lost for the log is counted all the same.
    expect(requestsBy(rig.keeper.rollups, 'route')).toEqual({ 'list-orders': 5_002 });
  });

  it('outlives a file that can not even be read, and has counted everything once it is back', async () => {
    const rig = new Rig();
    rig.record({ requestId: 'before' });
    rig.pass(61_000);
    rig.store.away = true;
    for (let minute = 0; minute < 3; minute++) {
      rig.record({ requestId: `meanwhile-${minute}` });
      rig.pass(61_000);
    }
    expect(rig.problems.length).toBeGreaterThan(0);
    expect(() => rig.keeper.stop()).not.toThrow();
    rig.store.away = false;
    rig.pass(61_000);
    expect(rig.back).toBe(1);
    expect((await rig.search()).map(({ requestId }) => requestId)).toEqual([
      'meanwhile-2',
      'meanwhile-1',
      'meanwhile-0',
      'before',
    ]);
    expect(requestsBy(rig.keeper.rollups, 'route')).toEqual({ 'list-orders': 4 });
  });

  it('keeps no more names apart than it may, and counts the others together', () => {
    const rig = new Rig({ rollupNames: 3 });
    for (let i = 0; i < 20; i++) rig.record({ consumer: `c${i % 10}`, credential: 'k' });
    expect(requestsBy(rig.keeper.rollups, 'consumer')).toEqual({
      'acme/c0': 2,
      'acme/c1': 2,
      'acme/c2': 2,
      [OTHER_NAMES]: 14,
    });
    expect(requestsBy(rig.keeper.rollups, 'tenant')).toEqual({ acme: 20 });
    expect(rig.keeper.rollups.leftOut).toBe(28);
  });

  it('keeps rollups alone where no log is wanted', async () => {
    const rig = new Rig({
      retention: { logBytes: 0, logAgeMs: DAY_MS, rollupsMs: { minute: DAY_MS, hour: DAY_MS, day: DAY_MS } },
    });
    rig.record();
    rig.pass(61_000);
    expect(await rig.search()).toEqual([]);
    expect(requestsBy(rig.open().rollups, 'route')).toEqual({ 'list-orders': 1 });
  });
});
