/**
 * Finds a key for one call: now, or once one has room. It waits in the queues of all its pools at a time, in each for as long as that lets
 * it, and goes to the one that has room first. What the call has met – keys that refused it, providers that have too much to do – is left
 * out from then on.
 *
 * The bytes of a prompt are some four times its tokens. Where they alone keep the call from a key, its prompt is counted before the call
 * waits or is refused.
 */
import { assert } from '../base/assert.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import { type CallEstimate, takenOf } from './call-cost.ts';
import type { CallGuard } from './call-guard.ts';
import { type CallPlan, countedPlan, promptOf } from './call-plan.ts';
import type { Candidate, Chosen, NoRoom } from './choice.ts';
import { LOOK_SOON_MS } from './meters.ts';
import type { ModelThread, Target } from './model-services.ts';
import type { Waiter } from './pool-queue.ts';

/** Why no key serves the call. */
export interface NoKey {
  readonly code:
    | 'keys_exhausted'
    | 'upstream_none_available'
    | 'no_key_available'
    | 'request_exceeds_keys'
    | 'no_pool_for_model';
  /** When it is worth to try again; Infinity: nobody knows. */
  readonly againMs: number;
}

export interface KeySearchParts {
  readonly thread: ModelThread;
  readonly plan: CallPlan;
  /** Those of the plan that rules leave the call, in order. */
  readonly targets: readonly Target[];
  readonly request: Pick<UpstreamRequest, 'tenant' | 'share' | 'priority'>;
  /** Of rules that count by key or target; null: there are none. */
  readonly guard: CallGuard | null;
}

export interface KeySeeker {
  /** Its room is taken. At once, or later. */
  found(target: Target, chosen: Chosen): void;
  notFound(why: NoKey): void;
}

/** What a call takes of a key, and of what rules count by key. */
interface Asked {
  readonly amounts: CallEstimate;
  readonly guard: CallGuard | null;
}

/** A pool without room now, and when it will have some. */
interface Full {
  readonly target: Target;
  readonly atMs: number;
}

/** One time of waiting: it is over with the first key that is found. */
interface Wait {
  readonly waiters: Map<Target, Waiter>;
  /** It stands in all queues that take it. */
  isBegun: boolean;
}

export class KeySearch {
  readonly #parts: KeySearchParts;
  readonly #seeker: KeySeeker;
  readonly #tenant: number;
  /** The account that keeps what the call builds upon; null: any may serve it. */
  readonly #home: number | null;
  #amounts: CallEstimate;
  #prompt: 'countable' | 'being-counted' | 'as-it-is';
  #hasLeft = false;
  /** When it first looked: waits behind refusals are parts of one. */
  #sinceMs: number | null = null;
  /** Pools that are not tried any more: their providers have too much to do. Null: none. */
  #passedOver: Set<Target> | null = null;
  /** By key, with the turn of the secret that was refused: with another one it is another key. Null: none was. */
  #refused: Map<number, number> | null = null;
  /** By key, how often it had no room though it seemed to have some. Null: none. */
  #throttled: Map<number, number> | null = null;
  #wait: Wait | null = null;

  constructor(parts: KeySearchParts, seeker: KeySeeker) {
    this.#parts = parts;
    this.#seeker = seeker;
    this.#tenant = parts.thread.tenants.placeOf(parts.request.tenant);
    this.#home = this.#homeOf(parts.plan);
    this.#amounts = parts.plan.amounts;
    this.#prompt = parts.plan.prompt === 'countable' ? 'countable' : 'as-it-is';
  }

