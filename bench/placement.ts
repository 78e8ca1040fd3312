import { availableParallelism } from 'node:os';

/**
 * Where processes run. `apart`: each measured proxy alone on one core, generator and upstream on another, the same for
 * all peers, so that no peer gains by where the kernel happens to put it. `free`: wherever the kernel likes.
 */
export interface Placement {
  readonly measured: number | null;
  readonly others: number | null;
}

export const FREE: Placement = { measured: null, others: null };

export function apart(): Placement {
  return availableParallelism() < 2 ? FREE : { measured: 0, others: 1 };
}
