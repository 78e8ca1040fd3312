import { DAY_MS, type LocalClock, localClock, weekdayOf } from '../../model/local-time.ts';
import type { CalendarHours } from '../ir.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const WORD_BITS = 32;
/** Longer than a year: beyond it `opens` and `closes` say nothing. */
const HORIZON_DAYS = 400;

/**
 * A calendar as two bitsets over the minutes of a week: hours that began on the same day, and hours that began on the day
 * before (a holiday removes hours by the day they begin). A question costs a few additions and one or two looks.
 */
export class Calendar {
  readonly zone: string;
  readonly #clock: LocalClock;
  readonly #own = new Uint32Array(WEEK_MINUTES / WORD_BITS);
  readonly #over = new Uint32Array(WEEK_MINUTES / WORD_BITS);
  readonly #holidays: ReadonlySet<number>;
  /** What was found last: until then nothing else comes, and whoever is refused meanwhile is told the same. */
  readonly #found = { open: NOT_FOUND, closed: NOT_FOUND };

  constructor({ zone, ranges, holidays }: CalendarHours) {
    this.zone = zone;
    this.#clock = localClock(zone);
    this.#holidays = new Set(holidays);
    for (const { weekday, startMinute, endMinute } of ranges) {
      const midnight = weekday * DAY_MINUTES;
      fill(this.#own, midnight + startMinute, midnight + Math.min(endMinute, DAY_MINUTES));
      const next = ((weekday + 1) % 7) * DAY_MINUTES;
      fill(this.#over, next, next + Math.max(0, endMinute - DAY_MINUTES));
    }
  }

  isOpen(wallMs: number): boolean {
    const local = wallMs + this.#clock.offsetMs(wallMs);
    const day = Math.floor(local / DAY_MS);
    const minute = weekdayOf(day) * DAY_MINUTES + Math.floor((local - day * DAY_MS) / MINUTE_MS);
    return (
      (bit(this.#own, minute) && !this.#holidays.has(day)) ||
      (bit(this.#over, minute) && !this.#holidays.has(day - 1))
    );
  }

  /** The next instant after `wallMs` at which hours begin; null when there is none within a year. */
  opensMs(wallMs: number): number | null {
    const closed = this.isOpen(wallMs) ? this.closesMs(wallMs) : wallMs;
    return closed === null ? null : this.#next(closed, 'open', wallMs);
  }

  /** The next instant after `wallMs` at which hours end; null when there is none within a year. */
  closesMs(wallMs: number): number | null {
    const open = this.isOpen(wallMs) ? wallMs : this.#next(wallMs, 'open', wallMs);
    return open === null ? null : this.#next(open, 'closed', wallMs);
  }

  #next(fromMs: number, wanted: 'open' | 'closed', askedMs: number): number | null {
    const known = this.#found[wanted];
    if (fromMs >= known.fromMs && fromMs < known.atMs) return known.atMs;
    const atMs = this.#seek(fromMs, wanted, askedMs);
    if (atMs !== null) this.#found[wanted] = { fromMs, atMs };
    return atMs;
  }

  /** Looks at every minute, but skips days on which nothing changes. */
  #seek(fromMs: number, wanted: 'open' | 'closed', askedMs: number): number | null {
    const endMs = askedMs + HORIZON_DAYS * DAY_MS;
    let at = (Math.floor(fromMs / MINUTE_MS) + 1) * MINUTE_MS;
    while (at < endMs) {
      if (this.isOpen(at) === (wanted === 'open')) return at;
      const day = this.#clock.day(at);
      at = this.#isAllDay(day, wanted) ? this.#clock.startOfDayMs(day + 1) : at + MINUTE_MS;
    }
    return null;
  }

  /** Whether the day certainly has no minute that is wanted. */
  #isAllDay(day: number, wanted: 'open' | 'closed'): boolean {
    const midnight = weekdayOf(day) * DAY_MINUTES;
    const own = this.#holidays.has(day) ? 0 : count(this.#own, midnight);
    if (wanted === 'closed') return own === DAY_MINUTES;
    return own === 0 && (this.#holidays.has(day - 1) || count(this.#over, midnight) === 0);
  }
}

const NOT_FOUND = { fromMs: Number.POSITIVE_INFINITY, atMs: Number.NEGATIVE_INFINITY };

/** One for each set of hours that a text speaks about. */
export function calendarOf(hours: CalendarHours): Calendar {
  let calendar = CALENDARS.get(hours);
  if (calendar === undefined) {
    calendar = new Calendar(hours);
    CALENDARS.set(hours, calendar);
  }
  return calendar;
}
const CALENDARS = new WeakMap<CalendarHours, Calendar>();

/** `2026-12-07 08:00 (Europe/Berlin)`. */
export function localText(zone: string, wallMs: number): string {
  const clock = localClock(zone);
  const date = new Date(clock.day(wallMs) * DAY_MS).toISOString().slice(0, 10);
  const minute = clock.minute(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)} (${zone})`;
}

function fill(bits: Uint32Array, start: number, end: number): void {
  for (let at = start; at < end; at++) bits[at >>> 5]! |= 1 << (at & 31);
}

function bit(bits: Uint32Array, at: number): boolean {
  return ((bits[at >>> 5]! >>> (at & 31)) & 1) === 1;
}

/** Minutes of the day that begins at `midnight`. */
function count(bits: Uint32Array, midnight: number): number {
  let minutes = 0;
  for (let word = midnight / WORD_BITS; word < (midnight + DAY_MINUTES) / WORD_BITS; word++) {
    for (let rest = bits[word]!; rest !== 0; rest &= rest - 1) minutes++;
  }
  return minutes;
}
