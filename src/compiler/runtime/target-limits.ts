import type { CallBounds } from '../../model/model-call.ts';
import { actualsOf } from '../../pipeline/call-actuals.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import {
  type CounterBinding,
  EXCEEDED,
  type Reservation,
  TAKEN,
  type TakeBatch,
  type TakeResult,
} from '../../pipeline/counters.ts';
import type { CallUse } from '../../pipeline/model-request.ts';
import type { Refusal } from '../../pipeline/outcome.ts';
import type { BoundRuntime, MutableKeyHash } from '../../pipeline/program.ts';
import type { ChosenTarget, TargetHold, TargetLimits } from '../../pipeline/target-limits.ts';
import { targetKeyText } from '../counter-keys.ts';
import { boundIn } from './call-weights.ts';
import {
  type HoleValues,
  type LimitConstant,
  type LimitThread,
  observe,
  refuseLimits,
  type Watched,
} from './limits.ts';

/** A part of a counter's key that is known when a target has been chosen. */
export interface TargetPart {
  readonly tag: string;
  /** Of the fact. */
  readonly path: string;
}

/** What is needed of the thread. */
export interface TargetThread extends LimitThread, Pick<BoundRuntime, 'hashKey' | 'combineKey'> {
  /** Scratch: which limit an entry of the batch is. */
  readonly ordinal: Int32Array;
  /** What of a batch was filled for the request. */
  readonly filled: Pick<TakeBatch, 'count' | 'counter' | 'keyHigh' | 'keyLow' | 'weight'>;
}

/** Of one entry, as far as the request says. */
interface Entry {
  readonly counter: number;
  readonly keyHigh: number;
  readonly keyLow: number;
  readonly weight: number;
  readonly ordinal: number;
  readonly parts: readonly TargetPart[];
}

/** Of a policy that only watches. */
interface Watching {
  readonly watched: Watched;
  readonly entries: readonly Entry[];
}

/** Whose limits, and of which call. */
export interface CallLimitParts {
  readonly thread: TargetThread;
  readonly context: RequestContext;
  readonly limits: readonly LimitConstant[];
  readonly holeValues: HoleValues;
}

/** The limits of rules that are counted by what one call is sent to. */
export class RuleCallLimits implements TargetLimits {
  readonly #thread: TargetThread;
  readonly #context: RequestContext;
  readonly #limits: readonly LimitConstant[];
  readonly #holeValues: HoleValues;
  readonly #entries: readonly Entry[];
  readonly #watching: Watching[];

  private constructor(
    { thread, context, limits, holeValues }: CallLimitParts,
    entries: readonly Entry[],
    watching: Watching[],
  ) {
    this.#thread = thread;
    this.#context = context;
    this.#limits = limits;
    this.#holeValues = holeValues;
    this.#entries = entries;
    this.#watching = watching;
  }

  /** `thread.filled`, `ordinal`: of the enforced ones. */
  static of(
    call: CallLimitParts,
    parts: readonly (readonly TargetPart[])[],
    ordinal: Int32Array,
  ): RuleCallLimits {
    return new RuleCallLimits(call, entriesOf(call.thread, parts, ordinal), []);
  }

  get areNone(): boolean {
    return this.#entries.length + this.#watching.length === 0;
  }

  /** Those of a policy that only watches. */
  add(watched: Watched, parts: readonly (readonly TargetPart[])[], ordinal: Int32Array): void {
    const entries = entriesOf(this.#thread, parts, ordinal);
    if (entries.length > 0) this.#watching.push({ watched, entries });
  }

  /** Policies that only watch go by the bytes of prompts, as those of requests do. */
  bounded(bounds: CallBounds): RuleCallLimits {
    const entries = this.#entries.map((entry) => {
      const { estimates } = this.#limits[entry.ordinal]!;
      return estimates === null ? entry : { ...entry, weight: boundIn(bounds, estimates) };
    });
    const call = {
      thread: this.#thread,
      context: this.#context,
      limits: this.#limits,
      holeValues: this.#holeValues,
    };
    return new RuleCallLimits(call, entries, this.#watching);
  }

