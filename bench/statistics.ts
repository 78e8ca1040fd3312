/** The few statistics that the tables show. Pure. */

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The middle value; of an even number of values the mean of the middle two. Null for none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function spread(values: readonly number[]): Spread | null {
  const middle = median(values);
  if (middle === null) return null;
  return { min: Math.min(...values), median: middle, max: Math.max(...values) };
}

/**
 * Value by value, `numerators[i] / denominators[i]`. Both come from the same round, so what slowed the whole machine
 * in that round cancels out; a ratio of two medians would keep it.
 */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return paired(numerators, denominators, (numerator, denominator) => numerator / denominator);
}

export function pairedDifferences(minuends: readonly number[], subtrahends: readonly number[]): number[] {
  return paired(minuends, subtrahends, (minuend, subtrahend) => minuend - subtrahend);
}

/** The least value such that a share `q` (0…1) of all values is not above it (nearest rank). Null for none. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

function paired(
  left: readonly number[],
  right: readonly number[],
  combine: (left: number, right: number) => number,
): number[] {
  if (left.length !== right.length) {
    throw new Error(`pairs need equal lengths: ${left.length} and ${right.length}`);
  }
  return left.map((value, index) => combine(value, right[index]!));
}

/** A slope, and between what the true one lies 19 times of 20. */
export interface SlopeInterval {
  readonly low: number;
  readonly slope: number;
  readonly high: number;
}

/** Of the normal distribution: 95 % lie between plus and minus so many standard deviations. */
const WITHIN_95 = 1.96;

/**
 * Slope of `ys` over `xs` after Theil and Sen: the median of the slopes of all pairs. A tenth of wild values, as a collector of garbage
 * makes them, hardly moves it. Its interval is Sen's, from the variance of Kendall's count of pairs. Null for fewer than three values.
 */
export function robustSlopeInterval(xs: readonly number[], ys: readonly number[]): SlopeInterval | null {
  const slopes: number[] = [];
  for (let left = 0; left < xs.length; left++) {
    for (let right = left + 1; right < xs.length; right++) {
      if (xs[right] !== xs[left]) slopes.push((ys[right]! - ys[left]!) / (xs[right]! - xs[left]!));
    }
  }
  const count = xs.length;
  if (count < 3 || slopes.length === 0) return null;
  slopes.sort((a, b) => a - b);
  const apart = WITHIN_95 * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const first = Math.max(0, Math.floor((slopes.length - apart) / 2) - 1);
  const last = Math.min(slopes.length - 1, Math.ceil((slopes.length + apart) / 2));
  return { low: slopes[first]!, slope: median(slopes)!, high: slopes[last]! };
}
