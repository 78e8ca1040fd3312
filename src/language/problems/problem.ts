import { CATALOGUE, type DiagnosticCode } from '../../diagnostics/catalogue.ts';
import type { Diagnostic, RelatedPlace } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';

/** The one constructor of this room's diagnostics; the factories beside it hold the words. */
export function problem(
  code: DiagnosticCode,
  span: Span,
  message: string,
  help: string,
  related: readonly RelatedPlace[] = [],
): Diagnostic {
  return { code, severity: CATALOGUE[code].severity, message, span, related, help };
}

/** Takes problems of one file up to a bound, which keeps a file of nothing but mistakes from costing more than that. */
export interface BoundedReport {
  (problem: Diagnostic): void;
  readonly isFull: () => boolean;
}

/** More than are shown, because several can fall on one line. */
const PROBLEMS_PER_FILE_MAX = 1_000;

export function boundedReport(into: Diagnostic[]): BoundedReport {
  const isFull = (): boolean => into.length >= PROBLEMS_PER_FILE_MAX;
  const report = (one: Diagnostic): void => {
    if (!isFull()) into.push(one);
  };
  return Object.assign(report, { isFull });
}

/** `a`, `a or b`, `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A text of the user as a message shows it: on one line, and never endless. */
export function shown(text: string, charactersMax = SHOWN_CHARACTERS_MAX): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > charactersMax ? `${line.slice(0, charactersMax)}…` : line;
}

const SHOWN_CHARACTERS_MAX = 60;
