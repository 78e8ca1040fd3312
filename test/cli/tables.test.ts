import { describe, expect, it } from 'vitest';
import type { LiveStatus } from '../../src/admin/routes/observation.ts';
import { topText } from '../../src/cli/commands/top.ts';
import { csvText } from '../../src/cli/csv.ts';
import { durationOf, momentOf, spellBytes, spellCount, spellUs } from '../../src/cli/moments.ts';
import { sparkline, tableText } from '../../src/cli/table.ts';

describe('tables', () => {
  it('line up, cut what is too long, and steer no terminal', () => {
    const columns = [
      { title: 'name', columnsMax: 6 },
      { title: 'n', align: 'right' },
    ] as const;
    expect(
      tableText(columns, [
        ['ab\u001b[2J', '1'],
        ['日本語日本', '200'],
      ]),
    ).toBe('name      n\nab�[2J    1\n日本…   200\n');
  });

  it('show amounts as bars, neighbours together where there is no room', () => {
    expect(sparkline([0, 1, 4, 8], 10)).toBe(' ▂▅█');
    expect(sparkline([1, 1, 8, 8], 2)).toBe('▂█');
    expect(sparkline([0, 0], 10)).toBe('  ');
  });
});

it('CSV keeps commas, quotes and lines, and starts no formula', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['x,y', 'say "no"'],
        ['=1+1', -3],
        ['-x', '\n'],
      ],
    ),
  ).toBe('a,b\r\n"x,y","say ""no"""\r\n\'=1+1,-3\r\n\'-x,"\n"\r\n');
});

describe('times', () => {
  it('are so long ago, a day, or a moment', () => {
    const nowMs = Date.UTC(2026, 11, 5, 12);
    expect(momentOf('15m', nowMs)).toEqual({ ok: true, value: nowMs - 900_000 });
    expect(momentOf('2026-12-05 10:00Z', nowMs)).toEqual({ ok: true, value: nowMs - 7_200_000 });
    expect(momentOf('2026-12-05', nowMs)).toEqual({ ok: true, value: new Date(2026, 11, 5).getTime() });
    for (const text of ['yesterday', '5', '2026-13-45']) expect(momentOf(text, nowMs).ok).toBe(false);
    expect(durationOf('250ms')).toEqual({ ok: true, value: 250 });
  });

  it('and sizes are told in the unit that suits', () => {
    expect([999, 1_500, 12_345, 123_456, 2_000_000].map(spellUs)).toEqual([
      '999 µs',
      '1.50 ms',
      '12.3 ms',
      '123 ms',
      '2.00 s',
    ]);
    expect([0, 1, 2_000].map((count) => spellCount(count, 'record'))).toEqual([
      '0 records',
      '1 record',
      '2,000 records',
    ]);
    expect([0, 1_023, 1_536, 20 * 1_048_576].map(spellBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.50 KiB',
      '20.0 MiB',
    ]);
    expect(spellUs(-1)).toBe('');
  });
});

it('top tells what happened between two looks', () => {
  const thread = {
    name: 'data-0',
    activeRequests: 3,
    connections: 9,
    heapUsedBytes: 1_048_576,
    loopDelayP99Seconds: 0.0015,
  };
  const before: LiveStatus = {
    atMs: 1_000,
    requests: 100,
    byStatusClass: { '2xx': 100 },
    latency: [
      [100, 90],
      [9_000, 10],
    ],
    refusalsByRule: [{ name: 'plans/pace', count: 5 }],
    nearestLimits: [],
    limits: 0,
    services: [],
    threads: [{ ...thread, loopActiveSeconds: 1, loopIdleSeconds: 1 }],
    residentBytes: 1,
    cpuSeconds: 10,
    recordsLost: 0,
    alerts: [],
  };
  const now: LiveStatus = {
    ...before,
    atMs: 3_000,
    requests: 120,
    byStatusClass: { '2xx': 110, '4xx': 10 },
    latency: [
      [100, 90],
      [200, 19],
      [9_000, 11],
    ],
    refusalsByRule: [
      { name: 'plans/pace', count: 5 },
      { name: 'plans/day', count: 4 },
    ],
    nearestLimits: [
      { label: 'plans/day for each tenant', usedShare: 0.955, exhaustedKeys: 2, keys: 40 },
      { label: 'unused', usedShare: 0, exhaustedKeys: 0, keys: 0 },
    ],
    services: [
      {
        name: 'orders',
        endpoints: [
          {
            url: 'http://orders:80',
            address: '10.0.0.1',
            state: 'ejected',
            why: 'five failures',
            checked: true,
            unresolved: null,
          },
        ],
      },
    ],
    threads: [{ ...thread, loopActiveSeconds: 1.5, loopIdleSeconds: 2.5 }],
    residentBytes: 104_857_600,
    cpuSeconds: 11,
    recordsLost: 7,
    alerts: [{ severity: 'warning', message: 'The disk is full.' }],
  };
  expect(`\n${topText(before, now)}`).toBe(`
requests 10.0/s  2xx 5.0/s  4xx 5.0/s
latency  p50 200 µs  p99 9.00 ms
process  100 MiB resident, 50 % of a core, 7 records lost
warning: The disk is full.

thread  busy  loop delay p99  in flight  connections      heap
data-0  25 %         1.50 ms          3            9  1.00 MiB

refused by    now  since the start
plans/day   2.0/s                4
plans/pace  0.0/s                5

limit                      used at most  keys with nothing left
plans/day for each tenant          96 %                 2 of 40

service  endpoint                     state
orders   http://orders:80 (10.0.0.1)  ejected  five failures
`);
});
