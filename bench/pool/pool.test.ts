/** The quickest scenarios of `bench pool`, at the product's own pools: what they use of keys is part of what they promise. */
import { describe, expect, it } from 'vitest';
import { type Judgement, judge, optimumOf } from './judgement.ts';
import { loadOf } from './load.ts';
import { runPool } from './pool-run.ts';
import { runRoundRobin } from './round-robin-run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const SEED = 7;
const SHORT_MS = 30_000;
/** Until there is less room than calls. */
const LONG_MS = 90_000;

function scenario(name: string, untilMs: number): Scenario {
  const found = SCENARIOS.find((one) => one.name === name)!;
  const tenants = found.tenants.map((tenant) => ({
    ...tenant,
    calls: tenant.calls.map((calls) => ({ ...calls, untilMs: Math.min(calls.untilMs, untilMs) })),
  }));
  return { ...found, tenants };
}

function judged(name: string, serve = runPool, untilMs = SHORT_MS): Judgement {
  const one = scenario(name, untilMs);
  const load = loadOf(one, SEED);
  return judge(one, load, optimumOf(one, load), serve(one, load, SEED));
}

describe('a pool', () => {
  it('serves a burst whole for which there is room until the deadline, and no provider refuses a call', () => {
    expect(judged('burst within capacity')).toMatchObject({
      goodput: 1,
      refused: 0,
      avoidable: 0,
      throttledPer10000: 0,
    });
  });

  it('uses all that keys have in a burst beyond that, and shares it evenly', () => {
    const { goodput, jain, avoidable, throttledPer10000 } = judged('burst beyond capacity');
    expect(goodput).toBeGreaterThan(0.99);
    expect(jain).toBeGreaterThan(0.99);
    expect(avoidable).toBe(0);
    expect(throttledPer10000).toBe(0);
  });

  it('uses uneven keys up, though prompts have fewer tokens than bytes', () => {
    const { goodput, avoidable, throttledPer10000 } = judged('uneven keys');
    // In so short a time, what is under way at its end is more of the whole.
    expect(goodput).toBeGreaterThan(0.985);
    expect(avoidable).toBe(0);
    expect(throttledPer10000).toBe(0);
  });

  it('begins with all keys alike where nothing is known of them, so that none lies full and gives nothing back', () => {
    const { goodput, avoidable } = judged('undeclared and untold limits', runPool, LONG_MS);
    expect(goodput).toBeGreaterThan(0.98);
    expect(avoidable).toBe(0);
  });
});

it('round robin is refused by providers, and refuses what could have waited', () => {
  const { goodput, avoidable, throttledPer10000 } = judged('burst within capacity', runRoundRobin);
  expect(goodput).toBeLessThan(0.75);
  expect(avoidable).toBeGreaterThan(100);
  expect(throttledPer10000).toBeGreaterThan(1_000);
});
