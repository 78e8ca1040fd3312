/**
 * The key-pool port: provider keys, the limits of their accounts, and who may use them next. Implementation: `pools/`.
 * A *lane* is where a provider counts: one account and one model (or all models of an account). A key of a pool leads through
 * one or two of them, and keys of one account share theirs.
 */

/** What a call takes from a provider: a sound estimate before it is sent, the actual amounts after. */
export interface CallAmounts {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Nano-units of the accounting currency; 0 where no price is known. */
  readonly costNano: number;
}

/** What a provider counts. `slots`: requests in flight. */
export const METER_UNITS = ['requests', 'input-tokens', 'output-tokens', 'tokens', 'cost', 'slots'] as const;
export type MeterUnit = (typeof METER_UNITS)[number];

/**
 * How a provider lets what was used come back. `bucket`: evenly, up to the amount (OpenAI, Anthropic); `fixed`: all at once, a
 * window after it began; `slots`: with each call that ends.
 */
export const METER_KINDS = ['bucket', 'fixed', 'slots'] as const;
export type MeterKind = (typeof METER_KINDS)[number];

/** One limit of a lane. */
export interface MeterSpec {
  readonly unit: MeterUnit;
  readonly kind: MeterKind;
  readonly amount: number;
  /** 0 for `slots`. */
  readonly windowMs: number;
  /** What people have declared stays the upper bound of what is learned. */
  readonly source: 'declared' | 'learned';
}

/** Most limits of one lane: requests and tokens in and out, per minute and per day, money and slots fit. */
export const LANE_METERS_MAX = 8;

/** What an answer says of one limit of a lane; NaN where it says nothing. */
export interface MeterReport {
  readonly unit: MeterUnit;
  readonly windowMs: number;
  readonly amount: number;
  /** Left after the call was counted. */
  readonly remaining: number;
  /** Until nothing is in use any more (bucket), or until the window ends (fixed). */
  readonly resetMs: number;
}
