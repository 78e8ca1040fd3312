/** Limits of rules that are counted by what a call to a model is sent to: a part of the room of each key (language-rules #19). */
import type { CallBounds } from '../model/model-call.ts';
import type { CallUse } from './model-request.ts';
import type { Refusal } from './outcome.ts';

/** Where a call could go, by names. */
export interface ChosenTarget {
  readonly pool: string;
  readonly provider: string;
  readonly key: string;
  readonly account: string;
}

/** Of one call. Moments are of the monotonic clock. */
export interface TargetLimits {
  /** The least share that would be left of any of them if the call went there, 0 … 1; below 0 where it does not fit. */
  headroom(target: ChosenTarget, nowMs: number): number;
  /** The first moment at which they alone let it go there: not after `nowMs` where they do now, Infinity where they never do. */
  fitsAtMs(target: ChosenTarget, nowMs: number): number;
  /** Takes from all of them for a call that goes there; null: there is no room, and nothing is taken. */
  take(target: ChosenTarget, nowMs: number): TargetHold | null;
  /** It is sent there: what policies that only watch say of that. Once for each hold. */
  watch(hold: TargetHold, target: ChosenTarget, nowMs: number): void;
  /** The same for the same call, once it is known to take no more than that. */
  bounded(bounds: CallBounds): TargetLimits;
  /** In the words of the limit whose moment is the latest (language-rules #11); null: there is room by now. */
  refusal(target: ChosenTarget, nowMs: number): Refusal | null;
}

/** What one attempt has taken. One of both, once. */
export interface TargetHold {
  /** Nothing of it has left. */
  cancel(): void;
  /** It is over, and this is what it used. */
  end(use: CallUse): void;
}
