import type { OutlierSettings } from '../model/world.ts';
import { countAt, type EndpointCount } from './endpoint-counts.ts';
import {
  bringBack,
  CELL,
  type EjectionReason,
  ENDPOINT_CELLS,
  type EndpointMemory,
  msBetween,
  OUT,
  REASONS,
  STATE,
  ticksOf,
} from './endpoint-memory.ts';

/** What an attempt taught about its endpoint. */
export type AttemptOutcome =
  /** Nothing: aborted by the caller, or a stale keep-alive connection. */
  | 'unknown'
  | 'answered'
  /** With a 5xx. */
  | 'answered-error'
  /** Not at all in time, or with a silence: slowness may be the request's own. */
  | 'timed-out'
  | 'connect-failed'
  /** A connection broke while an answer was due. */
  | 'broken';

type FailedOutcome = Exclude<AttemptOutcome, 'unknown' | 'answered'>;

/** The other endpoints of the service: what is an outlier is so beside them, unless each is judged alone. */
export interface Peers {
  /** Whether one more may be left alone by judgement. */
  mayEject(): boolean;
  /** Share of errors, in this thread's windows, of all but one; null when too few requests went there. */
  errorShareBeside(health: EndpointHealth): number | null;
  /** Whether any but one may be chosen now. */
  othersServe(health: EndpointHealth, nowMs: number): boolean;
}

export interface HealthParts {
  readonly memory: EndpointMemory;
  readonly slot: number;
  readonly outliers: OutlierSettings;
  readonly slowStartMs: number;
  readonly peers: Peers;
}

/**
 * Health of one endpoint as a data thread sees and changes it: left alone after failures, for a time that doubles; then half-open,
 * where one request of all threads decides whether it is back. Ejections and failures in a row are shared; the share of errors is
 * each thread's own, so that a good answer costs no write to shared memory.
 */
export class EndpointHealth {
  /** Of this thread, since the window began. */
  requests = 0;
  errors = 0;
  #windowEndsMs = 0;
  /** `backSince` that the window knows of: errors from before count no more. */
  #windowBackSince = 0;
  #memory: EndpointMemory;
  #base: number;
  #slot: number;
  readonly #outliers: OutlierSettings;
  readonly #slowStartMs: number;
  readonly #peers: Peers;

  constructor({ memory, slot, outliers, slowStartMs, peers }: HealthParts) {
    this.#memory = memory;
    this.#slot = slot;
    this.#base = slot * ENDPOINT_CELLS;
    this.#outliers = outliers;
    this.#slowStartMs = slowStartMs;
    this.#peers = peers;
  }

  /**
   * The slot is not its own any more, and will be another endpoint's. What its last exchanges meet, however long they live, goes to
   * memory that nobody else sees.
   */
  detach(): void {
    this.#memory = new Int32Array(ENDPOINT_CELLS);
    this.#slot = 0;
    this.#base = 0;
  }

