import { robustSlopeInterval, type SlopeInterval } from '../statistics.ts';

/** A value at a moment. */
export interface Point {
  readonly atS: number;
  readonly value: number;
}

/**
 * Whether something grows, told from its troughs: a collector makes a saw-tooth of everything, and only what is left after it has
 * been there says what is held. `null`: fewer than three windows.
 */
export function growthPerHour(series: readonly (readonly Point[])[], windowS: number): SlopeInterval | null {
  const windows = summed(series.map((points) => troughs(points, windowS)));
  const at = windows.map(([window]) => (window * windowS) / 3_600);
  return robustSlopeInterval(
    at,
    windows.map(([, value]) => value),
  );
}

/** The least of each window, by its number. */
export function troughs(points: readonly Point[], windowS: number): ReadonlyMap<number, number> {
  const least = new Map<number, number>();
  for (const { atS, value } of points) {
    const window = Math.floor(atS / windowS);
    least.set(window, Math.min(value, least.get(window) ?? Number.POSITIVE_INFINITY));
  }
  return least;
}

/** Of the windows that all have: each thread collects at a time of its own. */
function summed(
  series: readonly ReadonlyMap<number, number>[],
): (readonly [window: number, value: number])[] {
  const [first, ...others] = series;
  return [...(first ?? [])].flatMap(([window, value]) => {
    const values = others.map((each) => each.get(window));
    return values.includes(undefined)
      ? []
      : [[window, values.reduce<number>((sum, each) => sum + each!, value)] as const];
  });
}
