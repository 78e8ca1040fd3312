/** What the history file holds. */
export const HISTORY_TABLES = {
  /** [opened, number] → a block of access records. */
  blocks: 1,
  /** [granularity, start of the period, dimension] → its rollups. */
  rollups: 2,
  /** [0] → the first block that the rollups don't count. */
  counted: 3,
} as const;
