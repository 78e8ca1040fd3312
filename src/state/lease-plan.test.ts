/** How large slices of a quota are: they follow the rate at which they are used. */
import { describe, expect, test } from 'vitest';
import { createCounterRegistry, type QuotaRegion } from './counter-registry.ts';
import { planLease } from './lease-plan.ts';
import type { LeaseGrant, LeaseState } from './quota-lease-cells.ts';

const PERIOD_MS = Date.UTC(2026, 10, 30);
const NOTHING_YET: LeaseState = {
  periodMs: PERIOD_MS,
  used: 0,
  reserved: 0,
  told: 0,
  mark: 0,
  sliceAmount: 0,
  grantedAtMs: 0,
};

function quotaOf(amount: number): QuotaRegion {
  const registry = createCounterRegistry();
  registry.prepare([
    {
      identity: 'q',
      window: { kind: 'calendar', amount, period: 'day', zone: 'UTC' },
      maxKeys: 8,
      onFailure: 'refuse',
      thresholdsPercent: [],
    },
  ]);
  return registry.quotas()[0]!;
}

function granted(region: QuotaRegion, state: LeaseState, nowMs: number, weight = 1): LeaseGrant {
  const key = { keyHigh: 1, keyLow: 2 };
  return planLease(region, { key, state }, null, { region: 0, ...key, weight }, nowMs).grant;
}

/** Sizes of the slices that follow each other when each is used up after so long. */
function slices(amount: number, lastedMs: readonly number[]): readonly number[] {
  const region = quotaOf(amount);
  const sizes: number[] = [];
  let [state, nowMs] = [NOTHING_YET, 5_000];
  for (const lasted of [0, ...lastedMs]) {
    nowMs += lasted;
    const { sliceAmount, mark } = granted(region, state, nowMs);
    sizes.push(sliceAmount);
    // Used up, but for the next period: the amount itself is not what is tested.
    state = { ...state, used: mark >= amount ? 0 : mark, mark, sliceAmount, grantedAtMs: nowMs };
  }
  return sizes;
}

describe('a slice', () => {
  test('is a thousandth at first, doubles while each is used fast, and is a tenth at most', () => {
    const doubled = [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000];
    expect(slices(100_000, Array(8).fill(99))).toEqual(doubled);
  });

  test('halves while each lasts long, down to a thousandth', () => {
    const fast = Array<number>(7).fill(0);
    const halved = [5_000, 2_500, 1_250, 625, 312, 156, 100, 100];
    expect(slices(100_000, [...fast, ...Array(8).fill(1_001)]).slice(8)).toEqual(halved);
  });

  test('stays as it is in between', () => {
    expect(slices(100_000, [99, 99, 100, 1_000, 400, 1_001])).toEqual([100, 200, 400, 400, 400, 400, 200]);
  });

  test.each([
    [1, [1, 1, 1, 1]],
    [9, [1, 1, 1, 1]],
    [30, [1, 2, 3, 1]],
    [999, [1, 2, 4, 2]],
  ])('of %s is one of its unit at least', (amount, sizes) => {
    expect(slices(amount, [0, 0, 1_001])).toEqual(sizes);
  });

  test('goes on from its size in the next period', () => {
    const region = quotaOf(100_000);
    const state = { ...NOTHING_YET, sliceAmount: 6_400, grantedAtMs: 5_000 };
    expect(granted(region, state, 5_500)).toMatchObject({ sliceAmount: 6_400, mark: 6_400 });
  });
});

describe('a grant', () => {
  test('is as large as what asks for it, which does not make the next slices larger', () => {
    expect(granted(quotaOf(100_000), NOTHING_YET, 5_000, 700)).toMatchObject({
      mark: 700,
      sliceAmount: 100,
      askFrom: 650,
    });
  });

  test('ends at the amount, and nothing is asked for from there on', () => {
    const state = { ...NOTHING_YET, used: 99_990, mark: 99_990, sliceAmount: 800, grantedAtMs: 4_500 };
    expect(granted(quotaOf(100_000), state, 5_000)).toMatchObject({
      mark: 100_000,
      askFrom: Number.POSITIVE_INFINITY,
    });
  });
});
