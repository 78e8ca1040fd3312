/** What threads see of each other's changes, one word at a time. */
import { expect, it } from 'vitest';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { KeyHealth } from './key-health.ts';
import { createPoolMemory } from './pool-memory.ts';

it('a tried key that has just run out of credit is not given any while that is being written down', () => {
  const health = new KeyHealth(createPoolMemory(LIMIT_DEFAULTS, 1));
  health.ranOut(0, 1_000, 1_000);
  health.tend(0, 2_000);
  expect(health.state(0)).toBe('active');
  // the first word of what it means to run out, and none of the others
  health.begin(0, 'exhausted');
  health.tend(0, 3_000);
  expect([health.state(0), health.creditAtMs(0, 3_000)]).toEqual(['exhausted', null]);
});
