/** Cases solved by hand. Slots of a second. */
import { describe, expect, it } from 'vitest';
import { type Job, offlineOptimum, type TrueWindow } from './optimum.ts';

const SECOND_MS = 1_000;

/** Ten a window of ten seconds: full at first, and one comes back each second. */
const TEN: TrueWindow = {
  kind: 'bucket',
  windowMs: 10_000,
  amounts: [{ fromMs: 0, amount: 10 }],
  away: [],
};

function jobs(count: number, atS: number, byS: number, size = 1): Job[] {
  return Array.from({ length: count }, () => ({ atMs: atS * SECOND_MS, byMs: byS * SECOND_MS, size }));
}

function served(windows: readonly TrueWindow[], load: readonly Job[]): number {
  return offlineOptimum(windows, load, SECOND_MS).served;
}

describe('the offline optimum', () => {
  it('is what a bucket holds and what comes back until the deadline', () => {
    // Ten at once and one in each of the slots 0 … 5.
    expect(served([TEN], jobs(100, 0, 5))).toBe(16);
  });

  it('is no more than is wanted, and nothing is kept beyond what a bucket holds', () => {
    expect(served([TEN], jobs(3, 0, 5))).toBe(3);
    // Twenty idle seconds fill nothing above ten; the slot itself brings one more.
    expect(served([TEN], jobs(100, 20, 20))).toBe(11);
  });

  it('gives up no later job for an earlier one that could wait', () => {
    // In slot 0 there are eleven, in slot 1 one more: six have to wait for it and later ones, or the other six are lost.
    expect(served([TEN], [...jobs(6, 0, 5), ...jobs(6, 0, 0)])).toBe(12);
  });

  it('uses each account where it can, and none that is too small for a job', () => {
    const five = { ...TEN, amounts: [{ fromMs: 0, amount: 5 }] };
    expect(served([TEN, five], jobs(100, 0, 0))).toBe(11 + 6);
    expect(served([TEN, five], jobs(10, 0, 0, 7))).toBe(11);
    expect(served([five], jobs(10, 0, 0, 7))).toBe(0);
  });

  it('gets nothing of an account that is away, and what has filled up meanwhile afterwards', () => {
    const away = { ...TEN, away: [{ fromMs: 0, untilMs: 4_000 }] };
    expect(served([away], jobs(100, 0, 3))).toBe(0);
    expect(served([away], jobs(100, 0, 4))).toBe(11);
  });

  it('follows a limit that is lowered, and that is raised', () => {
    const lowered = {
      ...TEN,
      amounts: [
        { fromMs: 0, amount: 10 },
        { fromMs: 2_000, amount: 5 },
      ],
    };
    // Nothing before: five are left of ten, and half of one comes back in the slot.
    expect(served([lowered], jobs(100, 2, 2))).toBe(6);
    const raised = { ...TEN, amounts: [...TEN.amounts, { fromMs: 2_000, amount: 20 }] };
    // Slots 0 and 1 bring one each, 2 and 3 two each.
    expect(served([raised], jobs(100, 0, 3))).toBe(16);
  });

  it('gives all of a fixed window at its beginning, and keeps nothing over its end', () => {
    const fixed: TrueWindow = { ...TEN, kind: 'fixed' };
    expect(served([fixed], jobs(100, 0, 9))).toBe(10);
    expect(served([fixed], jobs(100, 9, 10))).toBe(20);
    expect(served([fixed], jobs(100, 10, 10))).toBe(10);
  });

  it('needs a job whose room nobody else could use, and no other', () => {
    const early = { atMs: 0, byMs: 0, size: 1 };
    const late = { atMs: 30_000, byMs: 30_000, size: 1 };
    const { served: most, isNeeded } = offlineOptimum([TEN], [...jobs(20, 0, 0), early, late], SECOND_MS);
    expect(most).toBe(12);
    expect(isNeeded(early)).toBe(false);
    expect(isNeeded(late)).toBe(true);
  });
});
