import type { Severity } from '../severity.ts';

/** What the catalogue knows of a code: the generated reference page is made of these. */
export interface CatalogueEntry {
  readonly title: string;
  readonly severity: Severity;
  /** Why this is reported and what to do, two or three sentences for the reference page. */
  readonly explanation: string;
}
