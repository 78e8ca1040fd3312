import { type JUnitSuite, renderJUnitXml } from '../../diagnostics/render/junit-xml.ts';
import { sightLines } from '../sights.ts';
import type { Coverage } from './coverage.ts';
import type { UntestedRule } from './dropped-rules.ts';
import type { FailureReport, TestCaseReport, TestReport } from './report.ts';

/** For people. */
export function renderTestText(report: TestReport): string {
  const lines = [
    ...report.tests.flatMap(caseLines),
    '',
    ...(report.coverage === null ? [] : coverageLines(report.coverage)),
    ...(report.untestedRules === null ? [] : untestedLines(report.untestedRules)),
    summary(report),
  ];
  return `${lines.join('\n')}\n`;
}

function caseLines({ name, place, failures }: TestCaseReport): string[] {
  if (failures.length === 0) return [`✓ ${name}`];
  return [`✗ ${name}  (${place})`, ...failures.flatMap(failureLines), ''];
}

function failureLines({ place, expected, happened, request, rules }: FailureReport): string[] {
  const [first = '', ...others] = happened;
  return [
    `    ${request}`,
    `    expected  ${expected}  (${place})`,
    `    happened  ${first}`,
    ...others.map((each) => `              ${each}`),
    ...(rules.length === 0 ? [] : ['    what each rule saw:', ...sightLines(rules, '      ')]),
  ];
}

function coverageLines({ clauses, seenBothWays, policies }: Coverage): string[] {
  const lines = policies.flatMap((each) => [
    `${share(each.seenBothWays, each.clauses)}  "${each.policy}"`,
    ...each.missing.map(({ text, missing, place }) => `      ${NEVER_SEEN[missing]}: ${text}  (${place})`),
  ]);
  return ['Clauses seen both true and false:', ...lines, `${share(seenBothWays, clauses)}  in all`, ''];
}

const NEVER_SEEN = { true: 'never true', false: 'never false', either: 'never asked' } as const;

function share(part: number, whole: number): string {
  return `  ${String(part).padStart(3)} of ${whole}`.padEnd(13);
}

function untestedLines(rules: readonly UntestedRule[]): string[] {
  if (rules.length === 0) return ['Without any one of the rules, at least one test fails.', ''];
  return [
    'No test fails without:',
    ...rules.map(
      ({ policy, rule, kind, place }) =>
        `  "${policy}" ${kind}${rule === null ? '' : ` "${rule}"`}  (${place})`,
    ),
    '',
  ];
}

function summary({ passed, failed }: TestReport): string {
  if (passed + failed === 0)
    return 'There are no tests. Write them in files named *.test.policy beside the policies.';
  const count = `${passed} ${passed === 1 ? 'test' : 'tests'} passed`;
  return failed === 0 ? `Fine: ${count}.` : `${failed} failed, ${count}.`;
}

/** One suite for each file. */
export function renderTestJUnit({ tests }: TestReport): string {
  const suites = [...new Set(tests.map(({ file }) => file))].map(
    (file): JUnitSuite => ({
      name: file,
      cases: tests
        .filter((one) => one.file === file)
        .map(({ name, failures }) => ({
          className: file,
          name,
          outcome:
            failures.length === 0
              ? { kind: 'passed' }
              : {
                  kind: 'failed',
                  type: 'expectation',
                  message: `expected ${failures[0]!.expected}, happened ${failures[0]!.happened[0]}`,
                  text: failures.flatMap(failureLines).join('\n'),
                },
        })),
    }),
  );
  return renderJUnitXml({ name: 'portunus test', suites });
}

/** Workflow commands of GitHub Actions: one for each expectation that was not met. `prefix`: from there to the project. */
export function renderTestGithub({ tests }: TestReport, prefix: string): string {
  return tests
    .flatMap(({ name, file, failures }) =>
      failures.map(({ line, expected, happened }) => {
        const text = `${name}: expected ${expected}\nhappened ${happened.join('\n')}`;
        const place = `file=${property(prefix + file)},line=${line},title=${property(`test ${name}`)}`;
        return `::error ${place}::${data(text)}\n`;
      }),
    )
    .join('');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
