import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growthPerHour, type Point, troughs } from './growth.ts';

/** Twenty minutes, once a second, of what is held under a saw-tooth with teeth of `periodS`. */
const sawTooth = (
  heldAt: (atS: number) => number,
  { periodS, height }: { periodS: number; height: number },
) =>
  Array.from(
    { length: 1_200 },
    (_, atS): Point => ({
      atS,
      value: heldAt(atS) + (height * ((atS * 7_919) % periodS)) / periodS,
    }),
  );

describe('growth', () => {
  it('takes the least of each window', () => {
    const points = [3, 1, 2, 9, 8].map((value, atS) => ({ atS, value }));
    expect([...troughs(points, 3)]).toEqual([
      [0, 1],
      [1, 8],
    ]);
  });

  it('sees what is held under any saw-tooth', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 500, noNaN: true }),
        fc.integer({ min: 2, max: 29 }),
        fc.double({ min: 0, max: 300, noNaN: true }),
        (perHour, periodS, height) => {
          const points = sawTooth((atS) => 100 + (perHour * atS) / 3_600, { periodS, height });
          const { low, slope, high } = growthPerHour([points], 60)!;
          expect(low).toBeLessThanOrEqual(slope);
          expect(slope).toBeLessThanOrEqual(high);
          // a trough may lie a whole tooth later than its window begins, and lower by a step
          expect(Math.abs(slope - perHour)).toBeLessThanOrEqual(Math.abs(perHour) / 10 + 1e-6);
        },
      ),
    );
  });

  it('adds up what each thread holds when it has collected', () => {
    const one = sawTooth((atS) => atS / 3_600, { periodS: 11, height: 50 });
    const other = sawTooth((atS) => (2 * atS) / 3_600, { periodS: 23, height: 50 });
    expect(growthPerHour([one, other], 60)!.slope).toBeCloseTo(3, 0);
  });

  it('says nothing of fewer than three windows', () => {
    expect(growthPerHour([[{ atS: 0, value: 1 }]], 60)).toBeNull();
    expect(growthPerHour([], 60)).toBeNull();
  });

  it('is less sure of what jumps about', () => {
    const jumping = Array.from(
      { length: 20 },
      (_, window): Point => ({
        atS: 60 * window,
        value: [0, 40, 10, 30, 20][window % 5]!,
      }),
    );
    const { low, high } = growthPerHour([jumping], 60)!;
    expect(low).toBeLessThan(-30);
    expect(high).toBeGreaterThan(30);
  });
});
