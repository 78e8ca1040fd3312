/**
 * Calls of one thread that wait for a key of a pool. The tenant with the least start tag goes first, within it the higher
 * priority, then who came first. A call that has to wait for much room keeps the key that will have it soonest: others go
 * past it to other keys only, so it never starves and nothing lies idle.
 */

import type { PoolStrategy } from '../model/pools.ts';
import type { CallAmounts } from '../pipeline/key-pool.ts';
import { type Candidate, type Chosen, choose, type NoRoom } from './choice.ts';
import { type FairShares, NO_KEY } from './fair-shares.ts';
import type { Lanes } from './lanes.ts';

export interface Waiter {
  readonly candidates: readonly Candidate[];
  readonly amounts: CallAmounts;
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
  /** Most calls that wait on this thread. */
  readonly waitingMax: number;
  /** Calls {@link PoolQueue.turn} at that moment, in place of any asked for before. */
  readonly wakeAt: (atMs: number) => void;
}

/** Room that other threads free is looked for this often while somebody waits. */
const LOOK_MS = 20;
/** How soon to look again while another thread's waiter goes first. */
const YIELD_MS = 1;

export class PoolQueue {
  /** Most calls that wait on this thread. */
  waitingMax: number;
  readonly #options: PoolQueueOptions;
  /** By tenant, in order. */
  readonly #waiting = new Map<number, Waiter[]>();
  #count = 0;
  /** No waiter's deadline is earlier. */
  #deadlineMs = Number.POSITIVE_INFINITY;

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
    const { strategy, sticky } = call;
    const chosen = choose({ lanes, strategy, sticky, draw, isBarred }, call.candidates, call.amounts, nowMs);
    if ('ticket' in chosen) shares.served(call.tenant, workOf(call.amounts), call.weight);
    return chosen;
  }

  #soonest({ candidates, amounts }: Omit<Waiter, 'resume'>, nowMs: number): NoRoom {
    let soonest: NoRoom = { atMs: Number.POSITIVE_INFINITY, best: -1 };
    candidates.forEach(({ key, lanes }, best) => {
      if (!this.#options.serves(key, nowMs)) return;
      const atMs = this.#options.lanes.fitsAtMs(lanes, amounts, nowMs);
      if (atMs < soonest.atMs) soonest = { atMs, best };
    });
    return soonest;
  }

  /** False: too many wait already. */
  enqueue(waiter: Waiter, nowMs: number): boolean {
    if (this.#count >= this.waitingMax) return false;
    const line = this.#waiting.get(waiter.tenant);
    if (line === undefined) this.#waiting.set(waiter.tenant, [waiter]);
    else line.splice(placeIn(line, waiter.priority), 0, waiter);
    this.#count++;
    this.#deadlineMs = Math.min(this.#deadlineMs, waiter.deadlineMs);
    this.turn(nowMs);
    return true;
  }

  /** The caller has left. */
  withdraw(waiter: Waiter): void {
    const line = this.#waiting.get(waiter.tenant);
    const at = line === undefined ? -1 : line.indexOf(waiter);
    if (at !== -1) this.#remove(waiter.tenant, at);
  }

  /** Serves whom there is room for; to be called when room may have come. */
  turn(nowMs: number): void {
    const { shares, wakeAt } = this.#options;
    this.#endLate(nowMs);
    let wakeMs = Number.POSITIVE_INFINITY;
    const kept = new Set<number>();
    const passed = new Set<number>();
    for (let tenant = this.#first(passed); tenant !== null; tenant = this.#first(passed)) {
      const startTag = shares.startTag(tenant);
      if (shares.isBehind(startTag, nowMs)) {
        wakeMs = Math.min(wakeMs, nowMs + YIELD_MS);
        break;
      }
      const waiter = this.#waiting.get(tenant)![0]!;
      const chosen = this.#choose(waiter, startTag, kept, nowMs);
      if ('ticket' in chosen) {
        this.#remove(tenant, 0);
        shares.served(tenant, workOf(waiter.amounts), waiter.weight);
        waiter.resume(chosen);
        continue;
      }
      passed.add(tenant);
      if (chosen.best !== -1) kept.add(waiter.candidates[chosen.best]!.key);
      wakeMs = Math.min(wakeMs, chosen.atMs);
    }
    this.#announce(kept, nowMs);
    if (this.#count === 0) return;
    wakeAt(Math.max(nowMs + YIELD_MS, Math.min(wakeMs, nowMs + LOOK_MS, this.#deadlineMs)));
  }

  #choose(waiter: Waiter, startTag: number, kept: ReadonlySet<number>, nowMs: number): Chosen | NoRoom {
    const { lanes, shares, draw, serves } = this.#options;
    const isBarred = ({ key }: Candidate): boolean =>
      !serves(key, nowMs) || kept.has(key) || shares.isKept(key, startTag, nowMs);
    const { strategy, sticky } = waiter;
    return choose({ lanes, strategy, sticky, draw, isBarred }, waiter.candidates, waiter.amounts, nowMs);
  }

  #announce(kept: ReadonlySet<number>, nowMs: number): void {
    const { shares } = this.#options;
    const first = this.#first(NOBODY);
    const [key = NO_KEY] = kept;
    shares.announce(first === null ? null : shares.startTag(first), key, nowMs);
  }

  /** The tenant whose turn it is. */
  #first(passed: ReadonlySet<number>): number | null {
    let first: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const tenant of this.#waiting.keys()) {
      if (passed.has(tenant)) continue;
      const tag = this.#options.shares.startTag(tenant);
      if (tag >= least) continue;
      least = tag;
      first = tenant;
    }
    return first;
  }

  #endLate(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    for (const [tenant, line] of [...this.#waiting]) {
      for (let at = line.length - 1; at >= 0; at--) {
        const waiter = line[at]!;
        if (waiter.deadlineMs > nowMs) {
          this.#deadlineMs = Math.min(this.#deadlineMs, waiter.deadlineMs);
          continue;
        }
        this.#remove(tenant, at);
        waiter.resume(this.#soonest(waiter, nowMs));
      }
    }
  }

  #remove(tenant: number, at: number): void {
    const line = this.#waiting.get(tenant)!;
    line.splice(at, 1);
    this.#count--;
    if (line.length === 0) this.#waiting.delete(tenant);
  }
}

/** What a call counts for in fairness: its tokens, and a request that has few of them is not free. */
export function workOf({ inputTokens, outputTokens }: CallAmounts): number {
  return inputTokens + outputTokens + REQUEST_WORK;
}
const REQUEST_WORK = 100;

function placeIn(line: readonly Waiter[], priority: number): number {
  const at = line.findIndex((other) => other.priority > priority);
  return at === -1 ? line.length : at;
}

const NOBODY: ReadonlySet<number> = new Set();
