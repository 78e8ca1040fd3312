/** A file as diagnostics need it: its name as the user knows it, its text, and where its lines begin. */
export class SourceText {
  readonly path: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** 1-based line and column (in UTF-16 units) of an offset; past the end counts as the end. */
  position(offset: number): { readonly line: number; readonly column: number } {
    const starts = this.#starts();
    const clamped = Math.min(Math.max(offset, 0), this.text.length);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= clamped) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: clamped - starts[low]! + 1 };
  }

  /** The offset of a 1-based line and column; outside of the text counts as its nearest end. */
  offset(line: number, column: number): number {
    const start = this.#starts()[line - 1] ?? this.text.length;
    return Math.min(start + column - 1, this.text.length);
  }

  /** The text of a 1-based line, without its line break. */
  line(number: number): string {
    const starts = this.#starts();
    const start = starts[number - 1];
    if (start === undefined) return '';
    const end = starts[number] ?? this.text.length + 1;
    return this.text.slice(start, end - 1).replace(/\r$/, '');
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
        starts.push(at + 1);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}

/** A half-open range of UTF-16 offsets in one source. */
export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

export function spanText(span: Span): string {
  return span.source.text.slice(span.start, span.end);
}

/** What stands at a place (`path:line:column`), up to the end of the name or word there; null without its text. */
export function spanAt(place: string, sources: ReadonlyMap<string, SourceText>): Span | null {
  const [, path = '', line, column] = /^(.*):(\d+):(\d+)$/s.exec(place) ?? [];
  const source = sources.get(path);
  if (source === undefined) return null;
  const start = source.offset(Number(line), Number(column));
  const [name = ''] =
    /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,{}[\]]*)/.exec(source.text.slice(start, start + 300)) ?? [];
  return { source, start, end: start + name.length };
}

/** `path:line:column` of a span's first character. */
export function placeOf(span: Span): string {
  const { line, column } = span.source.position(span.start);
  return `${span.source.path}:${line}:${column}`;
}
