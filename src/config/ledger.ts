import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { diagnosticAt, diagnosticOf, type Finding } from './finding.ts';

/** Gathers what is found, file by file, and tells a bounded number of findings of each. */
export class Ledger {
  readonly #general: Diagnostic[] = [];
  readonly #files = new Map<string, FileLedger>();

  /** Findings about the project as a whole. */
  addGeneral(diagnostic: Diagnostic): void {
    this.#general.push(diagnostic);
  }

  add(path: string, diagnostics: readonly Diagnostic[]): void {
    this.#fileLedger(path).diagnostics.push(...diagnostics);
  }

  readonly report = (finding: Finding): void => {
    this.#fileLedger(finding.target.file.source.path).findings.push(finding);
  };

  /** Further findings that nobody has described. */
  omit(path: string, count: number): void {
    this.#fileLedger(path).omitted += count;
  }

  diagnostics(perFileMax: number): readonly Diagnostic[] {
    const files = Array.from(this.#files, ([path, ledger]) => told(path, ledger, perFileMax));
    return [...this.#general, ...files.flat()];
  }

  #fileLedger(path: string): FileLedger {
    let ledger = this.#files.get(path);
    if (ledger === undefined) {
      ledger = { diagnostics: [], findings: [], omitted: 0 };
      this.#files.set(path, ledger);
    }
    return ledger;
  }
}

interface FileLedger {
  readonly diagnostics: Diagnostic[];
  readonly findings: Finding[];
  omitted: number;
}

/** Positions are looked up here and only for what is told: that is what costs. */
function told(
  path: string,
  { diagnostics, findings, omitted }: FileLedger,
  max: number,
): readonly Diagnostic[] {
  const first = diagnostics.slice(0, max);
  const secrets = diagnostics.flatMap(({ code, span }) => (code === 'PT3401' && span !== null ? [span] : []));
  const rest = findings
    .slice(0, max - first.length)
    .map(diagnosticOf)
    .filter(({ span }) => span === null || !secrets.some((secret) => isAbout(span, secret)));
  const unsaid = diagnostics.length + findings.length + omitted - max;
  if (unsaid <= 0) return [...first, ...rest];
  const message = `${path} has ${unsaid} further finding${unsaid === 1 ? '' : 's'} that are not shown.`;
  const more = diagnosticAt(
    null,
    'PT3004',
    message,
    'Correct the ones shown first, or raise limits.diagnosticsPerFile.',
  );
  return [...first, ...rest, more];
}

/** A masked value fits nothing; beside the finding that it is a secret, that says no more. */
function isAbout(span: Span, secret: Span): boolean {
  const overlaps = span.start < secret.end && secret.start < span.end;
  return overlaps && !span.source.text.slice(span.start, span.end).includes('\n');
}
