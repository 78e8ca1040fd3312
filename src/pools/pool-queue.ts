/**
 * Calls of one thread that wait for a key of a pool. The tenant with the least start tag goes first, within it the higher
 * priority, then who came first. A call that has to wait for much room keeps the lane without it of the key that will have it
 * soonest, be that of the account or of the model: others go past it to other lanes only, those of its own tenant too, so it never
 * starves and nothing lies idle.
 */

import type { PoolStrategy } from '../model/pools.ts';
import { type CallEstimate, takenOf } from './call-cost.ts';
import { type Candidate, type Chosen, choose, type KeyGuard, type NoRoom } from './choice.ts';
import { type FairShares, NO_LANE } from './fair-shares.ts';
import type { Lanes } from './lanes.ts';

export interface Waiter {
  readonly candidates: readonly Candidate[];
  readonly amounts: CallEstimate;
  /** What rules count by key; a limit of theirs holds up only whom it counts, so others go past. Null: nothing. */
  readonly guard: KeyGuard | null;
  readonly strategy: PoolStrategy;
  readonly sticky: number | null;
  /** Place of the tenant in the tags of the pool, and its share. */
  readonly tenant: number;
  readonly weight: number;
  /** 0 goes first. */
  readonly priority: number;
  readonly deadlineMs: number;
  /** Later, once: a key; or when there would have been one, at the deadline or once it is plain that it comes too late. */
  readonly resume: (outcome: Chosen | NoRoom) => void;
}

export interface PoolQueueOptions {
  readonly lanes: Lanes;
  readonly shares: FairShares;
  readonly draw: (below: number) => number;
  /** Whether a key takes calls at all now. */
  readonly serves: (key: number, nowMs: number) => boolean;
  /** Whether it will as soon as a call that is under way has ended. */
  readonly isProving: (key: number) => boolean;
  /** Most calls that wait on this thread. */
  readonly waitingMax: number;
  /** Calls {@link PoolQueue.turn} at that moment, in place of any asked for before. */
  readonly wakeAt: (atMs: number) => void;
}

interface Line {
  readonly tenant: number;
  /** Where the others were when it began to wait. */
  readonly since: number;
  /** In order. */
  readonly waiters: Waiter[];
}

/** Room that other threads free is looked for this often while somebody waits. */
const LOOK_MS = 20;
/** How soon to look again while another thread's waiter goes first, and how long it has time to take room that is there. */
const YIELD_MS = 1;
const PATIENCE_MS = 5;
/** So many behind one that finds no room are looked at for smaller ones that do. */
const LOOK_PAST = 16;

export class PoolQueue {
  /** Most calls that wait on this thread. */
  waitingMax: number;
  readonly #options: PoolQueueOptions;
  /** By tenant and model ({@link lineOf}), in order: a model without room holds up no other. */
  readonly #waiting = new Map<number, Line>();
  #count = 0;
  /** No waiter's deadline is earlier. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  /** When to look again for waiters whose keys serve no more. */
  #lookAtMs = 0;
  /** To which start tag of another thread room is left, and since when. */
  #yields = { to: Number.NaN, sinceMs: 0 };

  constructor(options: PoolQueueOptions) {
    this.#options = options;
    this.waitingMax = options.waitingMax;
  }

  get size(): number {
    return this.#count;
  }

