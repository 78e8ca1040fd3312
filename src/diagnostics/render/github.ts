import type { Diagnostic } from '../diagnostic.ts';
import { placeOf, type Span } from '../source.ts';
import { printable } from './columns.ts';
import { inReadingOrder } from './order.ts';
import { type FolderPrefix, reportPath } from './report-paths.ts';

/**
 * Workflow commands of GitHub Actions, one a line, which GitHub shows beside the code of a pull request:
 * `::error file=routes/a.yaml,line=5,endLine=5,col=14,endColumn=19,title=PT3201::There is no service "order".%0A…`.
 * Columns are 1-based UTF-16 units, the end exclusive; a span over several lines has none, as GitHub demands.
 */
export function renderGithub(diagnostics: readonly Diagnostic[], prefix: FolderPrefix): string {
  return inReadingOrder(diagnostics)
    .map((diagnostic) => `${command(diagnostic, prefix)}\n`)
    .join('');
}

function command(diagnostic: Diagnostic, prefix: FolderPrefix): string {
  const { code, severity, span } = diagnostic;
  const properties = [...(span === null ? [] : placeProperties(span, prefix)), `title=${code}`];
  return `::${severity} ${properties.join(',')}::${message(diagnostic, prefix)}`;
}

function placeProperties(span: Span, prefix: FolderPrefix): readonly string[] {
  const start = span.source.position(span.start);
  const end = span.source.position(span.end);
  const file = escapeProperty(printable(reportPath(span.source, prefix)));
  const lines = [`file=${file}`, `line=${start.line}`, `endLine=${end.line}`];
  return start.line === end.line ? [...lines, `col=${start.column}`, `endColumn=${end.column}`] : lines;
}

function message({ message, related, help }: Diagnostic, prefix: FolderPrefix): string {
  const notes = related.map((place) => `note: ${place.message} (${prefix}${placeOf(place.span)})`);
  return [message, ...notes, `help: ${help}`].map((line) => escapeData(printable(line))).join('%0A');
}

/** GitHub's toolkit (`packages/core/src/command.ts`) names these characters. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