  /** For metrics alone. */
  count(what: EndpointCount, change = 1): void {
    countAt(this.#memory, this.#slot, what, change);
  }

  // -- the choice ----------------------------------------------------------------------------------------------

  /** Whether the endpoint may be chosen. Half-open, only while no probe is out. */
  isAvailable(nowMs: number): boolean {
    const state = this.#load(CELL.state);
    if ((state & OUT) === 0) return true;
    return (state & STATE.unhealthy) === 0 && this.#leftMs(nowMs) <= 0 && !this.#isProbed(nowMs);
  }

  /** Both in one: {@link shareNow}, 0 where it may not be chosen. */
  openShare(nowMs: number): number {
    if ((this.#load(CELL.state) & (OUT | STATE.warming)) === 0) return 1;
    return this.isAvailable(nowMs) ? this.shareNow(nowMs) : 0;
  }

  /** Whether it is left alone, or its checks fail. */
  get isOut(): boolean {
    return (this.#load(CELL.state) & OUT) !== 0;
  }

  /** What it gets of its share, 0 to 1. */
  shareNow(nowMs: number): number {
    if ((this.#load(CELL.state) & STATE.warming) === 0) return 1;
    const backMs = msBetween(this.#load(CELL.backSince), ticksOf(nowMs));
    if (backMs < this.#slowStartMs) return Math.max(WARMING_SHARE_MIN, backMs / this.#slowStartMs);
    Atomics.and(this.#memory, this.#base + CELL.state, ~STATE.warming);
    return 1;
  }

  /** Milliseconds until it may be tried: of several that are out the least bad is the one that is back first. */
  outForMs(nowMs: number): number {
    const state = this.#load(CELL.state);
    if ((state & STATE.unhealthy) !== 0) return Number.POSITIVE_INFINITY;
    return (state & STATE.ejected) === 0 ? 0 : Math.max(0, this.#leftMs(nowMs));
  }

  #leftMs(nowMs: number): number {
    return msBetween(ticksOf(nowMs), this.#load(CELL.ejectedUntil));
  }

  // -- what requests meet --------------------------------------------------------------------------------------

  /** True when the attempt is the one that decides about a half-open endpoint. */
  attemptBegins(nowMs: number): boolean {
    if ((this.#load(CELL.state) & STATE.ejected) === 0 || this.#leftMs(nowMs) > 0) return false;
    const before = this.#load(CELL.probing);
    if (before !== 0 && this.#isProbed(nowMs)) return false;
    const since = ticksOf(nowMs) || 1;
    return Atomics.compareExchange(this.#memory, this.#base + CELL.probing, before, since) === before;
  }

  /** A probe that takes longer than the endpoint would be left alone for anew keeps no other one back: an answer may take minutes. */
  #isProbed(nowMs: number): boolean {
    const since = this.#load(CELL.probing);
    return since !== 0 && msBetween(since, ticksOf(nowMs)) < this.#ejectionMs();
  }

  attemptEnds(outcome: AttemptOutcome, isProbe: boolean, nowMs: number): void {
    if (isProbe) this.#store(CELL.probing, 0);
    if (outcome === 'unknown' || (outcome === 'timed-out' && !this.#isAlone)) return;
    if (nowMs >= this.#windowEndsMs) this.#openWindow(nowMs);
    this.requests++;
    if (outcome === 'answered') this.#answered(isProbe, nowMs);
    else this.#failed(outcome, isProbe, nowMs);
  }

  #answered(isProbe: boolean, nowMs: number): void {
    const state = this.#load(CELL.state);
    if ((state & (STATE.failing | STATE.ejected)) === 0) return;
    this.#store(CELL.failures, 0);
    Atomics.and(this.#memory, this.#base + CELL.state, ~STATE.failing);
    // Good answers among many bad ones are no news; that it answers at all is, where it did not.
    if ((state & STATE.ejected) !== 0 && (isProbe || this.#reason !== 'errors')) this.#back(state, nowMs);
  }

  #back(state: number, nowMs: number): void {
    // Its checks have the last word where there are any.
    if ((state & STATE.unhealthy) === 0) bringBack(this.#memory, this.#slot, nowMs);
    else Atomics.and(this.#memory, this.#base + CELL.state, ~STATE.ejected);
  }

  #failed(outcome: FailedOutcome, isProbe: boolean, nowMs: number): void {
    this.errors++;
    if ((this.#load(CELL.state) & STATE.ejected) !== 0) {
      const isNews = outcome === 'answered-error' && this.#reason !== 'errors' && !this.#isAlone;
      if (isNews) this.#answered(isProbe, nowMs);
      else if (this.#leftMs(nowMs) <= 0) this.#ejectAgain(nowMs);
      return;
    }
    if (this.#isAlone) {
      this.#failedAlone(outcome, nowMs);
      return;
    }
    if (outcome === 'answered-error') {
      this.#answered(isProbe, nowMs);
    } else {
      const isBroken = this.#failedInRow() >= this.#outliers.failures && this.#peers.mayEject();
      if (outcome === 'connect-failed' || isBroken) {
        this.#eject(outcome === 'connect-failed' ? 'refused' : 'broken', nowMs);
        return;
      }
    }
    if (this.#isOutlier(nowMs) && this.#peers.mayEject()) this.#eject('errors', nowMs);
  }

  /** A refused connection may be a moment's: it takes out at once only what others stand in for. */
  #failedAlone(outcome: FailedOutcome, nowMs: number): void {
    const isInRow = this.#failedInRow() >= this.#outliers.failures;
    const isOften = this.#isOutlier(nowMs);
    if (outcome === 'connect-failed') {
      if (isInRow || isOften || this.#peers.othersServe(this, nowMs)) this.#eject('refused', nowMs);
    } else if ((isInRow || isOften) && this.#peers.mayEject()) {
      this.#eject(outcome === 'broken' ? 'broken' : 'errors', nowMs);
    }
  }

  #failedInRow(): number {
    const failures = Atomics.add(this.#memory, this.#base + CELL.failures, 1) + 1;
    Atomics.or(this.#memory, this.#base + CELL.state, STATE.failing);
    return failures;
  }

  // -- ejections -----------------------------------------------------------------------------------------------

  /** All is in place before the bit that makes others look at it. Two threads at a time write the same. */
  #eject(reason: EjectionReason, nowMs: number): void {
    const { longestMs } = this.#outliers;
    const quietMs = msBetween(this.#load(CELL.backSince), ticksOf(nowMs));
    // An endpoint that keeps coming back for moments is left alone for ever longer.
    if (this.#load(CELL.ejections) > 0 && quietMs > longestMs) this.#store(CELL.ejections, 0);
    this.#store(CELL.reason, REASONS.indexOf(reason));
    this.#store(CELL.ejectedUntil, ticksOf(nowMs + this.#ejectionMs()));
    const before = Atomics.or(this.#memory, this.#base + CELL.state, STATE.ejected);
    if ((before & STATE.ejected) === 0) this.#counted();
  }

  /** Of several attempts that fail at a half-open endpoint one counts. */
  #ejectAgain(nowMs: number): void {
    const until = this.#load(CELL.ejectedUntil);
    const next = ticksOf(nowMs + this.#ejectionMs());
    if (Atomics.compareExchange(this.#memory, this.#base + CELL.ejectedUntil, until, next) === until)
      this.#counted();
  }

  #ejectionMs(): number {
    const { firstMs, longestMs } = this.#outliers;
    return Math.min(firstMs * 2 ** this.#load(CELL.ejections), longestMs);
  }

  #counted(): void {
    this.count('ejections');
    if (this.#load(CELL.ejections) < EJECTIONS_COUNTED_MAX)
      Atomics.add(this.#memory, this.#base + CELL.ejections, 1);
    this.#store(CELL.failures, 0);
  }

  // -- the share of errors -------------------------------------------------------------------------------------

  #openWindow(nowMs: number): void {
    this.#windowEndsMs = nowMs + this.#outliers.windowMs;
    this.#windowBackSince = this.#load(CELL.backSince);
    this.requests = 0;
    this.errors = 0;
  }

  /** Beside others, a service that fails everywhere has no outlier: taking endpoints out would only add load to the others. */
  #isOutlier(nowMs: number): boolean {
    if (this.#load(CELL.backSince) !== this.#windowBackSince) {
      this.#openWindow(nowMs);
      return false;
    }
    const { requestsMin, errorShare } = this.#outliers;
    if (this.requests < requestsMin) return false;
    const share = this.errors / this.requests;
    if (share < errorShare) return false;
    if (this.#isAlone) return true;
    const others = this.#peers.errorShareBeside(this);
    return others !== null && others <= share / 2;
  }

  get #isAlone(): boolean {
    return this.#outliers.judged === 'alone';
  }

  get #reason(): EjectionReason {
    return REASONS[this.#load(CELL.reason)]!;
  }

  #load(cell: number): number {
    return Atomics.load(this.#memory, this.#base + cell);
  }

  #store(cell: number, value: number): void {
    Atomics.store(this.#memory, this.#base + cell, value);
  }
}

/** Enough to see whether it is well. */
const WARMING_SHARE_MIN = 0.1;
/** Beyond it the longest ejection is reached anyway. */
const EJECTIONS_COUNTED_MAX = 16;
