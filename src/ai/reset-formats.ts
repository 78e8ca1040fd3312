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
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}
const DECIMAL = /^\d{1,15}(\.\d{1,17})?$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** As Go's `time.Duration` prints it: `1h2m3.5s`, `6m0s`, `120ms`. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) return Number.NaN;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) ms += Number(amount) * UNIT_MS[unit!]!;
  return ms;
}
const DURATION = /^(\d{1,9}(\.\d{1,9})?(ms|us|µs|ns|h|m|s|d)){1,6}$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)/g;
const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

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
