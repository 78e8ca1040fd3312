import { expect, test } from 'vitest';
import type { CounterSpec } from '../../pipeline/counters.ts';
import { counterNotes, keyNotes } from './counter-notes.ts';

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
  expect(counterNotes([spec('pace', 60_000)], [spec('pace', 60_000, 500)])).toEqual([]);
});

test('a changed window starts the limit empty', () => {
  expect(counterNotes([spec('pace', 60_000)], [spec('pace', 10_000)])).toEqual([
    'plans/pace for each tenant: starts empty, because its window or its key has changed.',
  ]);
});

test('limits that wait for memory say how many keys they keep apart, now and then', () => {
  const usage = (rule: string, keysMax: number, keysWanted: number) => ({
    identity: spec(rule, 60_000).identity,
    keysMax,
    keysWanted,
  });
  expect(keyNotes([usage('same', 10, 10), usage('pace', 10, 20)])).toEqual([
    'plans/pace for each tenant: keeps 10 keys apart until the next start, and 20 from then on.',
  ]);
  const many = Array.from({ length: 8 }, (_, at) => usage(`r${at}`, 10, 20));
  expect(keyNotes(many)).toHaveLength(6);
  expect(keyNotes(many).at(-1)).toBe('3 further limits keep more keys apart from the next start on.');
});
