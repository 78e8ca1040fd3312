import { CERTIFICATE_CODES } from './catalogue/certificates.ts';
import { CONFIGURATION_CODES } from './catalogue/configuration.ts';
import type { CatalogueEntry } from './catalogue/entry.ts';
import { LANGUAGE_CODES } from './catalogue/language.ts';
import { POOL_CODES } from './catalogue/pools.ts';
import { PROJECT_CODES } from './catalogue/project.ts';
import { TEST_CODES } from './catalogue/tests.ts';

/** Every code Portunus can report. Stable: a code is never reused for another meaning. */
export const CATALOGUE = {
  ...LANGUAGE_CODES,
  ...POOL_CODES,
  ...TEST_CODES,
  ...PROJECT_CODES,
  ...CONFIGURATION_CODES,
  ...CERTIFICATE_CODES,
} as const satisfies Record<`PT${number}`, CatalogueEntry>;

export type DiagnosticCode = keyof typeof CATALOGUE;
