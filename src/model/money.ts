import { CURRENCY_SIGNS } from './literals.ts';

const NANO = 1_000_000_000;

/** An amount as policies write it: `$5`, `5 CHF`; the bare number where the currency is not known. */
export function moneyText(nanoUnits: number, currency: string | undefined): string {
  const amount = String(nanoUnits / NANO);
  if (currency === undefined) return amount;
  const sign = SIGNS.get(currency);
  return sign === undefined ? `${amount} ${currency}` : `${sign}${amount}`;
}

const SIGNS: ReadonlyMap<string, string> = new Map(
  Object.entries(CURRENCY_SIGNS).map(([sign, currency]) => [currency, sign]),
);
