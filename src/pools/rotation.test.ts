import { expect, it } from 'vitest';
import { rotationStep } from './rotation.ts';

it.each([
  [0, 0.1, 'serves'],
  [124, 0.1, 'serves'],
  [125, 0.5, 'serves'],
  [499, 0.5, 'serves'],
  [500, 1, 'drains'],
  [999, 1, 'drains'],
  [1_000, 1, 'over'],
  [5_000, 1, 'over'],
  // The clock was put back: the new secret has to prove itself, and the former one is there.
  [-5_000, 0.1, 'serves'],
] as const)('after %d of 1,000 ms the share is %d, and the former secret %s', (passedMs, share, former) => {
  const step = rotationStep({ sinceMs: 10_000, untilMs: 11_000 }, 10_000 + passedMs);
  expect(step).toMatchObject({ share, former });
});
