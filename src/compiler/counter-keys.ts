import { assert } from '../base/assert.ts';
import type { Value } from '../model/types.ts';
import type { ChosenTarget } from '../pipeline/target-limits.ts';
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

/** The text of what a call is sent to, by the fact that tells counters apart: keys have names of their own in each pool, accounts with each provider. */
export function targetKeyText(path: string, { pool, provider, key, account }: ChosenTarget): string {
  switch (path) {
    case 'key':
      return JSON.stringify([pool, key]);
    case 'key.account':
      return JSON.stringify([provider, account]);
    case 'target.provider':
      return provider;
    default:
      assert(path === 'target' || path === 'target.pool', `a fact of what is chosen: ${path}`);
      return pool;
  }
}

/** The text of a value that is part of a key. */
export function counterKeyText(value: Value): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
