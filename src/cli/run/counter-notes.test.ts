import { expect, test } from 'vitest';
import type { CounterSpec } from '../../pipeline/counters.ts';
import { counterNotes } from './counter-notes.ts';

function spec(rule: string | null, windowMs: number, maxKeys = 10): CounterSpec {
  return {
    identity: JSON.stringify(['plans', rule, 'requests', 'window', windowMs, ['tenant'], null]),
    window: { kind: 'window', amount: 5, windowMs },
    maxKeys,
    onFailure: 'refuse',
    thresholdsPercent: [],
  };
}

test('a counter that goes on as it was needs no word, nor does a new one or one that goes', () => {
  expect(
    counterNotes([spec('pace', 60_000), spec('old', 1_000)], [spec('pace', 60_000), spec('new', 1_000)]),
  ).toEqual([]);
  expect(counterNotes([spec('pace', 60_000)], [spec('pace', 60_000, 5)])).toEqual([]);
});

test('a changed window starts the limit empty', () => {
  expect(counterNotes([spec('pace', 60_000)], [spec('pace', 10_000)])).toEqual([
    'plans/pace for each tenant: starts empty, because its window or its key has changed.',
  ]);
});

test('more keys are kept apart when the memory is made anew', () => {
  expect(counterNotes([spec('pace', 60_000, 10)], [spec('pace', 60_000, 20)])).toEqual([
    'plans/pace for each tenant: more keys than 10 are kept apart from the next start on.',
  ]);
});
