import type { Located } from '../finding.ts';

/** A file whose shape has been checked. */
export interface Checked<Document> {
  readonly file: Located;
  /** What of the document fits its schema, defaults filled in. */
  readonly document: Document;
  /** Names of all definitions by section, also of those that do not fit. */
  readonly defined: Readonly<Record<string, readonly string[]>>;
  /** Whether everything at and below a path fits. */
  readonly sound: (path: readonly (string | number)[]) => boolean;
}

/** All files of a kind. `complete` is false when one of them cannot be read as a whole, so that names may be missing. */
export interface Files<Document> {
  readonly checked: readonly Checked<Document>[];
  readonly complete: boolean;
}
