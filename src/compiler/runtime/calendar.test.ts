import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../model/local-time.ts';
import type { CalendarHours } from '../ir.ts';
import { isOpenAt } from '../reference-calendar.ts';
import { Calendar, localText } from './calendar.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/Havana',
];

/** Days on which a clock of these zones changes, and the days around them. */
const CHANGES = ['2027-03-28', '2026-10-25', '2026-11-01', '2027-03-14', '2027-04-04', '2026-10-04'].map(
  (date) => Date.parse(date),
);

const range = fc
  .record({ weekday: fc.nat(6), startMinute: fc.nat(1_439), length: fc.integer({ min: 1, max: 1_440 }) })
  .map(({ weekday, startMinute, length }) => ({ weekday, startMinute, endMinute: startMinute + length }));
const around = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }))
  .map(([day, distance]) => day + distance);
const hours: fc.Arbitrary<CalendarHours> = fc.record({
  zone: fc.constantFrom(...ZONES),
  ranges: fc.array(range, { minLength: 1, maxLength: 5 }),
  holidays: fc.array(
    around.map((at) => Math.floor(at / DAY_MS)),
    { maxLength: 4 },
  ),
});

describe('a calendar', () => {
  it('is open when its definition says so, also where clocks change', () => {
    fc.assert(
      fc.property(hours, fc.array(around, { minLength: 1, maxLength: 20 }), (one, instants) => {
        const calendar = new Calendar(one);
        for (const at of instants) expect(calendar.isOpen(at)).toBe(isOpenAt(one, at));
      }),
      { numRuns: 500 },
    );
  });

  it('changes at the moments it foretells, and not before', () => {
    fc.assert(
      fc.property(hours, around, (one, at) => {
        const calendar = new Calendar(one);
        const opens = calendar.opensMs(at);
        const closes = calendar.closesMs(at);
        if (opens !== null) {
          expect(isOpenAt(one, opens)).toBe(true);
          expect(isOpenAt(one, opens - 1)).toBe(false);
          expect(opens).toBeGreaterThan(at);
        }
        if (closes !== null) {
          expect(isOpenAt(one, closes)).toBe(false);
          expect(isOpenAt(one, closes - 1)).toBe(true);
          expect(closes).toBeGreaterThan(at);
        }
        const next = isOpenAt(one, at) ? closes : opens;
        for (
          let minute = at;
          next !== null && minute < Math.min(next, at + 2 * DAY_MS);
          minute += 7 * 60_000
        ) {
          expect(isOpenAt(one, minute)).toBe(isOpenAt(one, at));
        }
      }),
      { numRuns: 150 },
    );
  });

  const sunday = [{ weekday: 6, startMinute: 60, endMinute: 240 }];
  it.each([
    // 02:00 to 03:00 does not exist: the hours are two hours long
    ['2027-03-28T00:00:00Z', '2027-03-28T02:00:00Z'],
    // 02:00 to 03:00 comes twice: they are four hours long
    ['2026-10-24T23:00:00Z', '2026-10-25T03:00:00Z'],
  ])('is open on Sunday from %s until %s', (start, end) => {
    const calendar = new Calendar({ zone: 'Europe/Berlin', ranges: sunday, holidays: [] });
    const startMs = Date.parse(start);
    expect(calendar.opensMs(startMs - 1)).toBe(startMs);
    expect(calendar.closesMs(startMs)).toBe(Date.parse(end));
  });

  it('leaves out the night that begins on a holiday, and keeps the one that ends on it', () => {
    const nights = [3, 4].map((weekday) => ({ weekday, startMinute: 1_320, endMinute: 1_800 }));
    const friday = Date.parse('2026-12-25');
    const calendar = new Calendar({ zone: 'UTC', ranges: nights, holidays: [friday / DAY_MS] });
    expect(calendar.isOpen(friday + 5 * 3_600_000)).toBe(true);
    expect(calendar.isOpen(friday + 23 * 3_600_000)).toBe(false);
    expect(calendar.isOpen(friday + 29 * 3_600_000)).toBe(false);
  });

  it('foretells nothing when it never changes', () => {
    const always = Array.from({ length: 7 }, (_, weekday) => ({ weekday, startMinute: 0, endMinute: 1_440 }));
    expect(new Calendar({ zone: 'UTC', ranges: always, holidays: [] }).closesMs(0)).toBeNull();
    expect(new Calendar({ zone: 'UTC', ranges: always, holidays: [] }).opensMs(0)).toBeNull();
  });

  it('says its moments in its own zone', () => {
    expect(localText('Europe/Berlin', Date.parse('2026-12-07T07:00:00Z'))).toBe(
      '2026-12-07 08:00 (Europe/Berlin)',
    );
  });
});