  headroom(target: ChosenTarget, nowMs: number): number {
    if (this.#look(target, nowMs) === EXCEEDED) return -1;
    const { remaining, weight, fault } = this.#thread.batch;
    let least = 1;
    for (const [at, { ordinal }] of this.#entries.entries()) {
      if (fault[at] !== 0) continue;
      least = Math.min(least, (remaining[at]! - weight[at]!) / this.#limits[ordinal]!.capacity);
    }
    return least;
  }

  fitsAtMs(target: ChosenTarget, nowMs: number): number {
    if (this.#look(target, nowMs) !== EXCEEDED) return nowMs;
    const { retryAtMs } = this.#thread.batch;
    return this.#entries.reduce((latest, _, at) => Math.max(latest, retryAtMs[at]!), nowMs);
  }

  take(target: ChosenTarget, nowMs: number): TargetHold | null {
    const { counters, batch } = this.#thread;
    if (this.#entries.length === 0) return new RuleHold(counters, []);
    this.#fill(this.#entries, target);
    batch.holds = true;
    const result = counters.take(batch, nowMs, this.#wallMs(nowMs));
    batch.holds = false;
    return result === TAKEN ? new RuleHold(counters, [counters.hold(batch)]) : null;
  }

  watch(hold: TargetHold, target: ChosenTarget, nowMs: number): void {
    if (this.#watching.length === 0) return;
    const { counters, batch, ordinal } = this.#thread;
    this.#moveTo(nowMs);
    for (const { watched, entries } of this.#watching) {
      this.#fill(entries, target);
      batch.holds = true;
      const result = observe(this.#thread, this.#context, watched, ordinal);
      batch.holds = false;
      if (result === TAKEN) (hold as RuleHold).add(counters.hold(batch));
    }
  }

  refusal(target: ChosenTarget, nowMs: number): Refusal | null {
    if (this.#look(target, nowMs) !== EXCEEDED) return null;
    this.#moveTo(nowMs);
    const { ordinal } = this.#thread;
    const context = this.#context;
    const outcome = refuseLimits(this.#thread, context, this.#limits, EXCEEDED, ordinal, this.#holeValues);
    return 'refusal' in outcome ? outcome.refusal : null;
  }

  #look(target: ChosenTarget, nowMs: number): TakeResult {
    const { counters, batch } = this.#thread;
    if (this.#entries.length === 0) return TAKEN;
    this.#fill(this.#entries, target);
    return counters.look(batch, nowMs, this.#wallMs(nowMs));
  }

  #fill(entries: readonly Entry[], target: ChosenTarget): void {
    const { batch, ordinal, hashKey, combineKey } = this.#thread;
    batch.count = entries.length;
    for (const [at, entry] of entries.entries()) {
      KEY.high = entry.keyHigh;
      KEY.low = entry.keyLow;
      for (const { tag, path } of entry.parts) {
        hashKey(tag, targetKeyText(path, target), PART);
        combineKey(KEY, PART);
      }
      batch.counter[at] = entry.counter;
      batch.keyHigh[at] = KEY.high;
      batch.keyLow[at] = KEY.low;
      batch.weight[at] = entry.weight;
      ordinal[at] = entry.ordinal;
    }
  }

  /** A call may have waited for a key since it was admitted. */
  #wallMs(nowMs: number): number {
    const { nowWallMs, nowMonotonicMs } = this.#context;
    return nowWallMs + (nowMs - nowMonotonicMs);
  }

  #moveTo(nowMs: number): void {
    const wallMs = this.#wallMs(nowMs);
    this.#context.nowMonotonicMs = nowMs;
    this.#context.nowWallMs = wallMs;
  }
}

/** Scratch of one turn. */
const KEY: MutableKeyHash = { high: 0, low: 0 };
const PART: MutableKeyHash = { high: 0, low: 0 };

function entriesOf(
  { filled }: TargetThread,
  parts: readonly (readonly TargetPart[])[],
  ordinal: Int32Array,
): Entry[] {
  return Array.from({ length: filled.count }, (_, at) => ({
    counter: filled.counter[at]!,
    keyHigh: filled.keyHigh[at]!,
    keyLow: filled.keyLow[at]!,
    weight: filled.weight[at]!,
    ordinal: ordinal[at]!,
    parts: parts[ordinal[at]!]!,
  }));
}

class RuleHold implements TargetHold {
  readonly #counters: CounterBinding;
  #held: readonly Reservation[];

  constructor(counters: CounterBinding, held: readonly (Reservation | null)[]) {
    this.#counters = counters;
    this.#held = held.filter((each) => each !== null);
  }

  add(held: Reservation | null): void {
    if (held !== null) this.#held = [...this.#held, held];
  }

  cancel(): void {
    for (const held of this.#held) this.#counters.cancel(held);
  }

  end(use: CallUse): void {
    const actuals = actualsOf(use);
    for (const held of this.#held) {
      this.#counters.settleEstimates(held, actuals);
      this.#counters.release(held);
    }
  }
}
