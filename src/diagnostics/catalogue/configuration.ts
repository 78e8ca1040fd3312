import type { CatalogueEntry } from './entry.ts';

/** Codes of YAML files: PT30xx reading the text, PT31xx shape, PT32xx references, PT33xx routes, PT34xx secrets. */
export const CONFIGURATION_CODES = {
  PT3001: {
    title: 'Not readable as YAML',
    severity: 'error',
    explanation: 'The file is not valid YAML 1.2, so nothing in it can be read.',
  },
} as const satisfies Record<string, CatalogueEntry>;
