/** What the control thread knows of rules about pools: those that it asks all the time, without a request. */
import type { ScalarValue } from '../model/types.ts';
import type { EnforcementMode } from '../model/world.ts';

export interface PoolRuleSpecs {
  readonly alerts: readonly PoolAlertSpec[];
  readonly rotations: readonly RotationSpec[];
}

/** `alert when pool.headroom < 15%`. */
export interface PoolAlertSpec {
  readonly policy: string;
  /** Its name, or its canonical text. */
  readonly rule: string;
  readonly mode: EnforcementMode;
  /** Whether each key is asked by itself, or each pool. */
  readonly of: 'pool' | 'key';
  /** Plain data, opaque here: `compiler/` makes and reads it. */
  readonly condition: unknown;
  /** Likewise; null where the rule says nothing. */
  readonly because: unknown;
  /** Facts that the condition asks, in its order, each once, and how their values are written. */
  readonly asks: readonly { readonly path: string; readonly format: string }[];
  readonly notify: string | null;
}

/** `rotate keys of pool "main" every 60 days  overlap 24h`. */
export interface RotationSpec {
  readonly policy: string;
  readonly mode: EnforcementMode;
  readonly pool: string;
  readonly everyMs: number;
  /** Null: as whoever rotates says. */
  readonly overlapMs: number | null;
  /** The days on which it is in force, as {@link PoolAlertSpec.condition}; null: all. */
  readonly condition: unknown;
  readonly notify: string | null;
}

/** A pool or a key as rules see it: values by the names of facts; undefined where one is missing. */
export interface PoolSubject {
  readonly pool: string;
  /** Null where the pool is meant. */
  readonly key: string | null;
  readonly facts: Readonly<Record<string, ScalarValue | undefined>>;
}

/** A rule that can be asked. */
export interface PoolAlertTest {
  readonly spec: PoolAlertSpec;
  holds(subject: PoolSubject, wallMs: number): boolean;
  /** What is said when it begins to hold. */
  text(subject: PoolSubject, wallMs: number): string;
}

export interface RotationTest {
  readonly spec: RotationSpec;
  isInForce(wallMs: number): boolean;
}
