/** What rules count of one call by key and target, as the choice of a key asks it (language-rules #19). */
import { assert } from '../base/assert.ts';
import type { CallBounds } from '../model/model-call.ts';
import type { Refusal } from '../pipeline/outcome.ts';
import type { ChosenTarget, TargetHold, TargetLimits } from '../pipeline/target-limits.ts';
import type { KeyGuard } from './choice.ts';
import type { Target } from './model-services.ts';

export class CallGuard {
  #limits: TargetLimits;
  readonly #guards = new Map<Target, KeyGuard>();
  /** Of the key that was chosen last, until its attempt begins. */
  #held: TargetHold | null = null;

  constructor(limits: TargetLimits) {
    this.#limits = limits;
  }

  /** The call is known to take no more than that, from now on. */
  bound(bounds: CallBounds): void {
    assert(this.#held === null, 'what is held was taken for the bounds before');
    this.#limits = this.#limits.bounded(bounds);
  }

  /** What it would be for a call that takes no more than that. */
  bounded(bounds: CallBounds): CallGuard {
    return new CallGuard(this.#limits.bounded(bounds));
  }

  of(target: Target): KeyGuard {
    const known = this.#guards.get(target);
    if (known !== undefined) return known;
    const guard: KeyGuard = {
      headroom: (key, nowMs) => {
        const chosen = chosenTarget(target, key);
        return chosen === null ? -1 : this.#limits.headroom(chosen, nowMs);
      },
      fitsAtMs: (key, nowMs) => {
        const chosen = chosenTarget(target, key);
        return chosen === null ? Number.POSITIVE_INFINITY : this.#limits.fitsAtMs(chosen, nowMs);
      },
      take: (key, nowMs) => {
        assert(this.#held === null, 'a key that was chosen begins an attempt before the next one is');
        const chosen = chosenTarget(target, key);
        this.#held = chosen === null ? null : this.#limits.take(chosen, nowMs);
        return this.#held !== null;
      },
    };
    this.#guards.set(target, guard);
    return guard;
  }

  /** What was taken for the key that was chosen. */
  held(): TargetHold {
    const held = this.#held;
    assert(held !== null, 'whoever has chosen a key holds what rules count for it');
    this.#held = null;
    return held;
  }

  watch(hold: TargetHold, target: Target, key: number, nowMs: number): void {
    const chosen = chosenTarget(target, key);
    if (chosen !== null) this.#limits.watch(hold, chosen, nowMs);
  }

  refusal(target: Target, key: number, nowMs: number): Refusal | null {
    const chosen = chosenTarget(target, key);
    return chosen === null ? null : this.#limits.refusal(chosen, nowMs);
  }
}

/** Null: the pool has got other keys since the call began to wait. */
function chosenTarget({ pool, keys }: Target, place: number): ChosenTarget | null {
  const name = keys.get(place)?.name;
  const key = pool.keys.find((one) => one.name === name);
  if (key === undefined) return null;
  return { pool: pool.name, provider: pool.provider, key: key.name, account: key.account };
}
