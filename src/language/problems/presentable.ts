import type { Diagnostic } from '../../diagnostics/diagnostic.ts';

const DIAGNOSTICS_PER_FILE_MAX = 50;

/**
 * At most one diagnostic per line and a bounded number per file. Of several on a line: errors before warnings, what
 * could not be read before unknown names, these before what does not fit together (each often explains the next), and
 * then the first.
 */
export function presentable(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const lines = new Map<number, Diagnostic>();
  for (const problem of problems) {
    const line = problem.span === null ? 0 : problem.span.source.position(problem.span.start).line;
    const other = lines.get(line);
    if (other === undefined || before(problem, other)) lines.set(line, problem);
  }
  return [...lines]
    .sort(([a], [b]) => a - b)
    .slice(0, DIAGNOSTICS_PER_FILE_MAX)
    .map(([, problem]) => problem);
}

function before(a: Diagnostic, b: Diagnostic): boolean {
  if (rank(a) !== rank(b)) return rank(a) < rank(b);
  return (a.span?.start ?? 0) < (b.span?.start ?? 0);
}

function rank({ code, severity }: Diagnostic): number {
  if (severity === 'warning') return 3;
  const group = ['PT01', 'PT11'].findIndex((prefix) => code.startsWith(prefix));
  return group === -1 ? 2 : group;
}
