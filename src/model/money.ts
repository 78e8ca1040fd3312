import { err, ok, type Result } from '../base/result.ts';
import { CURRENCY_SIGNS, MONEY_UNITS_MAX } from './literals.ts';

const NANO = 1_000_000_000n;

/** What one unit of another currency is worth. */
export interface ExchangeRate {
  /** Nano-units of the accounting currency. */
  readonly nanoPerUnit: number;
  /** Day of the rate, YYYY-MM-DD. */
  readonly date: string;
}

/** The one currency that accounts are kept in, and the rates to it by ISO 4217 code. */
export interface Accounting {
  readonly currency: string;
  readonly rates: Readonly<Record<string, ExchangeRate>>;
}

/** An amount in the accounting currency, in nano-units, rounded up; computed exactly. */
export function inAccounting(
  nano: number,
  currency: string,
  { currency: accounting, rates }: Accounting,
): Result<number, 'no-rate' | 'too-much'> {
  if (currency === accounting) return ok(nano);
  if (!Object.hasOwn(rates, currency)) return err('no-rate');
  const product = BigInt(nano) * BigInt(rates[currency]!.nanoPerUnit);
  const converted = (product + NANO - 1n) / NANO;
  return converted > BigInt(MONEY_UNITS_MAX) * NANO ? err('too-much') : ok(Number(converted));
}

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
