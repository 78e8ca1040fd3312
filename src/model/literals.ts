import { err, ok, type Result } from '../base/result.ts';

/**
 * The one grammar of literals, shared by YAML and policies: `5s`, `24h`, `90 days`, `1MiB`, `$0.002`, `15%`, `500_000`,
 * `2027-03-31`, `08:00`. The patterns are exported as sources so that the policy lexer is built from the same text.
 */
export const NUMBER_PATTERN = '(?:\\d{1,3}(?:_\\d{3})+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?)';
export const DATE_PATTERN = '\\d{4}-\\d{2}-\\d{2}';
export const TIME_PATTERN = '\\d{2}:\\d{2}';
export const DURATION_UNITS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;
export const SIZE_UNITS = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
} as const;
/** Units written as words after a number and a blank: `90 days`. */
export const SPELLED_DURATION_UNITS: Readonly<Record<string, number>> = {
  second: 1_000,
  seconds: 1_000,
  minute: 60_000,
  minutes: 60_000,
  hour: 3_600_000,
  hours: 3_600_000,
  day: 86_400_000,
  days: 86_400_000,
  week: 604_800_000,
  weeks: 604_800_000,
};
export const CURRENCY_SIGNS: Readonly<Record<string, string>> = { $: 'USD', '€': 'EUR', '£': 'GBP' };

const NUMBER = new RegExp(`^${NUMBER_PATTERN}$`);
const GLUED = new RegExp(`^(${NUMBER_PATTERN})([A-Za-z]+)$`);
const SPELLED = new RegExp(`^(${NUMBER_PATTERN}) +([a-z]+)$`);
const PERCENT = new RegExp(`^(${NUMBER_PATTERN})%$`);
const MONEY = new RegExp(`^(?:([$€£])(${NUMBER_PATTERN})|(${NUMBER_PATTERN}) +([A-Z]{3}))$`);
/** Nano-units of more do not fit a double exactly. */
export const MONEY_UNITS_MAX = 9_000_000;
/** Far more digits than any amount in range has. */
const AMOUNT_LENGTH_MAX = 60;
const NANO = 1_000_000_000;

/** `why` is a whole sentence that says what to write instead. */
export type LiteralResult<Value = number> = Result<Value, { readonly why: string }>;

function refuse(why: string): LiteralResult<never> {
  return err({ why });
}

/** A number that YAML has read, as people write it: `8.5e-7` is 0.00000085. Larger ones than literals know keep their exponent. */
export function decimalText(value: number): string {
  const [, sign, whole, fraction = '', zeros] = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(String(value)) ?? [];
  if (zeros === undefined) return String(value);
  return `${sign}0.${'0'.repeat(Number(zeros) - 1)}${whole}${fraction}`;
}

export function parseNumber(text: string): LiteralResult {
  if (!NUMBER.test(text)) return refuse(`"${text}" is not a number. Write it like 500 or 500_000.`);
  const value = Number(text.replaceAll('_', ''));
  if (value > Number.MAX_SAFE_INTEGER) return refuse(`${text} is too large: numbers end at 2^53.`);
  return ok(value);
}

/** Milliseconds. */
export function parseDuration(text: string): LiteralResult {
  if (NUMBER.test(text))
    return refuse(`"${text}" needs a unit here: a duration is expected. Write ${text}s or ${text}m.`);
  return parseUnits(text, DURATION_UNITS, SPELLED_DURATION_UNITS, 'a duration', '30s, 5m, 24h or 90 days');
}

/** Bytes. */
export function parseSize(text: string): LiteralResult {
  if (NUMBER.test(text))
    return refuse(`"${text}" needs a unit here: a size is expected. Write ${text}KiB or ${text}MiB.`);
  return parseUnits(text, SIZE_UNITS, {}, 'a size', '512KiB or 1MiB');
}

