import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalendarPeriod, createPeriodClock } from './calendar-periods.ts';

const HOUR_MS = 3_600_000;

describe('periods of a zone', () => {
  it.each<[CalendarPeriod, string, string, string, string]>([
    ['day', 'UTC', '2026-11-23T18:00:00Z', '2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z'],
    ['day', 'UTC', '2026-11-24T00:00:00Z', '2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z'],
    ['day', 'Europe/Berlin', '2026-11-23T23:00:00Z', '2026-11-23T23:00:00Z', '2026-11-24T23:00:00Z'],
    // 23 and 25 hours: the clocks change at 01:00 UTC.
    ['day', 'Europe/Berlin', '2027-03-28T12:00:00Z', '2027-03-27T23:00:00Z', '2027-03-28T22:00:00Z'],
    ['day', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    // 2026-11-23 is a Monday.
    ['week', 'UTC', '2026-11-29T23:59:59.999Z', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['week', 'UTC', '2026-11-23T00:00:00Z', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['month', 'Europe/Berlin', '2026-10-31T23:30:00Z', '2026-10-31T23:00:00Z', '2026-11-30T23:00:00Z'],
    ['month', 'UTC', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['quarter', 'UTC', '2026-11-23T00:00:00Z', '2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['year', 'Asia/Kathmandu', '2026-12-31T18:14:59Z', '2025-12-31T18:15:00Z', '2026-12-31T18:15:00Z'],
    ['year', 'Asia/Kathmandu', '2026-12-31T18:15:00Z', '2026-12-31T18:15:00Z', '2027-12-31T18:15:00Z'],
    // Midnight of this day does not exist in Beirut: it starts at 01:00, which is 22:00 UTC.
    ['day', 'Asia/Beirut', '2021-03-28T12:00:00Z', '2021-03-27T22:00:00Z', '2021-03-28T21:00:00Z'],
    // Samoa left out 2011-12-30 altogether.
    ['day', 'Pacific/Apia', '2011-12-30T09:00:00Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
    ['day', 'Pacific/Apia', '2011-12-30T11:00:00Z', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
  ])('a %s in %s at %s', (period, zone, at, start, end) => {
    const clock = createPeriodClock(period, zone);
    expect(new Date(clock.startMs(Date.parse(at))).toISOString()).toBe(new Date(start).toISOString());
    expect(new Date(clock.endMs(Date.parse(at))).toISOString()).toBe(new Date(end).toISOString());
  });

  it('follow each other without gap or overlap, whatever the order of questions', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/Sao_Paulo',
      'Asia/Kathmandu',
      'Atlantic/Azores',
      'America/Havana',
    ];
    const periods: CalendarPeriod[] = ['day', 'week', 'month', 'quarter', 'year'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...periods),
        fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2035, 0) }),
        (zone, period, at) => {
          const clock = createPeriodClock(period, zone);
          const end = clock.endMs(at);
          const start = clock.startMs(at);
          expect(start).toBeLessThanOrEqual(at);
          expect(end).toBeGreaterThan(at);
          expect(clock.startMs(end)).toBe(end);
          expect(clock.endMs(start - 1)).toBe(start);
          expect(createPeriodClock(period, zone).startMs(start)).toBe(start);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('follow each other where clocks went back over midnight', () => {
    // Newfoundland changed its clocks at 00:01 until 2011: the first minute of a day came before the last hour of the other.
    let periods = 0;
    let start = 0;
    for (let at = Date.UTC(2010, 10, 7, 1); at < Date.UTC(2010, 10, 7, 6); at += 30_000) {
      // A new clock each time, which remembers no boundary.
      const startMs = createPeriodClock('day', 'America/St_Johns').startMs(at);
      expect(startMs).toBeGreaterThanOrEqual(start);
      if (startMs !== start) periods++;
      start = startMs;
    }
    // The day before, and one new day: it does not begin twice.
    expect(periods).toBe(2);
  });

  it('give every hour of two years to exactly the local date that it has, where no clock turns back over midnight', () => {
    const clock = createPeriodClock('day', 'Europe/Berlin');
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' });
    let before = '';
    let start = 0;
    for (let at = Date.UTC(2026, 0); at < Date.UTC(2028, 0); at += HOUR_MS) {
      const date = local.format(at);
      const startMs = clock.startMs(at);
      expect(startMs === start).toBe(date === before);
      before = date;
      start = startMs;
    }
  });
});
