import type { CatalogueEntry } from './entry.ts';

/** PT14xx: `test` blocks of policy files. */
export const TEST_CODES = {
  PT1401: {
    title: 'Test that tests nothing',
    severity: 'error',
    explanation:
      'A test says what is given, then what is sent and what is expected of it. Without a request or an expectation it would always pass.',
  },
  PT1402: {
    title: 'Caller that cannot be',
    severity: 'error',
    explanation:
      'What a test gives about its caller has to be true of one tenant, team and consumer of the project.',
  },
  PT1403: {
    title: 'Request that no route answers',
    severity: 'error',
    explanation:
      'The gateway would answer 404 or 405 before any policy is asked, so the test says nothing about one.',
  },
  PT1404: {
    title: 'Amount that cannot be',
    severity: 'error',
    explanation: 'A number in the test is more than there can be of it.',
  },
  PT1405: {
    title: 'Rule that never refuses',
    severity: 'error',
    explanation: 'Only deciding rules refuse or warn; a test that expects it of another could never pass.',
  },
  PT1406: {
    title: 'Two tests of one name',
    severity: 'error',
    explanation: 'Reports name a test by its file and name.',
  },
  PT1407: {
    title: 'Policy in a test file',
    severity: 'error',
    explanation:
      'The gateway leaves out files named *.test.policy, so a policy in one would never be in force.',
  },
} as const satisfies Record<string, CatalogueEntry>;
