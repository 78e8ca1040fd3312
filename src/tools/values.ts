import { DAY_MS } from '../model/local-time.ts';
import type { Value } from '../model/types.ts';

/** A value as policies write it: texts in quotes, lengths of time with a unit. Undefined is missing. */
export function valueInWords(fact: string, value: Value | undefined): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'object') return `[${value.map((item) => valueInWords('', item)).join(', ')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (fact.endsWith('.age') || fact.endsWith('.expires_in')) return ageInWords(Number(value));
  if (fact.startsWith('request.date')) return dateInWords(Number(value));
  if (fact.startsWith('request.time')) return timeInWords(Number(value));
  return String(value);
}

/** 20_790 is `2026-12-03`. */
export function dateInWords(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** 504 is `08:24`. */
export function timeInWords(minutes: number): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function ageInWords(ms: number): string {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  return ms >= 3_600_000 ? `${Math.floor(ms / 3_600_000)}h` : `${Math.floor(ms / 1_000)}s`;
}
