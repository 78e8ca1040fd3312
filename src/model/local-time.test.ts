import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, isTimeZone, LocalClock, WEEKDAYS } from './local-time.ts';

const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Asia/Beirut'],
  ...['America/Havana', 'Atlantic/Azores', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia'],
];

/** What `Intl` says of one instant, asked anew. */
function asked(zone: string, wallMs: number) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
  return {
    day: Date.parse(`${parts.year}-${parts.month}-${parts.day}T00:00:00Z`) / DAY_MS,
    minute: Number(parts.hour) * 60 + Number(parts.minute),
    weekday: parts.weekday!.toLowerCase(),
  };
}

function told(clock: LocalClock, wallMs: number) {
  return { day: clock.day(wallMs), minute: clock.minute(wallMs), weekday: clock.weekday(wallMs) };
}

describe('local dates and minutes', () => {
  it('are those of Intl, whatever the order of questions', () => {
    const instants = fc.array(fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2045, 0) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instants, (zone, all) => {
        const clock = new LocalClock(zone);
        for (const at of all) expect(told(clock, at)).toEqual(asked(zone, at));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:00:00Z'],
    ['Asia/Beirut', '2021-03-27T22:00:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ])('in %s are those of Intl in every quarter of an hour around %s', (zone, change) => {
    const clock = new LocalClock(zone);
    const middle = Date.parse(change);
    for (let at = middle - DAY_MS; at <= middle + DAY_MS; at += 900_000) {
      expect(told(clock, at)).toEqual(asked(zone, at));
    }
    expect(told(clock, middle - 1)).toEqual(asked(zone, middle - 1));
  });

  it('begin a week on Monday', () => {
    expect(WEEKDAYS[0]).toBe('mon');
    expect(new LocalClock('UTC').weekday(Date.parse('2026-11-23T00:00:00Z'))).toBe('mon');
    expect(new LocalClock('UTC').weekday(-1)).toBe('wed');
  });
});

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'Etc/GMT+1'])('%s is known', (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });

  it.each(['Mars/Phobos', '', 'Europe/Berlim'])('"%s" is not', (zone) => {
    expect(isTimeZone(zone)).toBe(false);
  });
});
