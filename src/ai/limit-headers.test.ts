import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LimitHeaders, RESET_FORMATS } from '../model/pools.ts';
import { limitReports, retryAfterMs } from './limit-headers.ts';
import { parseReset, waitInSentence } from './reset-formats.ts';

const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const MINUTE_MS = 60_000;

describe('resets', () => {
  it.each([
    ['duration', '1s', 1_000],
    ['duration', '6m0s', 360_000],
    ['duration', '120ms', 120],
    ['duration', '1h2m3.5s', 3_723_500],
    ['duration', '7.66s', 7_660],
    ['seconds', '30', 30_000],
    ['seconds', '1.5', 1_500],
    ['seconds', '26.28409242630005', 26_284.092_426_3],
    ['milliseconds', '250', 250],
    ['rfc3339', '2026-11-30T12:00:07Z', 7_000],
    ['rfc3339', '2026-11-30T13:00:00.5+01:00', 500],
    ['unix-seconds', String(NOW_MS / 1_000 + 5), 5_000],
    ['unix-milliseconds', String(NOW_MS + 5), 5],
    ['unix-seconds', String(NOW_MS / 1_000 - 5), 0],
  ] as const)('%s "%s" is %d ms', (format, text, ms) => {
    expect(parseReset(text, format, NOW_MS)).toBeCloseTo(ms, 6);
  });

  it.each(['', '-1', '1e9', 'soon', '1 s', 's', '٣', 'Infinity'])('"%s" is nothing in any format', (text) => {
    for (const format of RESET_FORMATS) expect(parseReset(text, format, NOW_MS)).toBeNaN();
  });

  it('are never negative and never throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...RESET_FORMATS), (text, format) => {
        const ms = parseReset(text, format, NOW_MS);
        expect(Number.isNaN(ms) || ms >= 0).toBe(true);
      }),
    );
  });
});

it('numbers and durations are what their grammar says', () => {
  const written = fc.string({
    unit: fc.constantFrom(...'0123456789...', 'ms', 'us', 'µs', 'ns', 'h', 'm', 's', 'd', '-', ' '),
    maxLength: 14,
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(written, (text) => {
      const isDecimal = /^\d{1,15}(\.\d{1,17})?$/.test(text);
      expect(parseReset(text, 'milliseconds', 0)).toBe(isDecimal ? Number(text) : Number.NaN);
      const isDuration = /^(\d{1,9}(\.\d{1,9})?(ms|us|µs|ns|h|m|s|d)){1,6}$/.test(text);
      expect(Number.isNaN(parseReset(text, 'duration', 0))).toBe(!isDuration);
      seen.add(isDecimal ? 'decimal' : isDuration ? 'duration' : 'neither');
    }),
    { numRuns: 2_000 },
  );
  expect(seen.size).toBe(3);
});

describe('the sentence of an error', () => {
  it.each([
    ['Rate limit reached for gpt-4o. Please try again in 1.574s. Visit …', 1_574],
    ['Please try again in 6m0s.', 360_000],
    ['please try again in 20ms', 20],
    ['Please retry after 6 seconds.', 6_000],
    ['Try again in 2 minutes', 120_000],
  ])('"%s" names %d ms', (sentence, ms) => {
    expect(waitInSentence(sentence)).toBeCloseTo(ms, 6);
  });

  it.each(['', 'You exceeded your current quota', 'try again in a while', 'try again in 5'])(
    '"%s" names no wait',
    (sentence) => {
      expect(waitInSentence(sentence)).toBeNaN();
    },
  );
});

describe('limit headers', () => {
  const headers: readonly LimitHeaders[] = [
    {
      unit: 'requests',
      windowMs: MINUTE_MS,
      limit: 'x-ratelimit-limit-requests',
      remaining: 'x-ratelimit-remaining-requests',
      reset: 'x-ratelimit-reset-requests',
      resetFormat: 'duration',
    },
    {
      unit: 'tokens',
      windowMs: MINUTE_MS,
      limit: 'x-ratelimit-limit-tokens',
      remaining: 'x-ratelimit-remaining-tokens',
      reset: null,
      resetFormat: 'duration',
    },
  ];

  it('are read as the provider writes them', () => {
    const fields = [
      ...['x-ratelimit-limit-requests', '500', 'x-ratelimit-remaining-requests', '499'],
      ...['x-ratelimit-reset-requests', '120ms', 'x-ratelimit-remaining-tokens', '29000'],
    ];
    expect(limitReports(fields, headers, NOW_MS)).toEqual([
      { unit: 'requests', windowMs: MINUTE_MS, amount: 500, remaining: 499, resetMs: 120 },
      { unit: 'tokens', windowMs: MINUTE_MS, amount: Number.NaN, remaining: 29_000, resetMs: Number.NaN },
    ]);
  });

  it('say nothing where they are missing, unknown (-1) or doubled', () => {
    expect(limitReports([], headers, NOW_MS)).toEqual([]);
    const unknown = ['x-ratelimit-limit-tokens', '-1', 'x-ratelimit-remaining-tokens', '-1'];
    expect(limitReports(unknown, headers, NOW_MS)).toEqual([]);
    const doubled = ['x-ratelimit-remaining-tokens', '5', 'x-ratelimit-remaining-tokens', '9'];
    expect(limitReports(doubled, headers, NOW_MS)).toEqual([]);
  });
});

describe('when to try again', () => {
  const headers = [
    { name: 'retry-after-ms', format: 'milliseconds' },
    { name: 'retry-after', format: 'seconds' },
  ] as const;

  it.each([
    [['retry-after', '5'], 5_000],
    [['retry-after', '5', 'retry-after-ms', '4321'], 4_321],
    [['retry-after-ms', 'x', 'retry-after', '2'], 2_000],
    [['retry-after', 'Mon, 30 Nov 2026 12:00:09 GMT'], 9_000],
  ])('%j', (fields, ms) => {
    expect(retryAfterMs(fields, headers, NOW_MS)).toBe(ms);
  });

  it('is not said by anything else', () => {
    expect(retryAfterMs(['retry-after', 'later on'], headers, NOW_MS)).toBeNaN();
    expect(retryAfterMs([], headers, NOW_MS)).toBeNaN();
  });
});
