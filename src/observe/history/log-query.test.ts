import { describe, expect, it } from 'vitest';
import { comparisonOf, LOG_AMOUNTS, type LogAmount, type LogQuery } from '../../pipeline/log-query.ts';
import { type AccessRecord, emptyRecord } from '../../pipeline/record.ts';
import { matches } from './log-query.ts';

const EVERYTHING: LogQuery = {
  texts: [],
  statuses: [],
  sinceMs: null,
  untilMs: null,
  amounts: [],
  aborted: null,
};

function fits(record: Partial<AccessRecord>, ...comparisons: string[]): boolean {
  const amounts = comparisons.map((text) => {
    const comparison = comparisonOf(text, 'USD');
    if (!comparison.ok) throw new Error(comparison.error);
    return comparison.value;
  });
  return matches({ ...emptyRecord(), ...record }, { ...EVERYTHING, amounts });
}

describe('a comparison of the request log', () => {
  it.each<[LogAmount, Partial<AccessRecord>, string]>([
    ['took', { finishedUs: 200_000 }, '200ms'],
    ['decided', { decidedUs: 2_000 }, '2ms'],
    ['dispatched', { dispatchedUs: 3_000_000 }, '3s'],
    ['first-byte', { firstByteUs: 60_000_000 }, '1m'],
    ['upstream', { dispatchedUs: 1_000, finishedUs: 6_000 }, '5ms'],
    ['cost', { costNano: 10_000_000 }, '$0.01'],
    ['request-bytes', { requestBytes: 2_048 }, '2KiB'],
    ['response-bytes', { responseBytes: 1_000 }, '1KB'],
    ['input-tokens', { inputTokens: 1_500 }, '1_500'],
    ['output-tokens', { outputTokens: 7 }, '7'],
    ['attempts', { attempts: 2 }, '2'],
    ['status', { status: 503 }, '503'],
  ])('%s is compared in its unit', (field, record, amount) => {
    const outcomes = ['>', '>=', '<', '<=', '=', '!='].map((operator) =>
      fits(record, `${field} ${operator} ${amount}`),
    );
    expect(outcomes).toEqual([false, true, false, true, true, false]);
    const [name, value] = Object.entries(record).at(-1) as [keyof AccessRecord, number];
    expect(fits({ ...record, [name]: value + 1 }, `${field}>${amount}`)).toBe(true);
    expect(fits({ ...record, [name]: value - 1 }, `${field}<${amount}`)).toBe(true);
  });

  it('fits no request that does not know the amount', () => {
    for (const field of Object.keys(LOG_AMOUNTS)) {
      const amount = { duration: '1s', money: '$1', size: '1KB', count: '1' }[
        LOG_AMOUNTS[field as LogAmount].unit
      ];
      const known = LOG_AMOUNTS[field as LogAmount].of(emptyRecord()) >= 0;
      expect([field, fits({}, `${field} < ${amount}`)]).toEqual([field, known]);
      expect([field, fits({}, `${field} != ${amount}`)]).toEqual([field, known]);
    }
  });

  it('has to hold with all others', () => {
    const record = { finishedUs: 5_000, attempts: 2 };
    expect(fits(record, 'took > 1ms', 'attempts > 1')).toBe(true);
    expect(fits(record, 'took > 1ms', 'attempts > 2')).toBe(false);
  });

  it('may have blanks and line breaks around it and its amount, however many', () => {
    const blanks = ' '.repeat(1_000);
    expect(comparisonOf(`\n${blanks}took${blanks}>${blanks}1ms${blanks}\n`, 'USD')).toEqual({
      ok: true,
      value: { field: 'took', operator: '>', amount: 1_000 },
    });
    for (const text of [`took >${blanks}\n${blanks}1ms`, `took >${blanks}1ms${blanks}\nx`])
      expect(comparisonOf(text, 'USD')).toMatchObject({ ok: false });
  });

  it.each([
    ['took', '"took" is no comparison: write it like "took > 200ms".'],
    ['took ~ 1s', '"took ~ 1s" is no comparison: write it like "took > 200ms".'],
    ['toString > 1', `"toString > 1" is no comparison: write it like "took > 200ms".`],
    [
      'constructor > 1',
      `"constructor" is no amount of a request: write ${Object.keys(LOG_AMOUNTS).join(', ')}.`,
    ],
    ['cost > €1', '€1 is in EUR, and accounts are kept in USD.'],
    ['cost > 1', '"1" is not an amount of money. Write it like $250 or $0.002.'],
    ['took > 5', '"5" needs a unit here: a duration is expected. Write 5s or 5m.'],
  ])('is not "%s"', (text, why) => expect(comparisonOf(text, 'USD')).toEqual({ ok: false, error: why }));
});
