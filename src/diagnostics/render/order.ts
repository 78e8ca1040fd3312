import type { Diagnostic } from '../diagnostic.ts';
import type { Severity } from '../severity.ts';

/** Sorted by file, then position, then code; findings about the project as a whole come last, next to the count. */
export function inReadingOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((left, right) => {
    if (left.span === null || right.span === null)
      return Number(left.span === null) - Number(right.span === null);
    const byPath = compareText(left.span.source.path, right.span.source.path);
    if (byPath !== 0) return byPath;
    return left.span.start - right.span.start || compareText(left.code, right.code);
  });
}

export function countOf(diagnostics: readonly Diagnostic[], severity: Severity): number {
  return diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
}

/** By code units, so that the order is the same in every locale. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
