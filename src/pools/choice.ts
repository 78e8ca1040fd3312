/** Which key of a pool a call goes to, among those that have room for it. */
import type { ModelPrice, PoolStrategy } from '../model/pools.ts';
import type { CallAmounts } from '../pipeline/key-pool.ts';
import { type CallEstimate, takenOf } from './call-cost.ts';
import type { LaneTicket } from './lane-ticket.ts';
import type { Lanes } from './lanes.ts';

/** A key of a pool, for one model: the lanes that its calls are counted in, in the order of locking: that of the account first, then that of the model. */
export interface Candidate {
  readonly key: number;
  readonly lanes: readonly number[];
  /** 1 goes first, with `priority`. */
  readonly priority: number;
  /** With `weighted`. */
  readonly weight: number;
  /** The share of calls that it is tried for before the others: below 1 for a new secret that has to prove itself. */
  readonly share: number;
  /** Place of what it costs among the prices of its model. */
  readonly pricePlace: number;
}

export interface Chosen {
  readonly key: number;
  /** What the call costs with it; null: not known. */
  readonly price: ModelPrice | null;
  readonly ticket: LaneTicket;
}

/** Nothing fits now: when the first key will, and which. `atMs` is Infinity where no key is ever large enough. */
export interface NoRoom {
  readonly atMs: number;
  /** Index into the candidates; -1 for none. */
  readonly best: number;
}

/** What rules allow one call with each key, by its place (language-rules #19). */
export interface KeyGuard {
  /** The least share that would be left, 0 … 1; below 0 where it may not go. */
  headroom(key: number, nowMs: number): number;
  /** The first moment at which it may: not after `nowMs` where it may now. */
  fitsAtMs(key: number, nowMs: number): number;
  /** Takes what it counts for; false: there is no room. */
  take(key: number, nowMs: number): boolean;
}

/** How one call chooses. */
export interface Choice {
  readonly lanes: Lanes;
  readonly strategy: PoolStrategy;
  /** Hash of what is to meet the same key again and again; null: nothing is. */
  readonly sticky: number | null;
  /** A uniform integer below its argument. */
  readonly draw: (below: number) => number;
  /** Whether the headroom of a candidate is kept for somebody else, or it takes no calls. */
  readonly isBarred: (candidate: Candidate) => boolean;
  /** Null: rules count nothing by key. */
  readonly guard: KeyGuard | null;
}

/** Above this many keys, two are drawn instead of looking at all: the choice stays as good (Mitzenmacher, 2001). */
const LOOK_AT_ALL = 8;

/** Of strategies that go by an order, so many keys are asked in it: that one was full which looked as if it were not is rare. */
const ASK_IN_ORDER = 8;

/** Takes from the best key that has room. */
export function choose(
  choice: Choice,
  candidates: readonly Candidate[],
  amounts: CallEstimate,
  nowMs: number,
): Chosen | NoRoom {
  const { isBarred, strategy } = choice;
  const asksInOrder = strategy === 'priority' || strategy === 'cheapest';
  ASKED.length = 0;
  do {
    const next = best(choice, candidates, amounts, nowMs);
    if (next === -1) break;
    const taken = take(choice, candidates[next]!, amounts, nowMs);
    if (typeof taken !== 'number') return chosen(candidates[next]!, amounts, taken);
    ASKED.push(next);
  } while (asksInOrder && ASKED.length < ASK_IN_ORDER);
  // Another thread was faster, or two that were drawn are not all: every key is asked before anybody is told to wait.
  let earliest: NoRoom = { atMs: Number.POSITIVE_INFINITY, best: -1 };
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!;
    if (isBarred(candidate)) continue;
    const taken = take(choice, candidate, amounts, nowMs);
    if (typeof taken !== 'number') return chosen(candidate, amounts, taken);
    if (taken < earliest.atMs) earliest = { atMs: taken, best: index };
  }
  return earliest;
}

/** Candidates that one choice has asked in vain. An array for each choice would cost as much as the rest of it. */
const ASKED: number[] = [];

