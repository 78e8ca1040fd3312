import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CURRENCY_SIGNS,
  DURATION_UNITS,
  decimalText,
  type LiteralResult,
  parseDate,
  parseDuration,
  parseMoney,
  parseNumber,
  parsePercent,
  parseSize,
  parseTime,
  SIZE_UNITS,
  SPELLED_DURATION_UNITS,
} from './literals.ts';

function value<Value>(result: LiteralResult<Value>): Value | undefined {
  return result.ok ? result.value : undefined;
}

function why(result: LiteralResult<unknown>): string {
  return result.ok ? '' : result.error.why;
}

/** 1234567 as 1_234_567. */
function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(\d{3})+$)/g, '_');
}

/** A number as people write it, with its exact value as an integer of the ninth decimal. */
const written = fc
  .record({
    whole: fc.nat({ max: 9_000_000 }),
    fraction: fc.stringMatching(/^\d{0,9}$/),
    style: fc.constantFrom('plain', 'grouped'),
  })
  .map(({ whole, fraction, style }) => ({
    text: `${style === 'grouped' ? grouped(String(whole)) : whole}${fraction === '' ? '' : `.${fraction}`}`,
    nano: BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')),
    whole,
    fraction,
  }));

/** No more than 2^53, counted in integers: what every parser of amounts should do. */
function exact(nano: bigint, factor: number): number | undefined {
  const scaled = nano * BigInt(factor);
  if (scaled % 1_000_000_000n !== 0n) return undefined;
  const amount = scaled / 1_000_000_000n;
  return amount <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(amount) : undefined;
}

describe('numbers', () => {
  test.each([
    ['0', 0],
    ['500', 500],
    ['500_000', 500_000],
    ['1_000.5', 1_000.5],
    ['007', 7],
    ['9007199254740991', 9_007_199_254_740_991],
  ])('%s is %d', (text, expected) => expect(value(parseNumber(text))).toBe(expected));

  test.each([
    '',
    ' 1',
    '1 ',
    '-1',
    '+1',
    '1e3',
    '.5',
    '5.',
    '50_00',
    '_500',
    '5__000',
    '0x10',
    '1,5',
    '٣',
    '1\n',
  ])('%j is none', (text) => expect(why(parseNumber(text))).toMatch(/is not a number\. Write it like/));

  test('nothing beyond 2^53 is rounded silently', () => {
    expect(why(parseNumber('9007199254740992'))).toContain('too large');
    expect(why(parseNumber('9007199254740991.5'))).toContain('too large');
    expect(why(parseNumber('9'.repeat(400)))).toContain('too large');
  });

  test('grouping changes nothing', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        expect(value(parseNumber(grouped(String(number))))).toBe(number);
        expect(value(parseNumber(String(number)))).toBe(number);
      }),
    );
  });
});

test('numbers below one are written in full, exactly', () => {
  expect([8.5e-7, -1e-9, 0.25, 3, 1e21].map(decimalText)).toEqual([
    '0.00000085',
    '-0.000000001',
    '0.25',
    '3',
    '1e+21',
  ]);
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 1, noNaN: true }), (number) => {
      expect(decimalText(number)).toMatch(/^[01](?:\.\d+)?$/);
      expect(Number(decimalText(number))).toBe(number);
    }),
  );
});

