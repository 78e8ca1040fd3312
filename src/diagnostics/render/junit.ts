import type { Diagnostic } from '../diagnostic.ts';
import { printable } from './columns.ts';
import { type JUnitCase, type JUnitReport, renderJUnitXml } from './junit-xml.ts';
import { inReadingOrder } from './order.ts';
import type { FolderPrefix } from './report-paths.ts';
import { renderBlock } from './text.ts';

const SUITE = 'portunus check';
/** Findings about the project as a whole belong to this "file". */
const WHOLE_PROJECT = 'project';

/**
 * A check as a JUnit report: each file is a suite, each finding a case of it. Errors are failures, warnings are noted
 * in their output; a file without findings is one passed case. `paths` are all files that were checked.
 */
export function renderJUnit(
  diagnostics: readonly Diagnostic[],
  paths: readonly string[],
  prefix: FolderPrefix,
): string {
  const byFile = new Map<string, Diagnostic[]>(paths.map((path) => [path, []]));
  for (const diagnostic of inReadingOrder(diagnostics)) {
    const path = diagnostic.span?.source.path ?? WHOLE_PROJECT;
    const known = byFile.get(path);
    if (known === undefined) byFile.set(path, [diagnostic]);
    else known.push(diagnostic);
  }
  const suites: JUnitReport['suites'] = Array.from(byFile, ([path, found]) => {
    const name = path === WHOLE_PROJECT ? path : printable(`${prefix}${path}`);
    return { name, cases: found.length === 0 ? [passed(name)] : found.map((one) => caseOf(name, one)) };
  });
  return renderJUnitXml({ name: SUITE, suites });
}

function passed(file: string): JUnitCase {
  return { className: file, name: 'no findings', outcome: { kind: 'passed' } };
}

function caseOf(file: string, diagnostic: Diagnostic): JUnitCase {
  const { code, severity, span } = diagnostic;
  const place = span === null ? '' : `:${span.source.position(span.start).line}`;
  const message = printable(diagnostic.message);
  const text = renderBlock(diagnostic);
  return {
    className: file,
    name: `${code} ${file}${place}`,
    outcome:
      severity === 'error' ? { kind: 'failed', type: code, message, text } : { kind: 'noted', output: text },
  };
}
