import type { Span } from '../source.ts';
import { cell } from './columns.ts';

/** A source line made ready to be shown, and where the mark under it stands, in terminal columns. */
export interface Excerpt {
  readonly text: string;
  readonly before: number;
  readonly width: number;
}

const COLUMNS_MAX = 100;
/** Columns kept before the span when a long line is cut. */
const LEAD_COLUMNS = 30;
const CUT = '…';
/** UTF-16 units of a line that are looked at before the span; what lies further off is cut anyway. */
const LEAD_UNITS = 4 * LEAD_COLUMNS;

/** The first line of a span; a span that goes on is marked up to the end of that line, an empty one with one column. */
export function excerpt(span: Span): Excerpt {
  const { line, column } = span.source.position(span.start);
  const text = span.source.line(line);
  const start = Math.min(column - 1, text.length);
  const end = Math.min(Math.max(start, start + (span.end - span.start)), text.length);
  const tooLong = text.length > COLUMNS_MAX;
  const from = tooLong ? wholeCharacter(text, Math.max(0, start - LEAD_UNITS)) : 0;
  const lead = keepEnd(text.slice(from, start), tooLong && start > LEAD_COLUMNS ? LEAD_COLUMNS : COLUMNS_MAX);
  const cutBefore = from > 0 || lead.cut;
  const before = lead.columns + (cutBefore ? 1 : 0);
  const marked = keepStart(text.slice(start, end), COLUMNS_MAX - before);
  const rest = keepStart(text.slice(end, end + COLUMNS_MAX), COLUMNS_MAX - before - marked.columns);
  const cutAfter = marked.cut || rest.cut || end + COLUMNS_MAX < text.length;
  return {
    text: `${cutBefore ? CUT : ''}${lead.shown}${marked.shown}${marked.cut ? '' : rest.shown}${cutAfter ? CUT : ''}`,
    before,
    width: Math.max(1, marked.columns),
  };
}

interface Kept {
  readonly shown: string;
  readonly columns: number;
  readonly cut: boolean;
}

function keepStart(text: string, columnsMax: number): Kept {
  let shown = '';
  let columns = 0;
  for (const character of text) {
    const next = cell(character);
    if (columns + next.columns > columnsMax) return { shown, columns, cut: true };
    shown += next.shown;
    columns += next.columns;
  }
  return { shown, columns, cut: false };
}

function keepEnd(text: string, columnsMax: number): Kept {
  const cells = Array.from(text, cell);
  let columns = 0;
  let at = cells.length;
  while (at > 0 && columns + cells[at - 1]!.columns <= columnsMax) {
    at--;
    columns += cells[at]!.columns;
  }
  const shown = cells.slice(at).map((kept) => kept.shown);
  return { shown: shown.join(''), columns, cut: at > 0 };
}

/** Moves an offset off the second half of a surrogate pair. */
function wholeCharacter(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  return offset > 0 && unit >= 0xdc00 && unit <= 0xdfff ? offset + 1 : offset;
}
