import { cell, printable } from '../diagnostics/render/columns.ts';

export interface TableColumn {
  readonly title: string;
  /** Figures stand to the right. */
  readonly align?: 'left' | 'right';
  /** Cut to this many columns of the terminal, with an ellipsis. */
  readonly columnsMax?: number;
}

/** Rows of texts as lines, each column as wide as it needs to be. Nothing in them steers a terminal. */
export function tableText(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => title);
  const shown = [titles, ...rows].map((row) =>
    row.map((text, index) => cut(printable(text), columns[index]!.columnsMax ?? Number.POSITIVE_INFINITY)),
  );
  const widths = columns.map((_, index) => Math.max(...shown.map((row) => columnsOf(row[index]!))));
  const lines = shown.map((row) =>
    row
      .map((text, index) => {
        const blanks = ' '.repeat(widths[index]! - columnsOf(text));
        return columns[index]!.align === 'right' ? blanks + text : text + blanks;
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += cell(character).columns;
  return columns;
}

function cut(text: string, columnsMax: number): string {
  if (columnsOf(text) <= columnsMax) return text;
  let kept = '';
  let columns = 0;
  for (const character of text) {
    columns += cell(character).columns;
    if (columns > columnsMax - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const BARS = '▁▂▃▄▅▆▇█';

/** Amounts as a line of bars; neighbours are added up where there are more than `columnsMax`. */
export function sparkline(amounts: readonly number[], columnsMax: number): string {
  const step = Math.max(1, Math.ceil(amounts.length / columnsMax));
  const sums: number[] = [];
  for (let at = 0; at < amounts.length; at += step) {
    sums.push(amounts.slice(at, at + step).reduce((sum, amount) => sum + amount, 0));
  }
  const greatest = Math.max(...sums);
  return sums
    .map((sum) =>
      sum === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((sum / greatest) * BARS.length))]!,
    )
    .join('');
}
