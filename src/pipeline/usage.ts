/** What was used, added up over a time by one dimension. Made by `observe/`, answered by `admin/`. */
export const USAGE_DIMENSIONS = [
  'route',
  'tenant',
  'consumer',
  'credential',
  'decision',
  'model',
  'pool',
] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

export const USAGE_GRANULARITIES = ['minute', 'hour', 'day'] as const;
export type UsageGranularity = (typeof USAGE_GRANULARITIES)[number];

/** What is added up of all requests of one name in one period, in the order in which it is kept: one can be added at the end, none can go. */
export const ROLLUP_SUMS = [
  'requests',
  /** Answers of 400 … 499, ours and the service's. */
  'clientErrors',
  /** 500 … 599. */
  'serverErrors',
  /** Refused by a rule. */
  'refused',
  'aborted',
  'requestBytes',
  'responseBytes',
  'inputTokens',
  'outputTokens',
  /** In 1/1,000,000,000 of the currency of account. */
  'costNano',
  'durationUs',
  /** Parts of the tokens in and out. */
  'cachedTokens',
  'reasoningTokens',
  /** Answers that were at hand. */
  'cacheHits',
] as const;
export type RollupSum = (typeof ROLLUP_SUMS)[number];

/** What a report tells as it was added up: all but the times, of which it tells the mean. */
export const USAGE_SUMS = ROLLUP_SUMS.filter((sum) => sum !== 'durationUs');
export type UsageSum = Exclude<RollupSum, 'durationUs'>;

export const USAGE_STATISTICS = [
  'meanUs',
  /** At most an eighth too high. */
  'p50Us',
  'p90Us',
  'p99Us',
  /** Sizes of answers, to powers of two. */
  'p50Bytes',
  'p99Bytes',
] as const;
export type UsageStatistic = (typeof USAGE_STATISTICS)[number];

export interface UsageQuery {
  readonly by: UsageDimension;
  readonly granularity: UsageGranularity;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** Only names that are this, or begin so where it ends in `*`; '' for all. */
  readonly name: string;
  readonly rowsMax: number;
}

export interface UsageReport {
  readonly by: UsageDimension;
  readonly granularity: UsageGranularity;
  readonly fromMs: number;
  readonly toMs: number;
  /** Starts of the periods of `series`, ascending. */
  readonly periods: readonly number[];
  /** Most requests first. */
  readonly rows: readonly UsageRow[];
  /** Names that there was no room for in `rows`. */
  readonly rowsLeftOut: number;
  /** Of all names, also those that are in no row. */
  readonly total: UsageRow;
}

export interface UsageRow extends Readonly<Record<UsageSum | UsageStatistic, number>> {
  readonly name: string;
  /** Requests by period. */
  readonly series: readonly number[];
}

/** Why there is no report: what was asked for is more than the limit of that name lets one report hold. */
export interface UsageTooLarge {
  readonly limit: 'usageSums' | 'usageNames';
  readonly max: number;
}
