import { expect, test } from 'vitest';
import { valueInWords } from './values.ts';

test.each([
  [0, '0B'],
  [79, '79B'],
  [1_000, '1000B'],
  [1_536, '1536B'],
  [2_048, '2KiB'],
  [10_485_760, '10MiB'],
  [1_073_741_824, '1GiB'],
])('%i bytes are %s', (bytes, words) => {
  expect(valueInWords({ kind: 'size' }, bytes)).toBe(words);
});
