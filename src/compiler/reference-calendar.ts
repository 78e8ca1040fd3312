import type { CalendarPeriod } from '../language/typed.ts';

/**
 * Calendar periods of a time zone, the slow and obvious way: a period is a name (`2026-11`), and its borders are
 * found by asking for the name of ever more moments. Weeks begin on Monday (ISO 8601).
 */
export interface PeriodAt {
  readonly name: string;
  /** First millisecond of the next period. */
  readonly endWallMs: number;
}

export function periodAt(period: CalendarPeriod, zone: string, wallMs: number): PeriodAt {
  const name = periodName(period, zone, wallMs);
  let inside = wallMs;
  let outside = wallMs + LONGEST_MS;
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (periodName(period, zone, middle) === name) inside = middle;
    else outside = middle;
  }
  return { name, endWallMs: outside };
}

const DAY_MS = 86_400_000;
/** Longer than any year with any change of zone. */
const LONGEST_MS = 368 * DAY_MS;

function periodName(period: CalendarPeriod, zone: string, wallMs: number): string {
  const { year, month, day } = localDate(zone, wallMs);
  switch (period) {
    case 'day':
      return `${year}-${pad(month)}-${pad(day)}`;
    case 'week': {
      const days = Date.UTC(year, month - 1, day) / DAY_MS;
      const monday = days - ((((days + 3) % 7) + 7) % 7);
      return `week of ${new Date(monday * DAY_MS).toISOString().slice(0, 10)}`;
    }
    case 'month':
      return `${year}-${pad(month)}`;
    case 'quarter':
      return `${year}-Q${Math.ceil(month / 3)}`;
    case 'year':
      return `${year}`;
  }
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function localDate(
  zone: string,
  wallMs: number,
): { readonly year: number; readonly month: number; readonly day: number } {
  let format = FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
    FORMATS.set(zone, format);
  }
  const parts = Object.fromEntries(
    format.formatToParts(wallMs).map((part) => [part.type, Number(part.value)]),
  );
  return { year: parts.year!, month: parts.month!, day: parts.day! };
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