  /** Tells the seeker of a key, now or later, or why there is none. */
  look(): void {
    assert(this.#wait === null && this.#prompt !== 'being-counted', 'a call looks for one key at a time');
    const { targets, thread } = this.#parts;
    const nowMs = thread.clock.monotonicMs();
    this.#sinceMs ??= nowMs;
    if (targets.length === 0) {
      this.#seeker.notFound({ code: 'no_pool_for_model', againMs: Number.POSITIVE_INFINITY });
      return;
    }
    const full = this.#take(nowMs);
    if (full === null || (this.#mayFitCounted(full, nowMs) && this.#isCounted())) return;
    if (!this.#waits(full, nowMs)) this.#seeker.notFound(this.#why(full, nowMs));
  }

  /** The caller has left. */
  leave(): void {
    this.#hasLeft = true;
    if (this.#wait !== null) this.#endWait(this.#wait);
  }

  /** The key refused the call: this call is not what proves that it is well again. */
  leaveOut(key: number, secretTurn: number): void {
    this.#refused ??= new Map();
    this.#refused.set(key, secretTurn);
  }

  /** Its provider had no room: others go first, and this one is asked again only from a queue. How often that was. */
  wasThrottled(key: number): number {
    this.#throttled ??= new Map();
    const times = (this.#throttled.get(key) ?? 0) + 1;
    this.#throttled.set(key, times);
    return times;
  }

  passOver(target: Target): void {
    this.#passedOver ??= new Set();
    this.#passedOver.add(target);
  }

  /** Whether a provider may be called for it: what is left alone is not, and the next pool serves. */
  mayTry(target: Target): boolean {
    return this.#passedOver?.has(target) !== true && target.service.outForMs() === 0;
  }

  hasOther(target: Target): boolean {
    return this.#parts.targets.some(
      (other) => other !== target && this.mayTry(other) && this.#candidatesOf(other).length > 0,
    );
  }

  /** In the words of a rule, where that has room for the call later than the limits of the key that is there first (language-rules #11). */
  limitRefusal(): Refusal | null {
    const { targets, thread, guard } = this.#parts;
    const { health, lanes, clock } = thread;
    if (guard === null) return null;
    const nowMs = clock.monotonicMs();
    const keys = targets
      .filter((target) => this.mayTry(target))
      .flatMap((target) => this.#candidatesOf(target).map((candidate) => ({ target, candidate })))
      .filter(({ candidate }) => health.serves(candidate.key, nowMs))
      .map(({ target, candidate }) => {
        const { key, lanes: own } = candidate;
        const ownMs = lanes.fitsAtMs(own, takenOf(candidate, this.#amounts), nowMs);
        const ruleMs = guard.of(target).fitsAtMs(key, nowMs);
        return { target, key, ownMs, ruleMs, atMs: Math.max(ownMs, ruleMs) };
      });
    // of those that never have room one whose own limits are large enough
    const [first] = keys.sort((a, b) => compared(a.atMs, b.atMs) || compared(a.ownMs, b.ownMs));
    if (first === undefined || first.ruleMs <= first.ownMs) return null;
    return guard.refusal(first.target, first.key, nowMs);
  }

  /** Null: a key was found. Else the pools that have a key that is well, and no room. */
  #take(nowMs: number): readonly Full[] | null {
    const { targets, thread, guard } = this.#parts;
    const { health } = thread;
    const full: Full[] = [];
    for (const target of targets) {
      if (!this.mayTry(target)) continue;
      const candidates = this.#candidatesOf(target);
      let isProving = false;
      let serves = false;
      for (const { key } of candidates) {
        // A key that is being proven may serve at any moment.
        isProving ||= health.isProving(key);
        serves ||= health.serves(key, nowMs);
      }
      if (!isProving && !serves) continue;
      const fresh = this.#freshOf(candidates);
      let atMs = Number.POSITIVE_INFINITY;
      if (fresh.length > 0) {
        const outcome = target.queue.tryNow(this.#waiterOf(target, fresh, null), nowMs);
        if ('ticket' in outcome) {
          this.#seeker.found(target, outcome);
          return null;
        }
        ({ atMs } = outcome);
      }
      if (fresh !== candidates)
        atMs = Math.min(atMs, this.#fitsAtMs(target, candidates, { amounts: this.#amounts, guard }, nowMs));
      full.push({ target, atMs: isProving ? Math.min(atMs, nowMs + LOOK_SOON_MS) : atMs });
    }
    return full;
  }

  #fitsAtMs(
    target: Target,
    candidates: readonly Candidate[],
    { amounts, guard }: Asked,
    nowMs: number,
  ): number {
    const { health, lanes } = this.#parts.thread;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const { key } = candidate;
      if (!health.serves(key, nowMs)) continue;
      const ownMs = lanes.fitsAtMs(candidate.lanes, takenOf(candidate, amounts), nowMs);
      const atMs = guard === null ? ownMs : Math.max(ownMs, guard.of(target).fitsAtMs(key, nowMs));
      earliestMs = Math.min(earliestMs, atMs);
    }
    return earliestMs;
  }

  /**
   * Whether fewer tokens than its prompt has bytes might be all that it lacks: to go at once where nobody else waits, or not to be
   * refused. Else it would be counted to no end, as all calls would be that come while a key has nothing left.
   */
  #mayFitCounted(full: readonly Full[], nowMs: number): boolean {
    if (this.#prompt !== 'countable') return false;
    const isRefused = full.every(({ target, atMs }) => atMs > this.#deadlineMs(target));
    const free = isRefused ? full : full.filter(({ target }) => target.queue.size === 0);
    if (free.length === 0) return false;
    const { plan, guard } = this.#parts;
    const least = countedPlan(plan, Math.ceil(plan.facts.promptBytes / BYTES_OF_TOKEN_MOST));
    const asked = { amounts: least.amounts, guard: guard === null ? null : guard.bounded(least.bounds) };
    // one that no key will ever have room for by its bytes has to be told when one will
    const neverFits = full.every(({ atMs }) => atMs === Number.POSITIVE_INFINITY);
    return free.some(({ target }) => {
      const byMs = neverFits ? Number.MAX_VALUE : isRefused ? this.#deadlineMs(target) : nowMs;
      return this.#fitsAtMs(target, this.#candidatesOf(target), asked, nowMs) <= byMs;
    });
  }

  /** Looks again once that is known; false: nobody counts it. */
  #isCounted(): boolean {
    const { thread, plan } = this.#parts;
    const prompt = promptOf(plan);
    const counting = prompt === null ? null : thread.countPrompt(prompt);
    this.#prompt = counting === null ? 'as-it-is' : 'being-counted';
    void counting?.then((tokens) => this.#counted(tokens));
    return counting !== null;
  }

  /** Null: it could not be. */
  #counted(tokens: number | null): void {
    this.#prompt = 'as-it-is';
    if (this.#hasLeft) return;
    if (tokens !== null) {
      const { amounts, bounds } = countedPlan(this.#parts.plan, tokens);
      this.#amounts = amounts;
      this.#parts.guard?.bound(bounds);
    }
    this.look();
  }

  /** False: no pool has room in time, or too many wait everywhere. */
  #waits(full: readonly Full[], nowMs: number): boolean {
    const wait: Wait = { waiters: new Map(), isBegun: false };
    this.#wait = wait;
    for (const { target, atMs } of full) {
      const waiter = this.#waiterOf(target, this.#candidatesOf(target), wait);
      if (atMs === Number.POSITIVE_INFINITY || atMs > waiter.deadlineMs) continue;
      wait.waiters.set(target, waiter);
      if (!target.queue.enqueue(waiter, nowMs)) wait.waiters.delete(target);
      // it may have been its turn at once
      if (this.#wait !== wait) return true;
    }
    wait.isBegun = true;
    if (wait.waiters.size === 0) this.#wait = null;
    return wait.waiters.size > 0;
  }

  #deadlineMs({ pool }: Target): number {
    return this.#sinceMs! + pool.queue.upToMs;
  }

  #waiterOf(target: Target, candidates: readonly Candidate[], wait: Wait | null): Waiter {
    const { plan, request, guard } = this.#parts;
    return {
      candidates,
      amounts: this.#amounts,
      guard: guard === null ? null : guard.of(target),
      strategy: target.pool.choose,
      sticky: target.pool.sticky === null ? null : plan.conversation,
      tenant: this.#tenant,
      weight: request.share,
      priority: RANKS[request.priority],
      deadlineMs: this.#deadlineMs(target),
      resume: (outcome) => this.#resumed(target, outcome, wait!),
    };
  }

  #resumed(target: Target, outcome: Chosen | NoRoom, wait: Wait): void {
    assert(wait === this.#wait, 'who has left a queue is not resumed');
    wait.waiters.delete(target);
    if ('ticket' in outcome) {
      this.#endWait(wait);
      this.#seeker.found(target, outcome);
    } else if (wait.waiters.size === 0 && wait.isBegun) {
      this.#endWait(wait);
      this.#endInVain();
    }
  }

  #endWait(wait: Wait): void {
    this.#wait = null;
    for (const [target, waiter] of wait.waiters) target.queue.withdraw(waiter);
    wait.waiters.clear();
  }

  /** A pool may have room by now that it did not wait for. */
  #endInVain(): void {
    const nowMs = this.#parts.thread.clock.monotonicMs();
    const full = this.#take(nowMs);
    if (full !== null) this.#seeker.notFound(this.#why(full, nowMs));
  }

  #why(full: readonly Full[], nowMs: number): NoKey {
    const atMs = full.reduce((soonest, each) => Math.min(soonest, each.atMs), Number.POSITIVE_INFINITY);
    const backMs = this.#backMs(nowMs);
    if (backMs !== null && (atMs === Number.POSITIVE_INFINITY || backMs < atMs))
      return { code: 'upstream_none_available', againMs: backMs };
    if (full.length === 0) return { code: 'no_key_available', againMs: Number.POSITIVE_INFINITY };
    if (atMs === Number.POSITIVE_INFINITY) return { code: 'request_exceeds_keys', againMs: atMs };
    const isSoon = atMs <= nowMs + LOOK_SOON_MS;
    return { code: 'keys_exhausted', againMs: isSoon ? Math.max(atMs, this.#provenMs(full, nowMs)) : atMs };
  }

  /** Of keys that one call goes to at a time: who waits looks again soon, who is sent away is told when others may go, too. 0: another has room as soon. */
  #provenMs(full: readonly Full[], nowMs: number): number {
    const { health, lanes } = this.#parts.thread;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const { target } of full)
      for (const candidate of this.#candidatesOf(target)) {
        const { key, lanes: own } = candidate;
        if (!health.serves(key, nowMs) && !health.isProving(key)) continue;
        const dueMs = Math.max(lanes.proofDueMs(own), health.proofDueMs(key));
        if (dueMs > nowMs) soonestMs = Math.min(soonestMs, dueMs);
        else if (lanes.fitsAtMs(own, takenOf(candidate, this.#amounts), nowMs) <= nowMs + LOOK_SOON_MS)
          return 0;
      }
    return Number.isFinite(soonestMs) ? soonestMs : 0;
  }

  /** When the first of the providers that are left alone is tried again; null: none is. */
  #backMs(nowMs: number): number | null {
    let backMs: number | null = null;
    for (const target of this.#parts.targets) {
      const outForMs = target.service.outForMs();
      if (outForMs > 0 && this.#passedOver?.has(target) !== true)
        backMs = Math.min(backMs ?? Number.POSITIVE_INFINITY, nowMs + outForMs);
    }
    return backMs;
  }

  #candidatesOf({ candidates, accounts }: Target): readonly Candidate[] {
    const refused = this.#refused;
    if (refused === null && this.#home === null) return candidates;
    const { health } = this.#parts.thread;
    return candidates.filter(
      ({ key }) =>
        refused?.get(key) !== health.secretTurn(key) &&
        (this.#home === null || accounts.get(key) === this.#home),
    );
  }

  /** Those that have not said yet that they have no room. */
  #freshOf(candidates: readonly Candidate[]): readonly Candidate[] {
    const throttled = this.#throttled;
    return throttled === null ? candidates : candidates.filter(({ key }) => !throttled.has(key));
  }

  /** An account that has no key any more that is well keeps nobody from another: its provider says what it does not know. */
  #homeOf({ buildsUpon }: CallPlan): number | null {
    const { homes } = this.#parts.thread;
    for (const id of buildsUpon) {
      const home = homes.ownerOf(id);
      if (home !== null && this.#hasKeyOf(home)) return home;
    }
    return null;
  }

  #hasKeyOf(home: number): boolean {
    const { health, clock } = this.#parts.thread;
    const nowMs = clock.monotonicMs();
    return this.#parts.targets.some(({ accounts }) =>
      [...accounts].some(
        ([key, account]) => account === home && (health.serves(key, nowMs) || health.isProving(key)),
      ),
    );
  }
}

/** Also of moments that never come. */
function compared(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Few texts have more bytes to a token: a guess, which decides but whether a count may be of use. */
const BYTES_OF_TOKEN_MOST = 16;

const RANKS = { high: 0, normal: 1, low: 2 } as const;
