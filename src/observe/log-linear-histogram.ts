/**
 * Counts of whole numbers in log-linear buckets: 2^precision to each power of two, so a percentile is at most 2^-precision too
 * high and never too low. Fixed memory, no allocation per value. (The scheme of HdrHistogram.)
 */
export class LogLinearHistogram {
  readonly #precisionBits: number;
  readonly #counts: Uint32Array;
  #total = 0;
  #max = 0;

  constructor(precisionBits: number) {
    this.#precisionBits = precisionBits;
    this.#counts = new Uint32Array(bucketOf(VALUE_MAX, precisionBits) + 1);
  }

  get total(): number {
    return this.#total;
  }

  get max(): number {
    return this.#max;
  }

  /** What is negative or no number counts as 0, what exceeds 2^31 - 1 as that. */
  add(amount: number): void {
    const value = histogramValue(amount);
    this.addValue(bucketOf(value, this.#precisionBits), value);
  }

  /** {@link add} for who counts one value in several histograms: {@link histogramValue}, and its {@link bucketOf}. */
  addValue(bucket: number, value: number): void {
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  /** Of the same precision. */
  addAll(other: LogLinearHistogram): void {
    const counts = this.#counts;
    for (let bucket = 0; bucket < counts.length; bucket++) counts[bucket]! += other.#counts[bucket]!;
    this.#total += other.#total;
    this.#max = Math.max(this.#max, other.#max);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /** The least value, rounded up to its bucket's end, that `share` (0 < share ≤ 1) of all values don't exceed; 0 when empty. */
  percentile(share: number): number {
    const wanted = Math.ceil(share * this.#total);
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted && seen > 0) return Math.min(bucketEnd(bucket, this.#precisionBits), this.#max);
    }
    return 0;
  }

  /** Buckets that hold something: number, count. */
  *filled(): Generator<readonly [bucket: number, count: number]> {
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      if (this.#counts[bucket]! > 0) yield [bucket, this.#counts[bucket]!];
    }
  }

  /** The same with the greatest value of each bucket: what somebody else can take percentiles of. */
  distribution(): readonly (readonly [valueMax: number, count: number])[] {
    return Array.from(this.filled(), ([bucket, count]) => [bucketEnd(bucket, this.#precisionBits), count]);
  }

  /** What {@link filled} told of another one. A bucket that does not exist is passed over. */
  addBucket(bucket: number, count: number): void {
    if (bucket >= this.#counts.length) return;
    this.#counts[bucket]! += count;
    this.#total += count;
  }

  /** What {@link max} told of another one. */
  addMax(max: number): void {
    this.#max = Math.max(this.#max, max);
  }
}

const VALUE_MAX = 0x7fffffff;

/** What an amount counts as. */
export function histogramValue(amount: number): number {
  return amount >= 1 ? Math.min(Math.floor(amount), VALUE_MAX) : 0;
}

/** Number of the bucket that a value belongs to. */
export function bucketOf(value: number, precisionBits: number): number {
  if (value < 1 << precisionBits) return value;
  const shift = 31 - Math.clz32(value) - precisionBits;
  return (shift << precisionBits) + (value >> shift);
}

/** The greatest value of a bucket. */
function bucketEnd(bucket: number, precisionBits: number): number {
  if (bucket < 1 << precisionBits) return bucket;
  const shift = (bucket >> precisionBits) - 1;
  return (bucket - (shift << precisionBits) + 1) * 2 ** shift - 1;
}
