/** Which key of a pool a call goes to: the one of most headroom, of two drawn at random when there are many. */
import type { CallAmounts } from '../pipeline/key-pool.ts';
import type { Lanes, LaneTicket } from './lanes.ts';

/** A key of a pool, for one model: the lanes that its calls are counted in, ascending. */
export interface Candidate {
  readonly key: number;
  readonly lanes: readonly number[];
}

export interface Chosen {
  readonly key: number;
  readonly ticket: LaneTicket;
}

/** Nothing fits now: when the first key will, and which. `atMs` is Infinity where no key is ever large enough. */
export interface NoRoom {
  readonly atMs: number;
  /** Index into the candidates; -1 for none. */
  readonly best: number;
}

/** Above this many keys, two are drawn instead of looking at all: the choice stays as good (Mitzenmacher, 2001). */
const LOOK_AT_ALL = 8;

/**
 * Takes from the best key that has room. `isBarred` says of a candidate that its headroom is kept for somebody else; `draw` gives a
 * uniform integer below its argument.
 */
export function choose(
  lanes: Lanes,
  candidates: readonly Candidate[],
  amounts: CallAmounts,
  nowMs: number,
  draw: (below: number) => number,
  isBarred: (candidate: Candidate) => boolean,
): Chosen | NoRoom {
  const first = best(lanes, candidates, amounts, nowMs, draw, isBarred);
  if (first !== -1) {
    const taken = lanes.take(candidates[first]!.lanes, amounts, nowMs);
    if (typeof taken !== 'number') return { key: candidates[first]!.key, ticket: taken };
  }
  // Another thread was faster, or two that were drawn are not all: every key is asked before anybody is told to wait.
  let earliest: NoRoom = { atMs: Number.POSITIVE_INFINITY, best: -1 };
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!;
    if (isBarred(candidate)) continue;
    const taken = lanes.take(candidate.lanes, amounts, nowMs);
    if (typeof taken !== 'number') return { key: candidate.key, ticket: taken };
    if (taken < earliest.atMs) earliest = { atMs: taken, best: index };
  }
  return earliest;
}

function best(
  lanes: Lanes,
  candidates: readonly Candidate[],
  amounts: CallAmounts,
  nowMs: number,
  draw: (below: number) => number,
  isBarred: (candidate: Candidate) => boolean,
): number {
  const few = candidates.length <= LOOK_AT_ALL;
  const looks = few ? candidates.length : 2;
  let found = -1;
  let most = -1;
  for (let look = 0; look < looks; look++) {
    const index = few ? look : draw(candidates.length);
    const candidate = candidates[index]!;
    if (isBarred(candidate)) continue;
    const headroom = lanes.headroom(candidate.lanes, amounts, nowMs);
    if (headroom < 0 || headroom <= most) continue;
    most = headroom;
    found = index;
  }
  return found;
}
