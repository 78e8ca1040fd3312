import { type BenchResult, barHolds, barText, type Figure } from './bench.ts';
import type { Machine } from './machine.ts';
import { spread } from './statistics.ts';

/** Results as a table for people and as JSON for programs. Pure. */
export interface JsonReport {
  readonly bench: string;
  readonly machine: Machine;
  readonly figures: readonly JsonFigure[];
  readonly notes: readonly string[];
}

export interface JsonFigure {
  readonly name: string;
  /** Median of all rounds; null when it could not be measured. */
  readonly value: number | null;
  readonly unit: string;
  /** `≤ 1.35`, or null for a figure that is only reported. */
  readonly bar: string | null;
  /** Null where there is no bar. */
  readonly holds: boolean | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly rounds: number;
}

export function jsonReport(bench: string, machine: Machine, result: BenchResult): JsonReport {
  return { bench, machine, figures: result.figures.map(jsonFigure), notes: result.notes };
}

export function everyBarHolds(figures: readonly JsonFigure[]): boolean {
  return figures.every(({ holds }) => holds !== false);
}

/** Columns: figure, median with unit, least and greatest round, bar with its verdict. */
export function table(report: JsonReport): string {
  const rows = [
    ['figure', 'median', 'min … max', 'bar'],
    ...report.figures.map((figure) => [figure.name, medianText(figure), spreadText(figure), verdict(figure)]),
  ];
  const widths = [0, 1, 2].map((index) => Math.max(...rows.map((row) => row[index]!.length)));
  const lines = rows.map(([name, middle, range, bar]) =>
    `${name!.padEnd(widths[0]!)}  ${middle!.padStart(widths[1]!)}  ${range!.padStart(widths[2]!)}  ${bar}`.trimEnd(),
  );
  return [lines[0]!, '─'.repeat(lines[0]!.length), ...lines.slice(1), '', ...report.notes].join('\n');
}

export function machineLines(machine: Machine): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `Node ${machine.node}, nginx ${machine.nginx}, haproxy ${machine.haproxy}, wrk ${machine.wrk}`,
  ].join('\n');
}

function jsonFigure(figure: Figure): JsonFigure {
  const range = spread(figure.values);
  const value = range?.median ?? null;
  return {
    name: figure.name,
    value,
    unit: figure.unit,
    bar: figure.bar === null ? null : barText(figure.bar),
    holds: figure.bar === null ? null : barHolds(figure.bar, value),
    min: range?.min ?? null,
    max: range?.max ?? null,
    rounds: figure.values.length,
  };
}

function medianText({ value, unit }: JsonFigure): string {
  return value === null ? 'not measured' : `${numberText(value)} ${unit}`;
}

function spreadText({ min, max, rounds }: JsonFigure): string {
  return min === null || max === null || rounds < 2 ? '' : `${numberText(min)} … ${numberText(max)}`;
}

function verdict({ bar, holds }: JsonFigure): string {
  if (bar === null) return '';
  return `${bar}  ${holds === true ? 'holds' : 'DOES NOT HOLD'}`;
}

/** Three significant figures below a hundred, whole numbers above: more would be noise. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (Math.abs(value) < 100) return value.toPrecision(3);
  return Math.round(value).toLocaleString('en-US');
}
