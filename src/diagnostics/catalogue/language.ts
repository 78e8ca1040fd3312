import type { CatalogueEntry } from './entry.ts';

/**
 * Codes of one policy file: PT01xx reading the text, PT11xx names, PT12xx types, PT13xx values that may be missing,
 * PT21xx rules that cannot mean what they say.
 */
export const LANGUAGE_CODES = {
  PT0101: {
    title: 'Unexpected text',
    severity: 'error',
    explanation: 'The parser met something that cannot stand at this place. The message lists what can.',
  },
} as const satisfies Record<string, CatalogueEntry>;
