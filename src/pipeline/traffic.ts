/** What is counted over all access records since the gateway was started. Made by `observe/`, shown by `admin/`. */
export interface TrafficSummary {
  readonly requests: number;
  readonly clientAborted: number;
  /** How often each class was answered: `2xx`, `4xx` …; `none` for requests that ended without a status. */
  readonly byStatusClass: Readonly<Record<string, number>>;
  /** The gateway's own answers by their stable code, most frequent first. */
  readonly byCode: readonly NamedCount[];
  /** Refusals by the rule that decided, most frequent first. */
  readonly refusalsByRule: readonly NamedCount[];
  /** What rules of shadowed policies would have refused. */
  readonly shadowRefusalsByRule: readonly NamedCount[];
  /** What rules warned of, with those of shadowed policies. */
  readonly warningsByRule: readonly NamedCount[];
  /** Of the last one to two minutes, from arrival to the last byte. */
  readonly latency: LatencySummary;
}

export interface NamedCount {
  readonly name: string;
  readonly count: number;
}

/** Percentiles are at most a sixteenth too high, never too low. */
export interface LatencySummary {
  readonly requests: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** What became of the access records between data threads and the log. */
export interface RecordCounts {
  readonly drained: number;
  /** Records that found the ring of their data thread full. */
  readonly dropped: number;
  /** Times that a ring held something that is no record. */
  readonly damaged: number;
}
