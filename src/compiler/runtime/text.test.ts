import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerSafe, NOTHING_MORE, renderText, valueText } from './text.ts';

const DAY_MS = 86_400_000;

describe('a value in a message', () => {
  it.each([
    ['(none)', undefined, 'text'],
    ['free', 'free', 'reference'],
    ['121 days', 121.7 * DAY_MS, 'duration'],
    ['1 day', DAY_MS, 'duration'],
    ['5 minutes', 300_000, 'duration'],
    ['-2 hours', -7_200_000, 'duration'],
    ['999 ms', 999.9, 'duration'],
    ['4096 bytes', 4_096, 'size'],
    ['15%', 15, 'percent'],
    ['$5.25', 5_250_000_000, 'money USD'],
    ['5 CHF', 5_000_000_000, 'money CHF'],
    ['$1, $2', [1_000_000_000, 2_000_000_000], 'list money USD'],
    ['2026-12-24', 20_811, 'date'],
    ['08:05', 485, 'time'],
    ['true', true, 'boolean'],
    ['a, b', ['a', 'b'], 'list text'],
    ['', [], 'list text'],
  ])('reads %s', (text, value, format) => {
    expect(valueText(value, format)).toBe(text);
  });

  it('has at most ten items', () => {
    const items = Array.from({ length: 12 }, (_, at) => `t${at}`);
    expect(valueText(items, 'list text')).toBe('t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, and 2 more');
  });

  it('has at most 200 characters, none of them a control, half of a pair, or a change of direction', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (value) => {
        const shown = valueText(value, 'text');
        expect(shown.length).toBeLessThanOrEqual(200);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u);
      }),
    );
  });
});

describe('a text', () => {
  it('is filled in order, and with what a limit knows', () => {
    const parts = [
      { format: 'text' },
      ' used ',
      { limit: 'used' },
      ' of ',
      { limit: 'amount' },
      ' until ',
      { limit: 'resets' },
    ] as const;
    const resetsWallMs = Date.UTC(2026, 11, 24, 1, 2, 2, 1);
    const limit = { name: 'pace', amount: 60, used: 12, currency: null, resetsWallMs };
    expect(renderText(parts, ['acme'], { limit, wallMs: 0, mask: null })).toBe(
      'acme used 12 of 60 until 2026-12-24T01:02:03Z',
    );
    const spent = { ...limit, amount: 20_000_000_000, used: 1, currency: 'USD' };
    expect(renderText(parts, ['acme'], { limit: spent, wallMs: 0, mask: null })).toBe(
      'acme used $0.000000001 of $20 until 2026-12-24T01:02:03Z',
    );
    expect(renderText(parts, [], NOTHING_MORE)).toBe('(none) used (none) of (none) until (none)');
  });
});

describe('the value of a field', () => {
  it('holds nothing that could end it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (value) => {
        expect(headerSafe(value)).toMatch(/^[\x20-\x7e\xa0-\xff]*$/);
      }),
    );
    expect(headerSafe(' a\r\nb: c\t\u{1f600}é ')).toBe('ab: c?é');
  });
});
