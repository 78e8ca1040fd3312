import type { Random } from '../base/ports.ts';

/** Repeatable bytes (xorshift32) for tests; seeds below 2^31 differ. */
export function seededRandom(seed: number): Random {
  let state = (seed * 2 + 1) | 0;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    fill(target) {
      for (let index = 0; index < target.length; index++) target[index] = next() >>> 11;
    },
    uint32: next,
  };
}
