import type { DiagnosticCode } from './catalogue.ts';
import type { Severity } from './severity.ts';
import type { Span } from './source.ts';

/** A further place that belongs to the story: "first defined here". */
export interface RelatedPlace {
  readonly span: Span;
  readonly message: string;
}

/** One thing to tell a person: what is wrong, where, and what to do. Made once per stage, rendered by one renderer. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  /** Where; `null` for findings about the project as a whole (a missing file). */
  readonly span: Span | null;
  readonly related: readonly RelatedPlace[];
  /** What to do about it; one line. */
  readonly help: string;
}
