import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { healthOf } from '../../test/upstream/endpoint-health.ts';
import type { Random } from '../base/ports.ts';
import { type Candidate, chooseEndpoint, NONE } from './balancer.ts';

/** Deterministic and even enough: a 32-bit linear congruential generator (Numerical Recipes, 7.1). */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    fill: (target) => target.fill(0),
    uint32: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    },
  };
}

interface Mutable extends Candidate {
  outstanding: number;
  hasRoom: boolean;
}

function candidate(weight: number, changes: Partial<Mutable> = {}): Mutable {
  return { weight, health: healthOf(), outstanding: 0, hasRoom: true, ...changes };
}

function ejected(weight: number, nowMs: number, changes: Partial<Mutable> = {}): Mutable {
  const result = candidate(weight, changes);
  result.health.attemptEnds('connect-failed', false, nowMs);
  return result;
}

describe('the choice of an endpoint', () => {
  test('without load the shares are those of the weights', () => {
    const candidates = [candidate(1), candidate(3)];
    const random = seeded(7);
    const counts = [0, 0];
    for (let round = 0; round < 20_000; round++) counts[chooseEndpoint(candidates, NONE, 0, random)]!++;
    expect(counts[1]! / 20_000).toBeCloseTo(0.75, 1);
  });

  test('of two drawn the less loaded one per weight wins', () => {
    const candidates = [candidate(1, { outstanding: 5 }), candidate(2, { outstanding: 8 })];
    const random = seeded(7);
    const counts = [0, 0];
    for (let round = 0; round < 9_000; round++) counts[chooseEndpoint(candidates, NONE, 0, random)]!++;
    // The loaded one is chosen only when it is drawn twice: (1/3)².
    expect(counts[0]! / 9_000).toBeCloseTo(1 / 9, 1);
  });

  test('load evens out', () => {
    const candidates = Array.from({ length: 5 }, () => candidate(1));
    const random = seeded(3);
    for (let round = 0; round < 1_000; round++)
      candidates[chooseEndpoint(candidates, NONE, 0, random)]!.outstanding++;
    for (const { outstanding } of candidates) expect(Math.abs(outstanding - 200)).toBeLessThan(15);
  });

  test('the endpoint that just failed is the last resort', () => {
    const random = seeded(1);
    for (let round = 0; round < 50; round++) {
      expect(chooseEndpoint([candidate(9), candidate(1)], 0, 0, random)).toBe(1);
      expect(chooseEndpoint([candidate(9), ejected(1, 0)], 0, 0, random)).toBe(1);
    }
    expect(chooseEndpoint([candidate(1)], 0, 0, random)).toBe(0);
    expect(chooseEndpoint([candidate(1), candidate(1, { hasRoom: false })], 0, 0, random)).toBe(NONE);
  });

  test('when all are out the one that is back first is tried', () => {
    const random = seeded(1);
    expect(chooseEndpoint([ejected(1, 500), ejected(1, 100), ejected(1, 300)], NONE, 600, random)).toBe(1);
  });

  test('a good endpoint that is full is waited for', () => {
    const random = seeded(1);
    expect(chooseEndpoint([ejected(1, 0), candidate(1, { hasRoom: false })], NONE, 0, random)).toBe(NONE);
  });

  test('never a full one; never an ejected one while a good one has room; something whenever only ejected are left', () => {
    const state = fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      outstanding: fc.nat(50),
      hasRoom: fc.boolean(),
      isOut: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(state, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: -1, max: 5 }),
        (states, seed, avoid) => {
          const candidates = states.map(({ weight, isOut, outstanding, hasRoom }) =>
            isOut
              ? ejected(weight, 0, { outstanding, hasRoom })
              : candidate(weight, { outstanding, hasRoom }),
          );
          const chosen = chooseEndpoint(candidates, avoid, 0, seeded(seed));
          const good = states.filter(
            (endpoint, index) => endpoint.hasRoom && !endpoint.isOut && index !== avoid,
          );
          if (chosen === NONE) {
            expect(good).toEqual([]);
            expect(states.some((endpoint) => !endpoint.hasRoom)).toBe(true);
            return;
          }
          expect(states[chosen]!.hasRoom).toBe(true);
          if (good.length > 0 && states.length > 1) {
            expect(states[chosen]!.isOut).toBe(false);
            expect(chosen).not.toBe(avoid);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
