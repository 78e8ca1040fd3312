import { expect, it } from 'vitest';
import { parseRemaining } from './rate-limit-field.ts';

it.each([
  ['', []],
  ['"window";r=999;t=3600', [999]],
  ['"window";r=999;t=3600, "bench/month";r=0', [999, 0]],
  ['"odd;r=5, name";t=1; r=7', [7]],
  ['"with \\" quote;r=5";r=8', [8]],
])('reads what is left from %j', (field, remaining) => {
  expect(parseRemaining(field)).toEqual(remaining);
});
