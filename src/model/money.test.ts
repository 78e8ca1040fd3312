import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MONEY_UNITS_MAX, parseRate } from './literals.ts';
import { type Accounting, inAccounting } from './money.ts';

const DATE = '2026-11-01';
const NANO = 1_000_000_000;

function usd(rate: string): Accounting {
  const parsed = parseRate(rate);
  if (!parsed.ok) throw new Error(parsed.error.why);
  return { currency: 'USD', rates: { EUR: { nanoPerUnit: parsed.value, date: DATE } } };
}

describe('an amount in the accounting currency', () => {
  it.each([
    ['1.08', 20 * NANO, 21_600_000_000],
    ['1.08', 2_000_000, 2_160_000],
    // a third of a nano-unit is one: money is never lost
    ['0.333333333', 1, 1],
    ['1', 0, 0],
    ['0.000000001', NANO, 1],
    ['0.000000001', 1, 1],
    ['1.08', 0.5 * NANO, 540_000_000],
  ])('at %s, %d is %d', (rate, nano, expected) =>
    expect(inAccounting(nano, 'EUR', usd(rate))).toEqual({ ok: true, value: expected }),
  );

  it('stays as it is in the accounting currency', () => {
    expect(inAccounting(7, 'USD', usd('2'))).toEqual({ ok: true, value: 7 });
  });

  it('needs a rate, of its own', () => {
    for (const currency of ['GBP', 'toString', '__proto__'])
      expect(inAccounting(7, currency, usd('2'))).toEqual({ ok: false, error: 'no-rate' });
  });

  it('ends where amounts end', () => {
    const most = MONEY_UNITS_MAX * NANO;
    expect(inAccounting(most, 'EUR', usd('1'))).toEqual({ ok: true, value: most });
    expect(inAccounting(most, 'EUR', usd('1.000000001'))).toEqual({ ok: false, error: 'too-much' });
  });

  it('is exact, and never less than the product', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: MONEY_UNITS_MAX * 1_000 }),
        fc.integer({ min: 1, max: 2 * NANO }),
        (nano, rate) => {
          const accounting = { currency: 'USD', rates: { EUR: { nanoPerUnit: rate, date: DATE } } };
          const converted = inAccounting(nano, 'EUR', accounting);
          if (!converted.ok) throw new Error(converted.error);
          const product = BigInt(nano) * BigInt(rate);
          const missing = BigInt(converted.value) * BigInt(NANO) - product;
          expect(missing >= 0n && missing < BigInt(NANO)).toBe(true);
        },
      ),
    );
  });
});

describe('a rate', () => {
  it.each([
    ['1.08', 1_080_000_000],
    ['0.000000001', 1],
    ['9000000', 9_000_000 * NANO],
  ])('is %s', (text, value) => expect(parseRate(text)).toEqual({ ok: true, value }));

  it.each(['', '0', '0.0', '-1', '1e-7', '1.0000000001', '9000001', '1,08', ' 1', '1.', '.5', '99999999'])(
    'is not "%s"',
    (text) =>
      expect(parseRate(text)).toEqual({
        ok: false,
        error: { why: `"${text}" is not an exchange rate. Write it like 1.08, with at most nine decimals.` },
      }),
  );
});
