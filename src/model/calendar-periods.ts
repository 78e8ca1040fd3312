/**
 * Days, weeks, months, quarters and years of a time zone. A period starts at the first instant of its first local date, so
 * days of 23 and 25 hours, and midnights that a clock change skips, come out right. Weeks start on Monday (ISO 8601).
 * Boundaries are computed once per period and kept: never per request.
 */
import { assert } from '../base/assert.ts';
import { DAY_MS, localClock, weekdayOf } from './local-time.ts';

export type CalendarPeriod = 'day' | 'week' | 'month' | 'quarter' | 'year';

export interface PeriodClock {
  /** Start of the period that contains the instant, in Unix ms. */
  startMs(wallMs: number): number;
  /** End of the period that contains the instant. */
  endMs(wallMs: number): number;
}

/**
 * The clock of a period and zone, one per thread: limits that share it share its boundaries. Throws RangeError for a zone that
 * this Node doesn't know: the policy checker has refused it before.
 */
export function periodClock(period: CalendarPeriod, zone: string): PeriodClock {
  const name = `${period} ${zone}`;
  const known = CLOCKS.get(name) ?? createPeriodClock(period, zone);
  CLOCKS.set(name, known);
  return known;
}

/** At most five for each zone that a policy has ever named. */
const CLOCKS = new Map<string, PeriodClock>();

export function createPeriodClock(period: CalendarPeriod, zone: string): PeriodClock {
  const dates = localClock(zone);
  let start = 0;
  let end = 0;
  const locate = (wallMs: number): void => {
    if (wallMs >= start && wallMs < end) return;
    let first = PERIOD_STARTS[period](dates.day(wallMs));
    // Where clocks go back over midnight, the date alone may name the neighbouring period.
    if (wallMs < dates.startOfDayMs(first)) first = PERIOD_STARTS[period](first - 1);
    let next = nextStart(period, first);
    if (wallMs >= dates.startOfDayMs(next)) {
      first = next;
      next = nextStart(period, first);
    }
    start = dates.startOfDayMs(first);
    end = dates.startOfDayMs(next);
    assert(wallMs >= start && wallMs < end, `no ${period} of ${zone} contains ${wallMs}`);
  };
  return {
    startMs(wallMs) {
      locate(wallMs);
      return start;
    },
    endMs(wallMs) {
      locate(wallMs);
      return end;
    },
  };
}

/** First day of the period that contains a day; days are counted from 1970-01-01. */
const PERIOD_STARTS: Readonly<Record<CalendarPeriod, (day: number) => number>> = {
  day: (day) => day,
  week: (day) => day - weekdayOf(day),
  month: (day) => firstOfMonth(day, (month) => month),
  quarter: (day) => firstOfMonth(day, (month) => month - (month % 3)),
  year: (day) => firstOfMonth(day, () => 0),
};

/** More than the longest period, less than two of the shortest after it. */
const PERIOD_DAYS: Readonly<Record<CalendarPeriod, number>> = {
  day: 1,
  week: 7,
  month: 31,
  quarter: 92,
  year: 366,
};

function nextStart(period: CalendarPeriod, first: number): number {
  return PERIOD_STARTS[period](first + PERIOD_DAYS[period]);
}

function firstOfMonth(day: number, toMonth: (month: number) => number): number {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), toMonth(date.getUTCMonth()), 1) / DAY_MS;
}
