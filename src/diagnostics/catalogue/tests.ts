import type { CatalogueEntry } from './entry.ts';

/** PT14xx: `test` blocks of policy files. */
export const TEST_CODES = {
  PT1401: {
    title: 'Test that tests nothing',
    severity: 'error',
    explanation:
      'A test says what is given, then what is sent and what is expected of it. Without a request or an expectation it would always pass.',
  },
} as const satisfies Record<string, CatalogueEntry>;
