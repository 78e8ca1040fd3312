import { CURRENCY_SIGNS } from './literals.ts';

const NANO = 1_000_000_000n;

/** An amount as policies write it: `$5`, `5 CHF`; the bare number where the currency is not known. */
export function moneyText(nanoUnits: number, currency: string | undefined): string {
  const amount = decimalText(nanoUnits);
  if (currency === undefined) return amount;
  const sign = SIGNS.get(currency);
  return sign === undefined ? `${amount} ${currency}` : `${sign}${amount}`;
}

/** Exact, as a quotient of doubles would not be, and without exponents. */
function decimalText(nanoUnits: number): string {
  const nano = BigInt(Math.round(Math.abs(nanoUnits)));
  const fraction = String(nano % NANO)
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '');
  const whole = `${nanoUnits < 0 ? '-' : ''}${nano / NANO}`;
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
const DECIMALS = 9;

const SIGNS: ReadonlyMap<string, string> = new Map(
  Object.entries(CURRENCY_SIGNS).map(([sign, currency]) => [currency, sign]),
);
