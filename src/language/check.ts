import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { SourceText } from '../diagnostics/source.ts';
import type { World } from '../model/world.ts';
import type { PolicyNode } from './ast.ts';
import { fileContext, projectNames } from './check/context.ts';
import { checkPolicy } from './check/policies.ts';
import { RouteIndex } from './check/route-index.ts';
import { compareCodePoints } from './order.ts';
import { type ParsedPolicyFile, parsePolicyFile } from './parse.ts';
import { policyTwice } from './problems/names.ts';
import { boundedReport } from './problems/problem.ts';
import type { CheckedPolicies, CheckedPolicy } from './typed.ts';

export interface PolicyCheck {
  /** The policies without errors. With any error in `diagnostics` the project as a whole is refused by its reader. */
  readonly policies: CheckedPolicies;
  /** By file, then place; at most one per line and 50 per file. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The one door of this room: policy files of a project, checked against its world. Never throws. */
export function checkPolicies(files: readonly SourceText[], world: World): PolicyCheck {
  return checkParsedPolicies(
    files.map((source) => parsePolicyFile(source, world.limits.nestingDepth)),
    world,
  );
}

/** The same for files already parsed: after an edit only the changed file needs {@link parsePolicyFile}. */
export function checkParsedPolicies(files: readonly ParsedPolicyFile[], world: World): PolicyCheck {
  const project = projectNames(world);
  const index = new RouteIndex(world);
  const ordered = [...files].sort((a, b) => compareCodePoints(a.source.path, b.source.path));
  const found = ordered.map(({ diagnostics }) => [...diagnostics]);
  const policies: CheckedPolicy[] = [];
  const names = new Map<string, PolicyNode>();
  ordered.forEach((parsed, at) => {
    const problems = found[at]!;
    const report = boundedReport(problems);
    const context = fileContext(project, parsed.file, report);
    for (const node of parsed.file.policies) {
      const first = names.get(node.name.value);
      if (report.isFull()) break;
      if (first !== undefined) report(policyTwice(node.span, node.name.value, first.span));
      names.set(node.name.value, first ?? node);
      const policy = checkPolicy(context, node, index);
      if (policy !== null && first === undefined && !hasError(node, parsed.diagnostics))
        policies.push(policy);
    }
  });
  return {
    policies: { policies: policies.sort((a, b) => compareCodePoints(a.name, b.name)) },
    diagnostics: found.flatMap((problems) => presentable(problems)),
  };
}

const DIAGNOSTICS_PER_FILE_MAX = 50;

/** Whether reading the file found an error within the policy. */
function hasError({ extent, closed }: PolicyNode, diagnostics: readonly Diagnostic[]): boolean {
  if (!closed) return true;
  return diagnostics.some(
    ({ severity, span }) =>
      severity === 'error' && span !== null && span.end > extent.start && span.start < extent.end,
  );
}

/**
 * At most one diagnostic per line and a bounded number per file. Of several on a line: errors before warnings, what
 * could not be read before what could not be understood (it often explains it), and then the first.
 */
function presentable(problems: readonly Diagnostic[]): readonly Diagnostic[] {
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
  if (severity === 'warning') return 2;
  return code.startsWith('PT01') ? 0 : 1;
}
