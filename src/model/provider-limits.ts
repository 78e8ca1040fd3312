/** Limits as providers have them, and as their answers report them. */

/** What a provider counts. `slots`: requests in flight. */
export const METER_UNITS = ['requests', 'input-tokens', 'output-tokens', 'tokens', 'cost', 'slots'] as const;
export type MeterUnit = (typeof METER_UNITS)[number];

/**
 * How a provider lets what was used come back. `bucket`: evenly, up to the amount (OpenAI, Anthropic); `fixed`: all at once, a
 * window after it began; `slots`: with each call that ends; `daily`, `monthly`: all at once, with the day or month of a zone.
 */
export const METER_KINDS = ['bucket', 'fixed', 'slots', 'daily', 'monthly'] as const;
export type MeterKind = (typeof METER_KINDS)[number];

/** One limit of a lane. */
export interface MeterSpec {
  readonly unit: MeterUnit;
  readonly kind: MeterKind;
  readonly amount: number;
  /** 0 for `slots`; of `monthly` that of 30 days, which months are near. */
  readonly windowMs: number;
  /** What people have declared stays the upper bound of what is learned. */
  readonly source: 'declared' | 'learned';
}

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
