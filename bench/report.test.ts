import { describe, expect, it } from 'vitest';
import { atLeast, atMost, type BenchResult, barHolds } from './bench.ts';
import { everyBarHolds, jsonReport, table } from './report.ts';

const MACHINE = { cpu: 'c', cores: 2, kernel: 'k', node: 'n', nginx: 'x', haproxy: 'h', wrk: 'w' };

const RESULT: BenchResult = {
  figures: [
    { name: 'governed · CPU', unit: 'µs', values: [26.31, 25.4, 27.22], bar: null },
    { name: 'governed / bare', unit: '×', values: [1.25, 1.2, 1.3], bar: atMost(1.35) },
    { name: 'throughput', unit: 'requests/s', values: [28_411.4, 29_000.1], bar: atLeast(30_000) },
    { name: 'beside what is absent', unit: '×', values: [], bar: atMost(2) },
  ],
  notes: ['SKIPPED haproxy: it is not installed here.'],
};

describe('a report', () => {
  const report = jsonReport('proxy', MACHINE, RESULT);

  it('gives each figure as the median with its bar', () => {
    expect(report.figures[1]).toEqual({
      name: 'governed / bare',
      value: 1.25,
      unit: '×',
      bar: '≤ 1.35',
      holds: true,
      min: 1.2,
      max: 1.3,
      rounds: 3,
    });
    expect(report.figures[0]).toMatchObject({ bar: null, holds: null });
  });

  it('does not let a bar hold on what was not measured', () => {
    expect(report.figures[3]).toMatchObject({ value: null, holds: false });
  });

  it('passes only when every bar holds', () => {
    expect(everyBarHolds(report.figures)).toBe(false);
    expect(everyBarHolds(report.figures.slice(0, 2))).toBe(true);
    expect(everyBarHolds(report.figures.slice(2, 3))).toBe(false);
  });

  it('reads like this', () => {
    expect(table(report)).toMatchInlineSnapshot(`
      "figure                            median        min … max  bar
      ──────────────────────────────────────────────────────────────
      governed · CPU                   26.3 µs      25.4 … 27.2
      governed / bare                   1.25 ×      1.20 … 1.30  ≤ 1.35  holds
      throughput             28,706 requests/s  28,411 … 29,000  ≥ 30000  DOES NOT HOLD
      beside what is absent       not measured                   ≤ 2  DOES NOT HOLD

      SKIPPED haproxy: it is not installed here."
    `);
  });
});

describe('a bar', () => {
  it.each([
    [atMost(2), 2, true],
    [atMost(2), 2.01, false],
    [atLeast(2), 2, true],
    [atLeast(2), 1.99, false],
    [atMost(2), null, false],
    [atLeast(2), Number.NaN, false],
  ])('%o with %s holds: %s', (bar, value, holds) => {
    expect(barHolds(bar, value)).toBe(holds);
  });
});
