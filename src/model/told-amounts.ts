import { parseMoney } from './literals.ts';

const DECIMAL = /^(?:([0-9]{1,16})(?:\.([0-9]{0,400}))?|\.([0-9]{1,400}))(?:[eE]([+-]?[0-9]{1,3}))?$/;
const NANO_DECIMALS = 9;
const NANO_MAX = 9_000_000_000_000_000n;

/**
 * An amount as a service tells it – `0.0123`, `1.5e-7`, `$0.02`, `0.02 USD` – in whole nano-units, rounded up once (language-rules
 * #35). Null for what is no amount of this currency from 0 to 9,000,000.
 */
export function toldNano(text: string, currency: string): number | null {
  const written = text.trim();
  const money = parseMoney(written);
  if (money.ok) return money.value.currency === currency ? money.value.nano : null;
  const [, whole = '', fraction = '', bare = '', exponent = '0'] = DECIMAL.exec(written) ?? [];
  const digits = `${whole}${fraction}${bare}`;
  if (digits === '') return null;
  const shift = Number(exponent) + NANO_DECIMALS - fraction.length - bare.length;
  const nano = shifted(BigInt(digits), shift);
  return nano > NANO_MAX ? null : Number(nano);
}

/** The same where the service counts in another currency: one unit of it is worth `rateNano` nano-units of the accounting currency. */
export function toldNanoAt(text: string, currency: string, rateNano: number): number | null {
  const nano = toldNano(text, currency);
  if (nano === null || rateNano === NANO_PER_UNIT) return nano;
  const own = shifted(BigInt(nano) * BigInt(rateNano), -NANO_DECIMALS);
  return own > NANO_MAX ? null : Number(own);
}
export const NANO_PER_UNIT = 1_000_000_000;

/** Times ten to the power of `shift`, rounded up. */
function shifted(digits: bigint, shift: number): bigint {
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits + divisor - 1n) / divisor;
}
