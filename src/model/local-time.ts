/**
 * What clocks on a wall show: the one place that turns instants into local dates and minutes. `Intl` knows the time zone
 * database but costs microseconds, so its answers are kept as stretches of time with one offset: a request pays two
 * comparisons and an addition.
 */

export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** `2027-03-31`, for a day counted from 1970-01-01. */
export function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** 504 is `08:24`. */
export function timeText(minutes: number): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** In the order of ISO 8601: a week begins on Monday. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** 0 for Monday; days are counted from 1970-01-01, which was a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

/** Whether `name` is a time zone of the IANA database, as this Node's ICU data know it. */
export function isTimeZone(name: string): boolean {
  let known = KNOWN.get(name);
  if (known === undefined) {
    known = ask(name);
    KNOWN.set(name, known);
  }
  return known;
}

/** Asking costs some 30 µs. Only names that were written for zones come here, and a project uses a handful. */
const KNOWN = new Map<string, boolean>();

function ask(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The clock of a zone, one per thread: all that ask about a zone share what is known of it. */
export function localClock(zone: string): LocalClock {
  const known = CLOCKS.get(zone) ?? new LocalClock(zone);
  CLOCKS.set(zone, known);
  return known;
}

/** One for each zone that a policy has ever named. */
const CLOCKS = new Map<string, LocalClock>();

/** Local dates and minutes of one zone. Throws RangeError for a zone that this Node doesn't know: it was refused before. */
export class LocalClock {
  readonly #format: Intl.DateTimeFormat;
  /** Between these instants the offset is the same. */
  #from = 0;
  #until = 0;
  #offsetMs = 0;
  /** By date: finding one asks `Intl` hundreds of times, and a policy's dates are asked for on every route it is about. */
  readonly #starts = new Map<number, number>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** How far the zone is ahead of UTC. */
  offsetMs(wallMs: number): number {
    if (wallMs < this.#from || wallMs >= this.#until) this.#locate(wallMs);
    return this.#offsetMs;
  }

  /** The local date, in days since 1970-01-01. */
  day(wallMs: number): number {
    return Math.floor((wallMs + this.offsetMs(wallMs)) / DAY_MS);
  }

  /** Minutes since local midnight, 0 to 1,439; an hour that is repeated has its minutes twice. */
  minute(wallMs: number): number {
    const local = wallMs + this.offsetMs(wallMs);
    return Math.floor((local - Math.floor(local / DAY_MS) * DAY_MS) / MINUTE_MS);
  }

  weekday(wallMs: number): Weekday {
    return WEEKDAYS[weekdayOf(this.day(wallMs))]!;
  }

  /** The first instant of a date. Clocks change on whole seconds, and no zone is more than 26 hours from UTC. */
  startOfDayMs(day: number): number {
    const known = this.#starts.get(day);
    if (known !== undefined) return known;
    const start = this.#findStart(day);
    if (this.#starts.size >= STARTS_KEPT) this.#starts.clear();
    this.#starts.set(day, start);
    return start;
  }

  #findStart(day: number): number {
    let before = day * 86_400 - 26 * 3_600;
    let from = day * 86_400 + 26 * 3_600;
    while (from - before > 1) {
      const middle = Math.floor((from + before) / 2);
      if (this.day(middle * 1_000) >= day) from = middle;
      else before = middle;
    }
    return from * 1_000;
  }

  /** Looks through one segment of time, day by day: offsets stay for longer than that. */
  #locate(wallMs: number): void {
    const end = (Math.floor(wallMs / SEGMENT_MS) + 1) * SEGMENT_MS;
    this.#from = end - SEGMENT_MS;
    this.#until = end;
    this.#offsetMs = this.#ask(this.#from);
    for (let at = this.#from + DAY_MS; at <= end; at += DAY_MS) {
      const offset = this.#ask(at);
      if (offset === this.#offsetMs) continue;
      const change = this.#change(at - DAY_MS, at, offset);
      if (wallMs < change) {
        this.#until = change;
        return;
      }
      this.#from = change;
      this.#offsetMs = offset;
    }
  }

  /** The first second with `offset`. */
  #change(before: number, from: number, offset: number): number {
    let [low, high] = [before / 1_000, from / 1_000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle * 1_000) === offset) high = middle;
      else low = middle;
    }
    return high * 1_000;
  }

  /** `wallMs` in whole seconds. */
  #ask(wallMs: number): number {
    const found = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(wallMs)) {
      if (type in found) found[type as keyof typeof found] = Number(value);
    }
    const { year, month, day, hour, minute, second } = found;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wallMs;
  }
}

/** Four weeks: some 30 questions to `Intl` each time a request comes from another one. */
const SEGMENT_MS = 28 * DAY_MS;
const STARTS_KEPT = 1_024;
