import { CATALOGUE, type DiagnosticCode } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SourceText, type Span } from '../diagnostics/source.ts';
import type { Place } from '../model/world.ts';
import { maskSecrets } from './text/secrets.ts';

/** Names and indexes from the root of a YAML document to a value: `['routes', 'list-orders', 'match']`. */
export type DocumentPath = readonly (string | number)[];

/** What of a map entry is meant: its name or its value. */
export type Part = 'key' | 'value';

/** A configuration file, as far as findings need it. Positions cost a second reading, so they are asked for last. */
export interface Located {
  readonly source: SourceText;
  /** Where a value (or the name of a map entry) stands; of the nearest value around it when the path leads nowhere. */
  locate(path: DocumentPath, part: Part): Span;
  placeOf(path: DocumentPath): Place;
}

export interface Target {
  readonly file: Located;
  readonly path: DocumentPath;
  readonly part: Part;
}

/** A diagnostic that has not been looked up in its file yet. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly target: Target;
  readonly help: string;
  readonly related?: readonly { readonly target: Target; readonly message: string }[];
}

/** Takes what the builders find. */
export type Report = (finding: Finding) => void;

/** A view of one file below a path, so that a builder names only what lies below it. */
export interface Here {
  readonly file: Located;
  readonly path: DocumentPath;
}

export function below(here: Here, ...steps: DocumentPath): Here {
  return { file: here.file, path: [...here.path, ...steps] };
}

export function valueAt(here: Here): Target {
  return { ...here, part: 'value' };
}

export function keyAt(here: Here): Target {
  return { ...here, part: 'key' };
}

export function diagnosticAt(
  span: Span | null,
  code: DiagnosticCode,
  message: string,
  help: string,
  related: Diagnostic['related'] = [],
): Diagnostic {
  return { code, severity: CATALOGUE[code].severity, message, span: span && inside(span), related, help };
}

/** js-yaml reads a line feed more than there is; what it finds behind the end is at the end. */
function inside({ source, start, end }: Span): Span {
  const { length } = source.text;
  return { source, start: Math.min(start, length), end: Math.min(end, length) };
}

export function diagnosticOf({ code, message, target, help, related = [] }: Finding): Diagnostic {
  const span = spanOf(target);
  return diagnosticAt(
    code === 'PT3401' ? masked(span) : span,
    code,
    message,
    help,
    related.map((place) => ({ span: spanOf(place.target), message: place.message })),
  );
}

/** The line that is shown of the file has no secret in it. */
function masked({ source, start, end }: Span): Span {
  return { source: new SourceText(source.path, maskSecrets(source.text, [{ start, end }])), start, end };
}

function spanOf(target: Target): Span {
  return target.file.locate(target.path, target.part);
}
