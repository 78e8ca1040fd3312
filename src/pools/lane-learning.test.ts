/** What lanes learn of limits, and of how much of an estimate calls really take. */
import { describe, expect, it } from 'vitest';
import type { MeterReport, MeterSpec } from '../model/provider-limits.ts';
import type { AskedAmounts } from '../pipeline/key-pool.ts';
import { laneBytes } from './lane-layout.ts';
import type { LaneTicket } from './lane-ticket.ts';
import { Lanes } from './lanes.ts';

const MINUTE_MS = 60_000;

function lanesWith(specs: readonly MeterSpec[]): Lanes {
  const lanes = new Lanes({ memory: new SharedArrayBuffer(laneBytes(1)), lanes: 1, proofMs: 30_000 });
  lanes.declare(0, specs, 0);
  return lanes;
}

function perMinute(unit: MeterSpec['unit'], amount: number): MeterSpec {
  return { unit, kind: 'bucket', amount, windowMs: MINUTE_MS, source: 'declared' };
}

function tokens(inputTokens: number, outputTokens = 0): AskedAmounts {
  return { inputTokens, outputTokens, costNano: 0, countedTokens: null };
}

function told(unit: MeterSpec['unit'], amount: number, remaining: number, resetMs = Number.NaN): MeterReport {
  return { unit, windowMs: MINUTE_MS, amount, remaining, resetMs };
}

function take(lanes: Lanes, amounts: AskedAmounts, nowMs: number): LaneTicket {
  const ticket = lanes.take([0], amounts, nowMs);
  if (typeof ticket === 'number') throw new Error('it fits');
  return ticket;
}

function left(lanes: Lanes, nowMs: number): number {
  return lanes.read(0, nowMs).meters[0]!.left;
}

describe('what prompts are expected to take', () => {
  it('is all of their bound at first, and then what those before had', () => {
    const lanes = lanesWith([perMinute('tokens', 1_000_000)]);
    const first = take(lanes, tokens(5_000), 0);
    expect(left(lanes, 0)).toBe(995_000);
    lanes.settle(first, tokens(1_000), [], 0);
    for (let nth = 0; nth < 60; nth++) lanes.settle(take(lanes, tokens(5_000), 0), tokens(1_000), [], 0);
    const before = left(lanes, 0);
    take(lanes, tokens(10_000, 300), 0);
    expect(before - left(lanes, 0)).toBeGreaterThan(2_300);
    expect(before - left(lanes, 0)).toBeLessThan(2_800);
  });

  it('is more than the mean where prompts differ', () => {
    const lanes = lanesWith([perMinute('tokens', 100_000_000)]);
    for (let nth = 0; nth < 200; nth++)
      lanes.settle(take(lanes, tokens(5_000), 0), tokens(nth % 2 === 0 ? 500 : 2_500), [], 0);
    const before = left(lanes, 0);
    take(lanes, tokens(10_000), 0);
    expect(before - left(lanes, 0)).toBeGreaterThan(6_000);
  });

  it('says nothing of answers, which have their own bound', () => {
    const lanes = lanesWith([perMinute('output-tokens', 1_000)]);
    lanes.settle(take(lanes, tokens(5_000, 100), 0), tokens(50, 10), [], 0);
    take(lanes, tokens(5_000, 100), 0);
    expect(left(lanes, 0)).toBe(1_000 - 10 - 100);
  });
});

