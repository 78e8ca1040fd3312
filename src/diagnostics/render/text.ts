import type { Diagnostic } from '../diagnostic.ts';
import type { Severity } from '../severity.ts';
import { placeOf, type Span } from '../source.ts';
import { printable } from './columns.ts';
import { excerpt } from './excerpt.ts';
import { countOf, inReadingOrder } from './order.ts';

export interface TextOptions {
  readonly colour: 'on' | 'off';
}

/**
 * Diagnostics for people, in the order in which one would read the files, and a last line that counts them:
 *
 *     error[PT3201]: No service is named "order".
 *       --> routes/orders.yaml:12:14
 *        |
 *     12 |     service: order
 *        |              ^^^^^
 *        = help: Did you mean "orders"?
 */
export function renderText(diagnostics: readonly Diagnostic[], options: TextOptions): string {
  const paint = PAINTERS[options.colour];
  const blocks = inReadingOrder(diagnostics).map((diagnostic) => block(diagnostic, paint));
  return [...blocks, `${countLine(diagnostics)}\n`].join('\n');
}

/** One finding as {@link renderText} shows it, without colour. */
export function renderBlock(diagnostic: Diagnostic): string {
  return block(diagnostic, PAINTERS.off);
}

type Tone = Severity | 'strong' | 'faint' | 'help';
type Paint = (tone: Tone, text: string) => string;

const SGR: Readonly<Record<Tone, string>> = {
  error: '1;31',
  warning: '1;33',
  strong: '1',
  faint: '34',
  help: '36',
};
const PAINTERS: Readonly<Record<TextOptions['colour'], Paint>> = {
  on: (tone, text) => `\u001b[${SGR[tone]}m${text}\u001b[0m`,
  off: (_tone, text) => text,
};

function block(diagnostic: Diagnostic, paint: Paint): string {
  const { code, severity, message, span, related, help } = diagnostic;
  const gutter = gutterWidth(diagnostic);
  const lines = [`${paint(severity, `${severity}[${code}]`)}${paint('strong', `: ${printable(message)}`)}`];
  if (span !== null) lines.push(...snippet(span, '^', severity, gutter, paint));
  for (const place of related) {
    lines.push(`${paint('help', 'note')}: ${printable(place.message)}`);
    lines.push(...snippet(place.span, '-', 'help', gutter, paint));
  }
  lines.push(`${' '.repeat(gutter)} ${paint('faint', '=')} ${paint('help', 'help')}: ${printable(help)}`);
  return `${lines.join('\n')}\n`;
}

function snippet(span: Span, mark: string, tone: Tone, gutter: number, paint: Paint): readonly string[] {
  const { line } = span.source.position(span.start);
  const { text, before, width } = excerpt(span);
  const blank = ' '.repeat(gutter);
  const bar = paint('faint', '|');
  return [
    `${blank}${paint('faint', '-->')} ${printable(placeOf(span))}`,
    `${blank} ${bar}`,
    `${paint('faint', String(line).padStart(gutter))} ${bar} ${text}`.trimEnd(),
    `${blank} ${bar} ${' '.repeat(before)}${paint(tone, mark.repeat(width))}`,
  ];
}

/** Room for the longest line number that the block shows. */
function gutterWidth({ span, related }: Diagnostic): number {
  const spans =
    span === null ? related.map((place) => place.span) : [span, ...related.map((place) => place.span)];
  const digits = spans.map((shown) => String(shown.source.position(shown.start).line).length);
  return Math.max(2, ...digits);
}

function countLine(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return 'No findings.';
  const parts = (['error', 'warning'] as const).flatMap((severity) => {
    const count = countOf(diagnostics, severity);
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return `${parts.join(', ')}.`;
}
