import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toldNano, toldNanoAt } from './told-amounts.ts';

it.each([
  ['0.0123', 12_300_000],
  [' 0.0123 ', 12_300_000],
  ['1.5e-7', 150],
  ['1e-12', 1],
  ['0', 0],
  ['.5', 500_000_000],
  ['2.', 2_000_000_000],
  ['0.1', 100_000_000],
  ['0.0000000001', 1],
  ['9000000', 9_000_000_000_000_000],
  ['9000000.0000000001', null],
  ['1e999', null],
  ['-1', null],
  ['', null],
  ['.', null],
  ['NaN', null],
  ['0x10', null],
  ['1,5', null],
  ['$0.02', 20_000_000],
  ['0.02 USD', 20_000_000],
  ['€0.02', null],
])('%s is %s nano-units of USD', (text, nano) => {
  expect(toldNano(text, 'USD')).toBe(nano);
});

it.each([
  ['0.0000000010', 1_060_000_000, 2],
  ['2', 500_000_000, 1_000_000_000],
  ['0.0123', 1_000_000_000, 12_300_000],
  ['9000000', 1_000_000_001, null],
  ['-1', 500_000_000, null],
])('%s USD of %i nano-units each are %s', (text, rateNano, nano) => {
  expect(toldNanoAt(text, 'USD', rateNano)).toBe(nano);
});

it('never rounds down, and never up by a whole unit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9_000_000n * 10n ** 15n }), (femto) => {
      const digits = String(femto).padStart(16, '0');
      const nano = toldNano(`${digits.slice(0, -15)}.${digits.slice(-15)}`, 'USD')!;
      const exact = BigInt(nano) * 1_000_000n;
      expect(exact >= femto && exact - femto < 1_000_000n).toBe(true);
    }),
  );
});