function parseUnits(
  text: string,
  glued: Readonly<Record<string, number>>,
  spelled: Readonly<Record<string, number>>,
  what: string,
  examples: string,
): LiteralResult {
  const gluedMatch = GLUED.exec(text);
  const match = gluedMatch ?? SPELLED.exec(text);
  const units = gluedMatch ? glued : spelled;
  if (match === null || !Object.hasOwn(units, match[2]!))
    return refuse(`"${text}" is not ${what}. Write it like ${examples}.`);
  if (text.length > AMOUNT_LENGTH_MAX)
    return refuse(`An amount has at most ${AMOUNT_LENGTH_MAX} characters.`);
  return exactProduct(text, match[1]!, units[match[2]!]!);
}

/** In integers: as doubles, 16.1 KB would be 16100.000000000002 bytes and refused. */
function exactProduct(text: string, number: string, factor: number): LiteralResult {
  const [whole = '', fraction = ''] = number.replaceAll('_', '').split('.');
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * BigInt(factor);
  if (product % scale !== 0n) return refuse(`${text} is not a whole number of the smallest unit.`);
  const value = product / scale;
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return refuse(`${text} is too large: amounts end at 2^53.`);
  return ok(Number(value));
}

/** 15% is 15. */
export function parsePercent(text: string): LiteralResult {
  const match = PERCENT.exec(text);
  if (!match) return refuse(`"${text}" is not a share. Write it like 15%.`);
  return parseNumber(match[1]!);
}

/** Nano-units, exactly: `$0.002` and `0.002 USD` are 2_000_000 of USD. */
export function parseMoney(
  text: string,
): LiteralResult<{ readonly nano: number; readonly currency: string }> {
  const match = MONEY.exec(text);
  if (!match) return refuse(`"${text}" is not an amount of money. Write it like $250 or $0.002.`);
  const [, sign, afterSign, beforeCode, code] = match;
  const [whole, fraction = ''] = (afterSign ?? beforeCode!).replaceAll('_', '').split('.');
  if (fraction.length > 9) return refuse(`${text} has more than nine decimals.`);
  const nano = Number(whole) * NANO + Number(fraction.padEnd(9, '0'));
  if (nano > MONEY_UNITS_MAX * NANO)
    return refuse(`${text} is too much: amounts end at ${sign ?? ''}9_000_000${code ? ` ${code}` : ''}.`);
  return ok({ nano, currency: code ?? CURRENCY_SIGNS[sign!]! });
}

/** `$0.002 per request`. */
export function parsePrice(text: string): ReturnType<typeof parseMoney> {
  const [, amount] = /^(.*\S) +per +request$/.exec(text) ?? [];
  if (amount !== undefined) return parseMoney(amount);
  return refuse(`"${text}" is not a price. Write it like $0.002 per request.`);
}

/** What one unit of a currency is worth in another, `1.08`: in nano-units. */
export function parseRate(text: string): LiteralResult {
  const [, whole, fraction = ''] = /^(\d{1,7})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  const nano = whole === undefined ? 0 : Number(whole) * NANO + Number(fraction.padEnd(9, '0'));
  if (nano > 0 && nano <= MONEY_UNITS_MAX * NANO) return ok(nano);
  return refuse(`"${text}" is not an exchange rate. Write it like 1.08, with at most nine decimals.`);
}

/** Days since 1970-01-01. */
export function parseDate(text: string): LiteralResult {
  const ms = new RegExp(`^${DATE_PATTERN}$`).test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
  if (!real) return refuse(`"${text}" is not a date. Write it like 2027-03-31.`);
  return ok(ms / DURATION_UNITS.d);
}

/** Minutes since midnight; 24:00 is the end of a day. */
export function parseTime(text: string): LiteralResult {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  const hours = Number(match?.[1]);
  const minutes = Number(match?.[2]);
  if (!match || minutes > 59 || hours * 60 + minutes > 1_440) {
    return refuse(`"${text}" is not a time of day. Write it like 08:00.`);
  }
  return ok(hours * 60 + minutes);
}
