/** The policies to copy: right, tested, and tested so that no rule can go missing unseen. */
import { expect, test } from 'vitest';
import { testPorts } from '../src/cli/run/test-ports.ts';
import { checkProject } from '../src/tools/build-project.ts';
import { untestedRules } from '../src/tools/policy-tests/dropped-rules.ts';
import { caseReport } from '../src/tools/policy-tests/report.ts';
import { TestRunner } from '../src/tools/policy-tests/run.ts';
import { LIBRARY, libraryTexts, TODAY_MS } from './docs/examples.ts';
import { policies as policyFiles } from './docs/library-page.ts';

const texts = await libraryTexts();
const project = checkProject(texts, LIBRARY, TODAY_MS);
const { policies, world } = project.built!;

test('the library is checked without a word', () => {
  expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
});

test('there are at least fifteen policies, each with a file of tests', () => {
  const files = policyFiles();
  expect(files.length).toBeGreaterThanOrEqual(15);
  for (const file of files)
    expect(texts.map(({ path }) => path)).toContain(`policies/${file.replace('.policy', '.test.policy')}`);
});

const runner = new TestRunner(policies, world, testPorts());
test.each(project.tests.map((each) => [each.name, each] as const))('%s', (_, each) => {
  expect(caseReport(runner.run(each)).failures).toEqual([]);
});

test('whichever rule is dropped, a test fails', () => {
  const untested = untestedRules(policies, world, project.tests, testPorts());
  expect(untested.map(({ policy, kind, place }) => `${place} ${kind} of ${policy}`)).toEqual([]);
});
