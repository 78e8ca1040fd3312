/** What the fields of an answer say of the provider's limits, as the description of the provider tells how to read them. */
import type { LimitHeaders, RetryHeader } from '../model/pools.ts';
import type { MeterReport } from '../model/provider-limits.ts';
import { parseDecimal, parseReset } from './reset-formats.ts';

/** `fields`: lower-case name, value, name, value, … Limits of which nothing is said are left out. */
export function limitReports(
  fields: readonly string[],
  headers: readonly LimitHeaders[],
  wallMs: number,
): MeterReport[] {
  const reports: MeterReport[] = [];
  for (const { unit, windowMs, limit, remaining, reset, resetFormat } of headers) {
    const amount = numberIn(fields, limit);
    const left = numberIn(fields, remaining);
    if (Number.isNaN(amount) && Number.isNaN(left)) continue;
    const resetText = reset === null ? null : fieldValue(fields, reset);
    const resetMs = resetText === null ? Number.NaN : parseReset(resetText, resetFormat, wallMs);
    reports.push({ unit, windowMs, amount, remaining: left, resetMs });
  }
  return reports;
}

/** Milliseconds; NaN where no field says it. */
export function retryAfterMs(
  fields: readonly string[],
  headers: readonly RetryHeader[],
  wallMs: number,
): number {
  for (const { name, format } of headers) {
    const text = fieldValue(fields, name);
    if (text === null) continue;
    // Of Retry-After, RFC 9110, 10.2.3 allows both; a date is all that a number is not.
    const ms =
      format === 'http-date' || (format === 'seconds' && text.includes(' '))
        ? Math.max(0, Date.parse(text) - wallMs)
        : parseReset(text, format, wallMs);
    if (!Number.isNaN(ms)) return ms;
  }
  return Number.NaN;
}

function numberIn(fields: readonly string[], name: string | null): number {
  const text = name === null ? null : fieldValue(fields, name);
  return text === null ? Number.NaN : parseDecimal(text);
}

/** A field that comes twice says nothing. */
function fieldValue(fields: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== name) continue;
    if (value !== null) return null;
    value = fields[index + 1]!.trim();
  }
  return value;
}