describe('a report', () => {
  it('that estimates under way explain moves nothing: they are given back by themselves', () => {
    const lanes = lanesWith([perMinute('tokens', 60_000)]);
    const tickets = Array.from({ length: 5 }, () => take(lanes, tokens(5_000), 0));
    // The provider counts a fifth of each: for two seconds, every answer tells more than the model has.
    tickets.forEach((ticket, nth) => {
      lanes.report(ticket, [told('tokens', 60_000, 60_000 - 1_000 * (nth + 1))], 500 * nth);
    });
    for (const ticket of tickets) lanes.settle(ticket, tokens(1_000), [], 2_000);
    expect(left(lanes, 2_000)).toBeLessThanOrEqual(57_000);
  });

  it('of a lower limit says what is left with it, whether the provider cut that or left what is used', () => {
    for (const [remaining, resetMs, expected] of [
      [500, 30_000, 500],
      [0, 3 * MINUTE_MS, -2_000],
      // no debt takes more than a day
      [0, 1e15, -1_439_000],
    ] as const) {
      const lanes = lanesWith([perMinute('tokens', 10_000)]);
      const ticket = take(lanes, tokens(0, 8_000), 0);
      lanes.report(ticket, [told('tokens', 1_000, remaining, resetMs)], 0);
      expect(left(lanes, 0)).toBe(expected);
    }
  });

  it('of a call that was sent before the one that told of a change brings no old limit back', () => {
    const lanes = lanesWith([perMinute('requests', 100)]);
    const early = take(lanes, tokens(1), 0);
    const late = take(lanes, tokens(1), 10);
    lanes.report(late, [told('requests', 50, 40)], 20);
    lanes.report(early, [told('requests', 100, 99)], 30);
    expect(lanes.read(0, 30).meters).toMatchObject([{ amount: 50 }]);
    lanes.report(take(lanes, tokens(1), 40), [told('requests', 80, 60)], 50);
    expect(lanes.read(0, 50).meters).toMatchObject([{ amount: 80 }]);
  });
});

describe('refusals without a word of any limit', () => {
  /** A bucket of a hundred a minute, of which nobody tells anything, and more calls than it takes. */
  function overload(lanes: Lanes, minutes: number): { served: number; refused: number } {
    let bucket = 100;
    let [served, refused] = [0, 0];
    for (let nowMs = 0; nowMs < minutes * MINUTE_MS; nowMs += 100) {
      bucket = Math.min(100, bucket + 100 / 600);
      const ticket = lanes.take([0], tokens(1), nowMs);
      if (typeof ticket === 'number') continue;
      if (bucket >= 1) {
        bucket--;
        served++;
        lanes.settle(ticket, tokens(1), [], nowMs);
      } else {
        refused++;
        lanes.close(0, nowMs + 600, nowMs);
        lanes.settle(ticket, 'refused', [], nowMs);
      }
    }
    return { served, refused };
  }

  it('become a limit that follows the true one', () => {
    const { served, refused } = overload(lanesWith([]), 10);
    expect(served).toBeGreaterThan(0.95 * 1_100);
    expect(refused).toBeLessThan(0.04 * served);
  });

  it('lower one that was declared too high, and leave it when it is declared anew', () => {
    const lanes = lanesWith([perMinute('requests', 1_000)]);
    const { served, refused } = overload(lanes, 10);
    expect(served).toBeGreaterThan(0.9 * 1_100);
    expect(refused).toBeLessThan(0.04 * served);
    lanes.declare(0, [perMinute('requests', 1_000)], 10 * MINUTE_MS);
    expect(lanes.read(0, 10 * MINUTE_MS).meters).toMatchObject([{ amount: 1_000 }]);
  });

  it('of a lane with few calls make none: nobody knows how many it would have taken', () => {
    const lanes = lanesWith([]);
    for (let nth = 0; nth < 5; nth++) lanes.settle(take(lanes, tokens(1), 0), tokens(1), [], 0);
    lanes.settle(take(lanes, tokens(1), 0), 'refused', [], 0);
    expect(lanes.read(0, 0).meters).toEqual([]);
  });

  it('where answers tell limits make none: those say why', () => {
    const lanes = lanesWith([]);
    const first = take(lanes, tokens(1), 0);
    lanes.settle(first, tokens(1), [told('requests', 500, 499)], 0);
    for (let nth = 0; nth < 50; nth++) lanes.settle(take(lanes, tokens(1), 0), tokens(1), [], 0);
    lanes.settle(take(lanes, tokens(1), 0), 'refused', [], 0);
    expect(lanes.read(0, 0).meters).toMatchObject([{ amount: 500 }]);
  });
});