describe('durations and sizes', () => {
  test.each([
    ['5s', 5_000],
    ['24h', 86_400_000],
    ['90 days', 7_776_000_000],
    ['1 second', 1_000],
    ['1.5m', 90_000],
    ['0.1s', 100],
    ['4.35s', 4_350],
    ['1_000ms', 1_000],
    ['2w', 1_209_600_000],
  ])('%s is %d ms', (text, expected) => expect(value(parseDuration(text))).toBe(expected));

  test.each([
    ['0B', 0],
    ['1MiB', 1_048_576],
    ['512KiB', 524_288],
    ['1.5KB', 1_500],
    ['16.1KB', 16_100],
    ['1GiB', 1_073_741_824],
  ])('%s is %d bytes', (text, expected) => expect(value(parseSize(text))).toBe(expected));

  test.each([
    '5 s',
    '5S',
    '5days',
    '5 DAYS',
    '5 d',
    's',
    '',
    '-5s',
    '5s ',
    '5s5',
    '5constructor',
    '5 constructor',
    '5__proto__',
  ])('%j is no duration', (text) =>
    expect(why(parseDuration(text))).toMatch(/is not a duration\. Write it like/),
  );

  test.each(['5kB', '5mib', '5 MiB', '5M', 'MiB', '5toString', '5 toString'])('%j is no size', (text) =>
    expect(why(parseSize(text))).toMatch(/is not a size\. Write it like/),
  );

  test('a bare number is asked for its unit', () => {
    expect(why(parseDuration('5'))).toBe('"5" needs a unit here: a duration is expected. Write 5s or 5m.');
    expect(why(parseSize('5'))).toBe('"5" needs a unit here: a size is expected. Write 5KiB or 5MiB.');
  });

  test('endless digits are refused before they are multiplied', () => {
    expect(why(parseDuration(`${'9'.repeat(100_000)}s`))).toBe('An amount has at most 60 characters.');
    expect(why(parseSize(`0.${'0'.repeat(100)}MiB`))).toBe('An amount has at most 60 characters.');
  });

  test('parts of the smallest unit are refused', () => {
    expect(why(parseDuration('0.5ms'))).toContain('not a whole number');
    expect(why(parseSize('1.0001KB'))).toContain('not a whole number');
  });

  test.each([
    ['duration', parseDuration, DURATION_UNITS],
    ['size', parseSize, SIZE_UNITS],
  ] as const)('every %s is exact, in every unit', (_what, parse, units) => {
    fc.assert(
      fc.property(written, fc.constantFrom(...Object.entries(units)), ({ text, nano }, [unit, factor]) => {
        expect(value(parse(`${text}${unit}`))).toBe(exact(nano, factor));
      }),
      { numRuns: 2_000 },
    );
  });

  test('spelled units mean the same as the short ones', () => {
    fc.assert(
      fc.property(
        written,
        fc.constantFrom(...Object.entries(SPELLED_DURATION_UNITS)),
        ({ text, nano }, [unit, factor]) => {
          expect(value(parseDuration(`${text} ${unit}`))).toBe(exact(nano, factor));
        },
      ),
    );
  });
});

describe('shares and money', () => {
  test('15% is 15', () => {
    expect(value(parsePercent('15%'))).toBe(15);
    expect(value(parsePercent('0.5%'))).toBe(0.5);
    expect(why(parsePercent('15'))).toBe('"15" is not a share. Write it like 15%.');
    expect(why(parsePercent('15 %'))).toContain('is not a share');
    expect(why(parsePercent(`${'9'.repeat(400)}%`))).toContain('too large');
  });

  test('money is exact to the ninth decimal', () => {
    fc.assert(
      fc.property(
        written,
        fc.constantFrom(...Object.entries(CURRENCY_SIGNS)),
        ({ text, nano }, [sign, currency]) => {
          const parsed = value(parseMoney(`${sign}${text}`));
          const most = 9_000_000n * 1_000_000_000n;
          expect(parsed).toEqual(nano <= most ? { nano: Number(nano), currency } : undefined);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test.each(['250', '$', '$-1', '$ 5', '5$', '$1.', '¥5', '$1e3'])('%j is no amount', (text) =>
    expect(why(parseMoney(text))).toMatch(/is not an amount of money/),
  );

  test('amounts have bounds', () => {
    expect(why(parseMoney('$0.0000000001'))).toContain('more than nine decimals');
    expect(why(parseMoney('$9_000_001'))).toContain('too much');
    expect(why(parseMoney('$9_000_000.000_000'))).toContain('is not an amount');
    expect(value(parseMoney('$9_000_000'))?.nano).toBe(9_000_000_000_000_000);
  });
});

describe('dates and times', () => {
  test('dates are days since 1970, as a calendar that counts day by day says', () => {
    const day = new Date('1999-12-25T00:00:00Z');
    for (let days = day.getTime() / 86_400_000; days < 16_000; days++) {
      const text = day.toISOString().slice(0, 10);
      expect(value(parseDate(text))).toBe(days);
      day.setUTCDate(day.getUTCDate() + 1);
    }
  });

  test.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-01-00',
    '2026-1-1',
    '26-01-01',
    '2026-01-01T00:00',
    '',
    '2026-06-31',
  ])('%j is no date', (text) =>
    expect(why(parseDate(text))).toBe(`"${text}" is not a date. Write it like 2027-03-31.`),
  );

  test('every minute of a day has one text', () => {
    for (let minute = 0; minute <= 1_440; minute++) {
      const text = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
      expect(value(parseTime(text))).toBe(minute);
    }
  });

  test.each(['24:01', '25:00', '12:60', '8:00', '08:0', '08:00:00', '', '-1:00'])('%j is no time', (text) =>
    expect(why(parseTime(text))).toContain('is not a time of day'),
  );
});

test('no text makes a parser do anything but answer', () => {
  const parsers = [parseNumber, parseDuration, parseSize, parsePercent, parseMoney, parseDate, parseTime];
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789_.,%$€ -:smhdwKMGiB') }),
    fc.constantFrom('constructor', '__proto__', '5hasOwnProperty'),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...parsers), (text, parse) => {
      const result = parse(text);
      if (!result.ok) expect(result.error.why).toMatch(/\.$/);
      else
        expect(Number.isNaN(typeof result.value === 'number' ? result.value : result.value.nano)).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});