function chosen({ key, pricePlace }: Candidate, { prices }: CallEstimate, ticket: LaneTicket): Chosen {
  return { key, price: prices[pricePlace]!, ticket };
}

/** From its lanes and what rules count by key, in one step; or the first moment at which there is room in all of them. */
function take(
  { lanes, guard }: Choice,
  candidate: Candidate,
  call: CallEstimate,
  nowMs: number,
): LaneTicket | number {
  const { key, lanes: own } = candidate;
  const amounts = takenOf(candidate, call);
  if (guard === null) return lanes.take(own, amounts, nowMs);
  const taken = lanes.take(own, amounts, nowMs, () => guard.take(key, nowMs));
  return typeof taken === 'number' ? Math.max(taken, guard.fitsAtMs(key, nowMs)) : taken;
}

/**
 * The index of the best candidate, -1 for none. Of equals – keys of which nothing is known, above all – each account is as likely: the first
 * one would be used up while the rooms of others are full and give nothing back (bench/RESULTS.md, "untold limits").
 */
function best(
  choice: Choice,
  candidates: readonly Candidate[],
  amounts: CallEstimate,
  nowMs: number,
): number {
  const { lanes, strategy, sticky, draw, isBarred, guard } = choice;
  const looksAtAll = candidates.length <= LOOK_AT_ALL || strategy !== 'headroom' || sticky !== null;
  const looks = looksAtAll ? candidates.length : 2;
  let found = -1;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let equals = 0;
  // Of the best, the account weighed last: keys of one stand side by side.
  let weighed = NO_ACCOUNT;
  for (let look = 0; look < looks; look++) {
    const index = looksAtAll ? look : draw(candidates.length);
    const candidate = candidates[index]!;
    if (ASKED.includes(index) || isBarred(candidate)) continue;
    if (candidate.share < 1 && draw(DRAWS) >= candidate.share * DRAWS) continue;
    const taken = takenOf(candidate, amounts);
    const costNano = strategy === 'cheapest' ? costOf(candidate, amounts, taken) : 0;
    if (costNano > least) continue;
    const own = lanes.headroom(candidate.lanes, taken, nowMs);
    const headroom = own < 0 || guard === null ? own : Math.min(own, guard.headroom(candidate.key, nowMs));
    if (headroom < 0) continue;
    const score =
      sticky === null ? scoreOf(strategy, candidate, headroom, draw) : affinity(sticky, candidate.key);
    const isBetter = costNano < least || score > most;
    const account = candidate.lanes[0]!;
    // Of one account the first goes first: keys share its room, and a new secret stands before the former one.
    if (!isBetter && (score < most || account === weighed)) continue;
    weighed = account;
    if (isBetter) equals = 1;
    else if (draw(++equals) !== equals - 1) continue;
    least = costNano;
    most = score;
    found = index;
  }
  return found;
}

/** What nobody knows the price of comes last. */
function costOf({ pricePlace }: Candidate, { prices }: CallEstimate, { costNano }: CallAmounts): number {
  return prices[pricePlace] === null ? Number.POSITIVE_INFINITY : costNano;
}

function scoreOf(
  strategy: PoolStrategy,
  { priority, weight }: Candidate,
  headroom: number,
  draw: Choice['draw'],
): number {
  switch (strategy) {
    case 'headroom':
    case 'cheapest':
      return headroom;
    case 'priority':
      // Headroom is at most 1: it decides among keys of one priority.
      return headroom - 2 * priority;
    case 'weighted':
      // The largest of these is of each with the probability of its share (Efraimidis and Spirakis, 2006).
      return Math.log((draw(DRAWS) + 1) / (DRAWS + 1)) / weight;
  }
}
const DRAWS = 2 ** 30;
/** No lane. */
const NO_ACCOUNT = -1;

/** Rendezvous hashing (Thaler and Ravishankar, 1998): a key that comes or goes moves nobody but its own. */
function affinity(sticky: number, key: number): number {
  let hash = Math.imul(sticky ^ Math.imul(key + 1, 0x9e37_79b1), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
