/**
 * Counts of durations in log-linear buckets: 16 to each power of two, so a percentile is at most 1/16 too high and
 * never too low. Fixed memory, no allocation per value. (The scheme of HdrHistogram, with 4 bits of precision.)
 */
const PRECISION_BITS = 4;
const PER_OCTAVE = 1 << PRECISION_BITS;
/** Values up to 2^31 − 1 µs, 35 minutes; longer ones count as that. */
const VALUE_MAX = 0x7fffffff;
const BUCKETS = bucketOf(VALUE_MAX) + 1;

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  /** Microseconds; what is negative or no number counts as 0. */
  add(us: number): void {
    const value = us >= 1 ? Math.min(Math.floor(us), VALUE_MAX) : 0;
    const bucket = bucketOf(value);
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  addAll(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#counts[bucket] = this.#counts[bucket]! + other.#counts[bucket]!;
    }
    this.#total += other.#total;
    this.#max = Math.max(this.#max, other.#max);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /** The least value, rounded up to its bucket's end, that `share` (0 < share ≤ 1) of all values don't exceed; 0 when empty. */
  percentileUs(share: number): number {
    const wanted = Math.ceil(share * this.#total);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted && seen > 0) return Math.min(bucketEnd(bucket), this.#max);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < PER_OCTAVE) return value;
  const shift = 31 - Math.clz32(value) - PRECISION_BITS;
  return (shift << PRECISION_BITS) + (value >> shift);
}

/** The greatest value of a bucket. */
function bucketEnd(bucket: number): number {
  if (bucket < PER_OCTAVE) return bucket;
  const shift = (bucket >> PRECISION_BITS) - 1;
  return (bucket - (shift << PRECISION_BITS) + 1) * 2 ** shift - 1;
}
