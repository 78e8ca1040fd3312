import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import type { World } from '../model/world.ts';
import { EVERYTHING } from './check/authorities.ts';
import { fileContext, projectNames } from './check/context.ts';
import { isReadWhole } from './check/read-whole.ts';
import { checkTest } from './check/tests.ts';
import { compareCodePoints } from './order.ts';
import type { ParsedPolicyFile } from './parse.ts';
import { presentable } from './problems/presentable.ts';
import { boundedReport } from './problems/problem.ts';
import { policyInTestFile, testTwice } from './problems/tests.ts';
import type { CheckedTest } from './typed-tests.ts';

export interface TestCheck {
  /** The tests without errors, by file and place. */
  readonly tests: readonly CheckedTest[];
  /** Of tests alone: reading and checking policies reports the rest. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Files of tests: the gateway does not read them, so nothing in them is ever in force. */
export function isTestFile(path: string): boolean {
  return path.endsWith('.test.policy');
}

/** The tests of `files`, checked against the world and the policies of a project. Never throws. */
export function checkTests(
  files: readonly ParsedPolicyFile[],
  world: World,
  policyFiles: readonly ParsedPolicyFile[] = files,
): TestCheck {
  // tests ask no calendar
  const project = projectNames(world, new Map());
  const ordered = [...files].sort((a, b) => compareCodePoints(a.source.path, b.source.path));
  const policies = new Map(
    [...policyFiles]
      .flatMap(({ file, diagnostics }) =>
        file.policies.map((node) => ({ node, readWhole: isReadWhole(node, diagnostics) })),
      )
      .reverse()
      .map((policy) => [policy.node.name.value, policy]),
  );
  const diagnostics: Diagnostic[] = [];
  const tests: CheckedTest[] = [];
  for (const { source, file } of ordered) {
    const problems: Diagnostic[] = [];
    const report = boundedReport(problems);
    const context = { ...fileContext(project, file, EVERYTHING, ignore), report };
    if (isTestFile(source.path)) for (const policy of file.policies) report(policyInTestFile(policy.span));
    const names = new Map<string, Span>();
    for (const node of file.tests) {
      if (report.isFull()) break;
      const first = names.get(node.name.value);
      if (first === undefined) names.set(node.name.value, node.name.span);
      else report(testTwice(node.name.span, node.name.value, first));
      const test = checkTest(context, node, policies);
      if (test !== null) tests.push(test);
    }
    diagnostics.push(...presentable(problems));
  }
  return { tests, diagnostics };
}

/** Mistakes of the file outside its tests are reported where its policies are checked. */
function ignore(): void {}
