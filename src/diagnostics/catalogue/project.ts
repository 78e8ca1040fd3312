import type { CatalogueEntry } from './entry.ts';

/** Codes about all policies and routes together: PT22xx conflicts between rules, PT24xx what is (not) governed. */
export const PROJECT_CODES = {
  PT2401: {
    title: 'Route that can never be permitted',
    severity: 'error',
    explanation:
      'A request is refused unless a permit holds. No enforced policy with a permit applies to this route, so every request to it would be refused. Write a permit for it, or widen what a policy applies to.',
  },
} as const satisfies Record<string, CatalogueEntry>;
