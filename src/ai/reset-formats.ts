import type { ResetFormat } from '../model/pools.ts';

/** Milliseconds from now, never below 0; NaN for what is not written that way. */
export function parseReset(text: string, format: ResetFormat, wallMs: number): number {
  switch (format) {
    case 'duration':
      return parseDuration(text);
    case 'seconds':
      return parseDecimal(text) * 1_000;
    case 'milliseconds':
      return parseDecimal(text);
    case 'rfc3339':
      return RFC_3339.test(text) ? Math.max(0, Date.parse(text) - wallMs) : Number.NaN;
    case 'unix-seconds':
      return fromNow(parseDecimal(text) * 1_000, wallMs);
    case 'unix-milliseconds':
      return fromNow(parseDecimal(text), wallMs);
  }
}

function fromNow(atMs: number, wallMs: number): number {
  return Number.isNaN(atMs) ? Number.NaN : Math.max(0, atMs - wallMs);
}

/** A number of a limit: whole or decimal, never negative; NaN for anything else (Azure says -1 where it does not know). */
export function parseDecimal(text: string): number {
  const end = endOfNumber(text, 0, WHOLE_DIGITS_MAX, FRACTION_DIGITS_MAX);
  return end === text.length ? Number(text) : Number.NaN;
}
const WHOLE_DIGITS_MAX = 15;
const FRACTION_DIGITS_MAX = 17;

/** Behind the number that begins at `start`; -1 where none does. Read by hand: each answer of a provider says six of them. */
function endOfNumber(text: string, start: number, wholeMax: number, fractionMax: number): number {
  const whole = endOfDigits(text, start);
  if (whole === start || whole - start > wholeMax) return -1;
  if (text.charCodeAt(whole) !== POINT) return whole;
  const fraction = endOfDigits(text, whole + 1);
  return fraction === whole + 1 || fraction - whole - 1 > fractionMax ? -1 : fraction;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) >= DIGIT_0 && text.charCodeAt(at) <= DIGIT_9) at++;
  return at;
}
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** As Go's `time.Duration` prints it: `1h2m3.5s`, `6m0s`, `120ms`. */
export function parseDuration(text: string): number {
  let ms = 0;
  let at = 0;
  for (let part = 0; part < PARTS_MAX && at < text.length; part++) {
    const end = endOfNumber(text, at, PART_DIGITS_MAX, PART_DIGITS_MAX);
    const unit = end === -1 ? undefined : UNITS.find(({ name }) => text.startsWith(name, end));
    if (unit === undefined) return Number.NaN;
    ms += Number(text.slice(at, end)) * unit.ms;
    at = end + unit.name.length;
  }
  return at > 0 && at === text.length ? ms : Number.NaN;
}
const PARTS_MAX = 6;
const PART_DIGITS_MAX = 9;
/** Longer names before those that they begin with. */
const UNITS = [
  { name: 'ms', ms: 1 },
  { name: 'us', ms: 0.001 },
  { name: 'µs', ms: 0.001 },
  { name: 'ns', ms: 0.000_001 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1_000 },
  { name: 'd', ms: 86_400_000 },
] as const;

/**
 * The wait that the sentence of an error names, as OpenAI's and Groq's do: `Please try again in 1m2.5s`, `in 20ms`, `in 6 seconds`.
 * NaN where it names none.
 */
export function waitInSentence(sentence: string): number {
  const found = sentence.slice(0, SENTENCE_MAX).match(WAIT);
  if (found === null) return Number.NaN;
  if (found[1] !== undefined) return parseDuration(found[1]);
  return parseDecimal(found[2]!) * (found[3] === 'minute' ? 60_000 : 1_000);
}
const SENTENCE_MAX = 2_000;
const WAIT =
  /\b(?:try again|retry)(?: after| in)? (?:((?:\d{1,9}(?:\.\d{1,9})?(?:ms|h|m|s|d)){1,6})\b|(\d{1,9}(?:\.\d{1,9})?) (second|minute)s?\b)/i;
