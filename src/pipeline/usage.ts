/** What was used, added up over a time by one dimension. Made by `observe/`, answered by `admin/`. */
export const USAGE_DIMENSIONS = ['route', 'tenant', 'consumer', 'credential', 'decision'] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

export const USAGE_GRANULARITIES = ['minute', 'hour', 'day'] as const;
export type UsageGranularity = (typeof USAGE_GRANULARITIES)[number];

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

export interface UsageRow {
  readonly name: string;
  readonly requests: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly refused: number;
  readonly aborted: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** In 1/1,000,000,000 of the currency of account. */
  readonly costNano: number;
  readonly meanUs: number;
  /** At most an eighth too high. */
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  /** Sizes of answers, to powers of two. */
  readonly p50Bytes: number;
  readonly p99Bytes: number;
  /** Requests by period. */
  readonly series: readonly number[];
}
