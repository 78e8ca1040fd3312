import type { Value } from '../model/types.ts';
import type { FactReference } from './ir.ts';

/**
 * Tags of the key spaces of counters. A tag is hashed together with the text, so a consumer named like an address
 * never shares a counter with it (language-rules #16).
 */
export function counterKeyTag(fact: FactReference): string {
  return fact.key;
}

export const OTHERWISE_KEY_TAG = 'otherwise';
/** For a key that is missing although nothing stands in for it: one counter for all such requests, never no limit. */
export const MISSING_KEY_TAG = 'missing';

/** The text of a value that is part of a key. */
export function counterKeyText(value: Value): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
