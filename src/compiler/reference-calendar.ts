import type { CalendarPeriod } from '../language/typed.ts';
import type { CalendarHours } from './ir.ts';

/**
 * Local time and calendar periods, the slow and obvious way: `Intl` is asked each time, a period is a name (`2026-11`), and its borders are
 * found by asking for the name of ever more moments. Weeks begin on Monday (ISO 8601).
 */
export interface PeriodAt {
  readonly name: string;
  /** First millisecond of the next period. */
  readonly endWallMs: number;
}

export function periodAt(period: CalendarPeriod, zone: string, wallMs: number): PeriodAt {
  const key = `${period} ${zone} ${wallMs}`;
  let found = PERIODS.get(key);
  if (found === undefined) {
    found = findPeriod(period, zone, wallMs);
    if (PERIODS.size >= KNOWN_MAX) PERIODS.clear();
    PERIODS.set(key, found);
  }
  return found;
}

function findPeriod(period: CalendarPeriod, zone: string, wallMs: number): PeriodAt {
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

/** Whether a calendar is open, by its definition (language-rules #33): each range is looked at, today's and yesterday's. */
export function isOpenAt({ zone, ranges, holidays }: CalendarHours, wallMs: number): boolean {
  const { day, minute } = localMoment(zone, wallMs);
  const begins = (date: number, weekday: number): boolean =>
    (((date + 3) % 7) + 7) % 7 === weekday && !holidays.includes(date);
  return ranges.some(
    ({ weekday, startMinute, endMinute }) =>
      (begins(day, weekday) && minute >= startMinute && minute < endMinute) ||
      (begins(day - 1, weekday) && minute + 1_440 >= startMinute && minute + 1_440 < endMinute),
  );
}

/** What a clock of the zone shows. */
export interface LocalMoment {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** Since local midnight. */
  readonly minute: number;
  /** `mon` … `sun`. */
  readonly weekday: string;
}

export function localMoment(zone: string, wallMs: number): LocalMoment {
  const parts = localParts(zone, wallMs);
  const number = (name: string): number => Number(parts[name]);
  return {
    day: Date.UTC(number('year'), number('month') - 1, number('day')) / DAY_MS,
    minute: number('hour') * 60 + number('minute'),
    weekday: parts.weekday!.toLowerCase(),
  };
}

function localDate(
  zone: string,
  wallMs: number,
): { readonly year: number; readonly month: number; readonly day: number } {
  const { year, month, day } = localParts(zone, wallMs);
  return { year: Number(year), month: Number(month), day: Number(day) };
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Answers of `Intl` that were asked for last: the differential test asks for the same few moments over and over. */
const KNOWN = new Map<string, Readonly<Record<string, string>>>();
const PERIODS = new Map<string, PeriodAt>();
const KNOWN_MAX = 10_000;

function localParts(zone: string, wallMs: number): Readonly<Record<string, string>> {
  const key = `${zone} ${wallMs}`;
  let parts = KNOWN.get(key);
  if (parts === undefined) {
    parts = askedParts(zone, wallMs);
    if (KNOWN.size >= KNOWN_MAX) KNOWN.clear();
    KNOWN.set(key, parts);
  }
  return parts;
}

function askedParts(zone: string, wallMs: number): Readonly<Record<string, string>> {
  let format = FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    FORMATS.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
