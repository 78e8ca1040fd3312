import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { PolicyNode } from '../ast.ts';

/** Whether reading the file found no error within the policy. A rule that could not be read is not in its node. */
export function isReadWhole({ extent, closed }: PolicyNode, diagnostics: readonly Diagnostic[]): boolean {
  if (!closed) return false;
  return !diagnostics.some(
    ({ severity, span }) =>
      severity === 'error' && span !== null && span.end > extent.start && span.start < extent.end,
  );
}
