import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import { countOf, inReadingOrder } from './order.ts';

/**
 * Diagnostics for machines: `{ errors, warnings, diagnostics: [{ code, severity, message, help, at, related }] }`.
 * `at` is `{ file, line, column, endLine, endColumn }` (1-based, UTF-16 units, end exclusive) or null.
 */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  const report = {
    errors: countOf(diagnostics, 'error'),
    warnings: countOf(diagnostics, 'warning'),
    diagnostics: inReadingOrder(diagnostics).map(({ code, severity, message, help, span, related }) => ({
      code,
      severity,
      message,
      help,
      at: span === null ? null : rangeOf(span),
      related: related.map((place) => ({ message: place.message, at: rangeOf(place.span) })),
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function rangeOf(span: Span): object {
  const start = span.source.position(span.start);
  const end = span.source.position(span.end);
  return {
    file: span.source.path,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}
