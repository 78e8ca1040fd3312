/** What the pages teach is true: every example is checked, and its tests are run, in the world of the policy library. */
import { describe, expect, test } from 'vitest';
import { testPorts } from '../../src/cli/run/test-ports.ts';
import { checkProject } from '../../src/tools/build-project.ts';
import { caseReport } from '../../src/tools/policy-tests/report.ts';
import { TestRunner } from '../../src/tools/policy-tests/run.ts';
import { type Example, examplesOf, LIBRARY, libraryTexts, projectWith, TODAY_MS } from './examples.ts';

const PAGES = ['language.md', 'traps.md'];
const library = await libraryTexts();
const named = (examples: readonly Example[]): (readonly [string, Example])[] =>
  examples.map((example) => [`line ${example.line}`, example]);

describe.each(PAGES)('docs/%s', (page) => {
  const examples = examplesOf(page);
  const right = examples.filter(({ code }) => code === null);
  const wrong = examples.filter(({ code }) => code !== null);

  test('has examples of both kinds', () => {
    expect(right.length).toBeGreaterThan(3);
    expect(wrong.length).toBeGreaterThan(1);
  });

  test.each(named(right))('%s is accepted, and its tests pass', (_, example) => {
    const { built, tests, diagnostics } = checkProject(projectWith(library, example), LIBRARY, TODAY_MS);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
    const runner = new TestRunner(built!.policies, built!.world, testPorts());
    expect(tests.flatMap((each) => caseReport(runner.run(each)).failures)).toEqual([]);
  });

  test.each(named(wrong))('%s is the mistake that the page says', (_, example) => {
    const { diagnostics } = checkProject(projectWith(library, example), LIBRARY, TODAY_MS);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toEqual([example.code]);
  });
});
