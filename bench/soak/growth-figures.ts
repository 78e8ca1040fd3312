import { atMost, type Figure } from '../bench.ts';
import { growthPerHour, type Point } from './growth.ts';

/** Of one or of each thread. */
export type Series = readonly (readonly Point[])[];

export interface GrowthBar {
  readonly unit: string;
  readonly perHour: number;
  readonly windowS: number;
}

/** What a thing came to, how it grew, and what the bar is held against: the most that its growth may be. */
export function growthFigures(
  name: string,
  series: Series,
  { unit, perHour, windowS }: GrowthBar,
): readonly Figure[] {
  const growth = growthPerHour(series, windowS);
  return [
    { name, unit, values: totals(series), bar: null },
    {
      name: `${name}, growth`,
      unit: `${unit}/h`,
      values: growth === null ? [] : [growth.low, growth.slope, growth.high],
      bar: null,
    },
    {
      name: `${name}, growth at most`,
      unit: `${unit}/h`,
      values: growth === null ? [] : [growth.high],
      bar: atMost(perHour),
    },
  ];
}

/** Of all threads, as far as each was seen. */
function totals([first, ...others]: Series): readonly number[] {
  return (first ?? []).flatMap(({ value }, at) => {
    const values = others.map((points) => points[at]?.value);
    return values.includes(undefined) ? [] : [values.reduce<number>((sum, each) => sum + each!, value)];
  });
}