  /** At once where nobody waits: a key, or when there will be one. Past waiters only on {@link enqueue}. */
  tryNow(call: Omit<Waiter, 'resume'>, nowMs: number): Chosen | NoRoom {
    const { lanes, shares, draw, serves } = this.#options;
    if (this.#count > 0 || shares.othersWait(nowMs)) return this.#soonest(call, nowMs);
    const isBarred = ({ key }: Candidate): boolean => !serves(key, nowMs);
    const { strategy, sticky, guard } = call;
    const choice = { lanes, strategy, sticky, draw, isBarred, guard };
    const chosen = choose(choice, call.candidates, call.amounts, nowMs);
    if ('ticket' in chosen)
      shares.served(call.tenant, shares.startTag(call.tenant, shares.now), this.#work(call), call.weight);
    return chosen;
  }

  #soonest({ candidates, amounts, guard }: Omit<Waiter, 'resume'>, nowMs: number): NoRoom {
    let soonest: NoRoom = { atMs: Number.POSITIVE_INFINITY, best: -1 };
    candidates.forEach((candidate, best) => {
      const { key, lanes } = candidate;
      if (!this.#options.serves(key, nowMs)) return;
      const ownMs = this.#options.lanes.fitsAtMs(lanes, takenOf(candidate, amounts), nowMs);
      const atMs = guard === null ? ownMs : Math.max(ownMs, guard.fitsAtMs(key, nowMs));
      if (atMs < soonest.atMs) soonest = { atMs, best };
    });
    return soonest;
  }

  /** False: too many wait already. Where they wait for rules of their own, one that has room goes all the same. */
  enqueue(waiter: Waiter, nowMs: number): boolean {
    const isFull = this.#count >= this.waitingMax;
    if (isFull && !this.#hasRoom(waiter, this.#barred(Number.POSITIVE_INFINITY, NO_LANES, nowMs), nowMs))
      return false;
    const line = this.#waiting.get(lineOf(waiter));
    if (line === undefined)
      this.#waiting.set(lineOf(waiter), {
        tenant: waiter.tenant,
        since: this.#options.shares.now,
        waiters: [waiter],
      });
    else line.waiters.splice(placeIn(line.waiters, waiter.priority), 0, waiter);
    this.#count++;
    this.#deadlineMs = Math.min(this.#deadlineMs, waiter.deadlineMs);
    this.turn(nowMs);
    if (!isFull || this.#waiting.get(lineOf(waiter))?.waiters.includes(waiter) !== true) return true;
    this.withdraw(waiter);
    return false;
  }

  /** It is served elsewhere, or its caller has left. */
  withdraw(waiter: Waiter): void {
    if (!this.#leaves(waiter)) return;
    // there is no further turn in which other threads would be told
    if (this.#count === 0) this.#options.shares.announce(null, NO_LANE, 0);
  }

  /** Serves whom there is room for; to be called when room may have come. */
  turn(nowMs: number): void {
    const { shares, wakeAt } = this.#options;
    this.#endLate(nowMs);
    this.#endForsaken(nowMs);
    let wakeMs = Number.POSITIVE_INFINITY;
    const kept = new Set<number>();
    const passed = new Map<number, number>();
    const barred = new Set<readonly Candidate[]>();
    const keeping = new Set<number>();
    for (let line = this.#first(passed, barred); line !== null; line = this.#first(passed, barred)) {
      const at = passed.get(line) ?? 0;
      const waiter = this.#waiting.get(line)!.waiters[at]!;
      const startTag = this.#tagOf(this.#waiting.get(line)!);
      const isBarred = this.#barred(startTag, kept, nowMs);
      if (this.#leavesRoom(waiter, startTag, isBarred, nowMs)) {
        wakeMs = Math.min(wakeMs, nowMs + YIELD_MS);
        break;
      }
      const chosen = this.#choose(waiter, isBarred, nowMs);
      if ('ticket' in chosen) {
        this.#remove(line, at);
        shares.served(waiter.tenant, startTag, this.#work(waiter), waiter.weight);
        waiter.resume(chosen);
        continue;
      }
      const isHeldByRule = this.#lanesHaveRoom(waiter, isBarred, nowMs);
      passed.set(line, isHeldByRule ? at + 1 : this.#nextSmaller(line, at));
      // a rule holds up only whom it counts
      if (!isHeldByRule && !keeping.has(line)) {
        keeping.add(line);
        kept.add(this.#fullLane(waiter, chosen, nowMs));
      }
      // who comes later may have them no more than this one: each is asked once, not by each line
      if (waiter.candidates.every(isBarred)) barred.add(waiter.candidates);
      wakeMs = Math.min(wakeMs, chosen.atMs);
    }
    this.#announce(kept, nowMs);
    if (this.#count === 0) return;
    wakeAt(Math.max(nowMs + YIELD_MS, Math.min(wakeMs, nowMs + LOOK_MS, this.#deadlineMs)));
  }

  #barred(startTag: number, kept: ReadonlySet<number>, nowMs: number): (candidate: Candidate) => boolean {
    const { shares, serves } = this.#options;
    return (candidate) => {
      const { key, lanes } = candidate;
      return (
        !serves(key, nowMs) || lanes.some((lane) => kept.has(lane)) || shares.isKept(lanes, startTag, nowMs)
      );
    };
  }

  /** What the waiter waits for at the key that will have room soonest: first the account, whose room all its models take from. */
  #fullLane({ candidates, amounts }: Waiter, { best }: NoRoom, nowMs: number): number {
    const { lanes } = this.#options;
    const candidate = candidates[best];
    if (candidate === undefined) return NO_LANE;
    const taken = takenOf(candidate, amounts);
    return candidate.lanes.find((lane) => lanes.fitsAtMs([lane], taken, nowMs) > nowMs) ?? NO_LANE;
  }

  /**
   * Whether room is left to a waiter of another thread whose turn it is. Not for long: what it has not taken by then is no room for
   * one of its size.
   */
  #leavesRoom(
    waiter: Waiter,
    startTag: number,
    isBarred: (candidate: Candidate) => boolean,
    nowMs: number,
  ): boolean {
    const to = this.#options.shares.before(startTag, nowMs);
    if (to === null || !this.#hasRoom(waiter, isBarred, nowMs)) return false;
    if (to !== this.#yields.to) this.#yields = { to, sinceMs: nowMs };
    return nowMs - this.#yields.sinceMs < PATIENCE_MS;
  }

  #hasRoom(waiter: Waiter, isBarred: (candidate: Candidate) => boolean, nowMs: number): boolean {
    const { lanes } = this.#options;
    const { candidates, amounts, guard } = waiter;
    return candidates.some(
      (candidate) =>
        !isBarred(candidate) &&
        lanes.fitsAtMs(candidate.lanes, takenOf(candidate, amounts), nowMs) <= nowMs &&
        (guard === null || guard.fitsAtMs(candidate.key, nowMs) <= nowMs),
    );
  }

  /** Of one that found no room: what it has none in is a rule that counts by key. */
  #lanesHaveRoom(
    { candidates, amounts, guard }: Waiter,
    isBarred: (candidate: Candidate) => boolean,
    nowMs: number,
  ): boolean {
    const { lanes } = this.#options;
    return (
      guard !== null &&
      candidates.some(
        (candidate) =>
          !isBarred(candidate) &&
          lanes.fitsAtMs(candidate.lanes, takenOf(candidate, amounts), nowMs) <= nowMs,
      )
    );
  }

  /** The next one in line that takes less than all before it: the others find no room either. */
  #nextSmaller(line: number, at: number): number {
    const { waiters } = this.#waiting.get(line)!;
    const work = this.#work(waiters[at]!);
    let next = at + 1;
    while (next < waiters.length && next <= LOOK_PAST) {
      if (this.#work(waiters[next]!) < work) return next;
      next++;
    }
    return Number.POSITIVE_INFINITY;
  }

  #work({ candidates, amounts }: Pick<Waiter, 'candidates' | 'amounts'>): number {
    return workOf(this.#options.lanes.expectedTokens(laneOf(candidates[0]!), amounts), amounts.outputTokens);
  }

  #choose(waiter: Waiter, isBarred: (candidate: Candidate) => boolean, nowMs: number): Chosen | NoRoom {
    const { lanes, draw } = this.#options;
    const { strategy, sticky, guard } = waiter;
    const choice = { lanes, strategy, sticky, draw, isBarred, guard };
    return choose(choice, waiter.candidates, waiter.amounts, nowMs);
  }

  #announce(kept: ReadonlySet<number>, nowMs: number): void {
    const { shares } = this.#options;
    const first = this.#first(NOBODY, NONE);
    const [lane = NO_LANE] = kept;
    const tag = first === null ? null : this.#tagOf(this.#waiting.get(first)!);
    shares.announce(tag, lane, nowMs);
  }

  /** The line whose turn it is, of those that have candidates which are not barred. */
  #first(passed: ReadonlyMap<number, number>, barred: ReadonlySet<readonly Candidate[]>): number | null {
    let first: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const [line, own] of this.#waiting) {
      const waiter = own.waiters[passed.get(line) ?? 0];
      if (waiter === undefined || barred.has(waiter.candidates)) continue;
      const tag = this.#tagOf(own);
      if (tag >= least) continue;
      least = tag;
      first = line;
    }
    return first;
  }

  #tagOf({ tenant, since }: Line): number {
    return this.#options.shares.startTag(tenant, since);
  }

  #endLate(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const late: Waiter[] = [];
    for (const { waiters } of this.#waiting.values())
      for (const waiter of waiters)
        if (waiter.deadlineMs <= nowMs) late.push(waiter);
        else this.#deadlineMs = Math.min(this.#deadlineMs, waiter.deadlineMs);
    this.#end(late, (waiter) => this.#soonest(waiter, nowMs));
  }

  /** From behind, as lines are shortened at no cost. Whoever is told may take others out of these lines, which are told nothing then. */
  #end(ended: readonly Waiter[], outcomeOf: (waiter: Waiter) => NoRoom): void {
    for (let nth = ended.length - 1; nth >= 0; nth--) {
      const waiter = ended[nth]!;
      if (this.#leaves(waiter)) waiter.resume(outcomeOf(waiter));
    }
  }

  /** False: it stands in no line any more. */
  #leaves(waiter: Waiter): boolean {
    const line = lineOf(waiter);
    const at = this.#waiting.get(line)?.waiters.lastIndexOf(waiter) ?? -1;
    if (at !== -1) this.#remove(line, at);
    return at !== -1;
  }

  /** None of their keys serves any more, be it by a person's word or a provider's: nothing is worth waiting for. */
  #endForsaken(nowMs: number): void {
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + LOOK_MS;
    const { serves, isProving } = this.#options;
    // most calls have one and the same list
    const known = new Map<readonly Candidate[], boolean>();
    const isForsaken = ({ candidates }: Waiter): boolean => {
      let is = known.get(candidates);
      if (is === undefined) {
        is = !candidates.some(({ key }) => serves(key, nowMs) || isProving(key));
        known.set(candidates, is);
      }
      return is;
    };
    const forsaken: Waiter[] = [];
    for (const { waiters } of this.#waiting.values())
      for (const waiter of waiters) if (isForsaken(waiter)) forsaken.push(waiter);
    this.#end(forsaken, () => NEVER);
  }

  #remove(line: number, at: number): void {
    const { waiters } = this.#waiting.get(line)!;
    waiters.splice(at, 1);
    this.#count--;
    if (waiters.length === 0) this.#waiting.delete(line);
  }
}

/** Where the call is counted by its model: what it waits for. */
function laneOf({ lanes }: Candidate): number {
  return lanes.at(-1)!;
}

/** All keys of a pool have a lane for each model: the first one's stands for the model. */
function lineOf({ tenant, candidates }: Waiter): number {
  return tenant * LANES_MAX + laneOf(candidates[0]!);
}
const LANES_MAX = 1_048_576;

/** What a call counts for in fairness: its tokens, and a request that has few of them is not free. */
export function workOf(promptTokens: number, outputTokens: number): number {
  return Math.min(WORK_MAX, promptTokens + outputTokens) + REQUEST_WORK;
}
const REQUEST_WORK = 100;
/** More than any call does: what a caller writes into one must not end all reckoning. */
const WORK_MAX = 10_000_000;

function placeIn(line: readonly Waiter[], priority: number): number {
  const at = line.findIndex((other) => other.priority > priority);
  return at === -1 ? line.length : at;
}

const NEVER: NoRoom = { atMs: Number.POSITIVE_INFINITY, best: -1 };
const NOBODY: ReadonlyMap<number, number> = new Map();
const NONE: ReadonlySet<readonly Candidate[]> = new Set();
const NO_LANES: ReadonlySet<number> = new Set();
