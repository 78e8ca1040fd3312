/** A histogram of durations with fixed bounds, as Prometheus wants it. */
export class DurationBuckets {
  readonly bounds: DurationBounds;
  /** One more than there are bounds: what exceeds the last. Not cumulative. */
  readonly counts: Float64Array;
  sumUs = 0;

  constructor(bounds: DurationBounds) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.microseconds.length + 1);
  }

  /** What is negative or no number is not counted: the request never came so far. */
  add(us: number): void {
    if (!(us >= 0)) return;
    const { microseconds } = this.bounds;
    let bucket = 0;
    while (bucket < microseconds.length && us > microseconds[bucket]!) bucket++;
    this.counts[bucket]! += 1;
    this.sumUs += us;
  }
}

export interface DurationBounds {
  /** Ascending; each belongs to its bucket. */
  readonly microseconds: readonly number[];
}

/** The boundaries that OpenTelemetry advises for `http.server.request.duration`. */
export const REQUEST_BOUNDS: DurationBounds = inSeconds(
  0.005,
  0.01,
  0.025,
  0.05,
  0.075,
  0.1,
  0.25,
  0.5,
  0.75,
  1,
  2.5,
  5,
  7.5,
  10,
);

/** The gateway's own time is told in microseconds. */
export const OVERHEAD_BOUNDS: DurationBounds = inSeconds(
  0.00001,
  0.000025,
  0.00005,
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.1,
  1,
);

function inSeconds(...seconds: readonly number[]): DurationBounds {
  return { microseconds: seconds.map((second) => Math.round(second * 1e6)) };
}
