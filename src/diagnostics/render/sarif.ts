import { createHash } from 'node:crypto';
import { CATALOGUE, type DiagnosticCode } from '../catalogue.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import { printable } from './columns.ts';
import { inReadingOrder } from './order.ts';
import { type FolderPrefix, reportPath } from './report-paths.ts';

export interface SarifOptions {
  readonly version: string;
  readonly prefix: FolderPrefix;
  /** The reference page of all codes; each has a heading there. */
  readonly pageUri: string;
}

/**
 * Diagnostics as SARIF 2.1.0 (OASIS, errata 01). Columns are UTF-16 units, as `columnKind` says; paths are relative to
 * the folder in which the command was called. The fingerprint stays when lines move.
 */
export function renderSarif(diagnostics: readonly Diagnostic[], options: SarifOptions): string {
  const ordered = inReadingOrder(diagnostics);
  const codes = [...new Set(ordered.map(({ code }) => code))].sort();
  const fingerprints = new Fingerprints(options.prefix);
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Portunus',
            version: options.version,
            semanticVersion: options.version,
            rules: codes.map((code) => ruleOf(code, options.pageUri)),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: ordered.map((diagnostic) => ({
          ...resultOf(diagnostic, options.prefix),
          ruleIndex: codes.indexOf(diagnostic.code),
          partialFingerprints: { 'portunusFinding/v1': fingerprints.next(diagnostic) },
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(code: DiagnosticCode, pageUri: string): object {
  const { title, severity, explanation } = CATALOGUE[code];
  return {
    id: code,
    name: nameOf(title),
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    help: { text: explanation, markdown: `**${title}.** ${explanation}` },
    helpUri: `${pageUri}#${code.toLowerCase()}`,
    defaultConfiguration: { level: severity },
  };
}

/** Rules of SARIF have names in Pascal case (3.49.7). */
function nameOf(title: string): string {
  return title
    .split(/[^A-Za-z]+/)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('');
}

function resultOf(
  { code, severity, message, help, span, related }: Diagnostic,
  prefix: FolderPrefix,
): object {
  return {
    ruleId: code,
    level: severity,
    message: { text: printable(`${message} ${help}`) },
    ...(span === null ? {} : { locations: [{ physicalLocation: placeOf(span, prefix) }] }),
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((place, index) => ({
            id: index + 1,
            message: { text: printable(place.message) },
            physicalLocation: placeOf(place.span, prefix),
          })),
        }),
  };
}

function placeOf(span: Span, prefix: FolderPrefix): object {
  const start = span.source.position(span.start);
  const end = span.source.position(span.end);
  return {
    artifactLocation: { uri: uriOf(reportPath(span.source, prefix)), uriBaseId: '%SRCROOT%' },
    region: {
      startLine: start.line,
      startColumn: start.column,
      endLine: end.line,
      endColumn: end.column,
    },
  };
}

function uriOf(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/');
}

/** Of code, file, the text of the line and, where these are equal, the how-manieth of them it is. */
class Fingerprints {
  readonly #prefix: FolderPrefix;
  readonly #seen = new Map<string, number>();

  constructor(prefix: FolderPrefix) {
    this.#prefix = prefix;
  }

  next({ code, span, message }: Diagnostic): string {
    const place =
      span === null
        ? [message]
        : [
            reportPath(span.source, this.#prefix),
            span.source.line(span.source.position(span.start).line).trim(),
          ];
    const hash = createHash('sha256')
      .update([code, ...place].join('\n'))
      .digest('hex')
      .slice(0, 32);
    const occurrence = (this.#seen.get(hash) ?? 0) + 1;
    this.#seen.set(hash, occurrence);
    return `${hash}:${occurrence}`;
  }
}
