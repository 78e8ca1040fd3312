import type { KeyHash } from '../pipeline/identity.ts';
import type { BoundRuntime, MutableKeyHash } from '../pipeline/program.ts';

/** Key space of the hashes that stand for rules where lots are drawn. */
export const SHARE_TAG = 'share';

/**
 * Where something stands in the draw of a rule, from 0 to below 100: it is in a share of more percent than that. `lot` is the
 * keyed hash of the rule; with the key of the data folder being secret, nobody can choose an id that is in, or out.
 */
export function standing(
  lot: KeyHash,
  of: KeyHash,
  scratch: MutableKeyHash,
  combineKey: BoundRuntime['combineKey'],
): number {
  scratch.high = lot.high;
  scratch.low = lot.low;
  combineKey(scratch, of);
  return ((scratch.high >>> 0) * 100) / 2 ** 32;
}
