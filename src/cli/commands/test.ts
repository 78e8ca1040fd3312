import { relative, sep } from 'node:path';
import { renderText } from '../../diagnostics/render/text.ts';
import { type CheckedProject, checkProject, hasError } from '../../tools/build-project.ts';
import { CoverageCounter } from '../../tools/policy-tests/coverage.ts';
import { untestedRules } from '../../tools/policy-tests/dropped-rules.ts';
import { buildMachine } from '../../tools/policy-tests/machine.ts';
import type { TestPorts } from '../../tools/policy-tests/ports.ts';
import { renderTestGithub, renderTestJUnit, renderTestText } from '../../tools/policy-tests/render.ts';
import { caseReport, type TestReport } from '../../tools/policy-tests/report.ts';
import { TestRunner } from '../../tools/policy-tests/run.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readProject } from '../run/project-files.ts';
import { PromptTables } from '../run/prompt-tables.ts';
import { systemClock } from '../run/system-clock.ts';
import { testPorts } from '../run/test-ports.ts';
import { colourFor } from '../terminal.ts';
import type { TestFormat } from '../test-formats.ts';

export interface TestOptions {
  readonly filter?: string;
  readonly coverage?: true;
  readonly eachRule?: true;
  readonly format?: TestFormat;
  readonly json?: true;
}

/** `portunus test [FOLDER]`: runs the tests of a project on the very code that the gateway runs, without any network. */
export async function test(folder: string, options: TestOptions): Promise<ExitCode> {
  const format = options.json ? 'json' : (options.format ?? 'text');
  if (options.json && options.format !== undefined && options.format !== 'json')
    return usage(`--json and --format ${options.format} exclude each other.`);
  const files = await readProject(folder);
  if (!files.ok) {
    process.stderr.write(`portunus test: ${files.error}\n`);
    return EXIT.couldNotRun;
  }
  const project = checkProject(files.value.texts, files.value.folder, systemClock().wallMs());
  if (project.built === null || hasError(project.diagnostics)) {
    process.stderr.write(renderText(project.diagnostics, { colour: colourFor(process.stderr) }));
    process.stderr.write('portunus test: the project has errors, so no test was run.\n');
    return EXIT.couldNotRun;
  }
  const { built } = project;
  const tables = new PromptTables();
  const ports = testPorts(tables);
  const report = await tables.judged(() => runTests(project, built, ports, options));
  if (report === null) return usage(`no test has "${options.filter}" in its name.`);
  process.stdout.write(rendered(report, format, files.value.folder));
  return report.failed === 0 && (report.untestedRules ?? []).length === 0 ? EXIT.fine : EXIT.findings;
}

function usage(message: string): ExitCode {
  process.stderr.write(`portunus test: ${message}\n`);
  return EXIT.usage;
}

/** Null: the filter leaves no test. */
function runTests(
  project: CheckedProject,
  { policies, world }: NonNullable<CheckedProject['built']>,
  ports: TestPorts,
  { filter, coverage, eachRule }: TestOptions,
): TestReport | null {
  const tests = project.tests.filter(({ name }) => filter === undefined || name.includes(filter));
  if (filter !== undefined && tests.length === 0) return null;
  const { rules } = buildMachine(policies, world, { modes: new Map(), shares: [] }, ports);
  const counter = coverage ? new CoverageCounter(rules, world) : null;
  const runner = new TestRunner(policies, world, ports);
  const reports = tests.map((one) => caseReport(runner.run(one, counter?.listen)));
  const failed = reports.filter(({ failures }) => failures.length > 0).length;
  return {
    passed: reports.length - failed,
    failed,
    tests: reports,
    coverage: counter?.result() ?? null,
    // with tests that fail anyway, nothing can be said of a rule
    untestedRules: eachRule && failed === 0 ? untestedRules(policies, world, tests, ports) : null,
  };
}

function rendered(report: TestReport, format: TestFormat, folder: string): string {
  switch (format) {
    case 'text':
      return renderTestText(report);
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    case 'junit':
      return renderTestJUnit(report);
    case 'github': {
      const path = relative(process.cwd(), folder).split(sep).join('/');
      return renderTestGithub(report, path === '' ? '' : `${path}/`);
    }
  }
}
