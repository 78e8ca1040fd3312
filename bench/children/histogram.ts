/**
 * Latencies of millions of requests in fixed memory: buckets that double in width with each power of two, so a
 * quantile is at most 1/64 (1.6 %) above the true value. The idea is HdrHistogram's (hdrhistogram.org).
 */
const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** Values up to 2^36 µs (19 hours) have a bucket; larger ones are counted in the last. */
const LARGEST_EXPONENT = 36;
const BUCKETS = (LARGEST_EXPONENT - SUB_BUCKET_BITS + 1) * SUB_BUCKETS;

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  /** Counts one latency in microseconds; below zero counts as zero. */
  record(latencyUs: number): void {
    const bounded = Math.max(0, latencyUs);
    const index = Math.min(BUCKETS - 1, bucketOf(Math.floor(bounded)));
    this.#counts[index] = this.#counts[index]! + 1;
    this.#count += 1;
    if (bounded > this.#maxUs) this.#maxUs = bounded;
  }

  /** Upper edge, in microseconds, of the bucket that holds the value of rank ⌈q·count⌉; 0 when nothing was recorded. */
  quantileUs(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index]!;
      if (seen >= rank) return Math.min(this.#maxUs, upperEdgeOf(index));
    }
    return this.#maxUs;
  }
}

/** Values below 64 have a bucket each; above, the six bits after the leading one choose among 64. */
function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const exponent = Math.floor(Math.log2(value));
  const shift = exponent - SUB_BUCKET_BITS;
  const mantissa = Math.floor(value / 2 ** shift) - SUB_BUCKETS;
  return (shift + 1) * SUB_BUCKETS + mantissa;
}

function upperEdgeOf(index: number): number {
  if (index < SUB_BUCKETS) return index + 1;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  const mantissa = (index % SUB_BUCKETS) + SUB_BUCKETS;
  return (mantissa + 1) * 2 ** shift;
}
