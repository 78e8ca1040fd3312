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

test('a changed window starts the limit empty, and says how long it stays in force as it was', () => {
  const [before, after] = [spec('pace', 60_000), spec('pace', 10_000)];
  const empty = 'plans/pace for each tenant: starts empty, because its window or its key has changed';
  expect(counterNotes([before], [after])).toEqual([`${empty}; as it was it is in force no more.`]);
  const staying = { ...before, replaced: true as const };
  expect(counterNotes([before], [after, staying])).toEqual([
    `${empty}; as it was it stays in force for 60 s.`,
  ]);
  // Said once: the next load only keeps it.
  expect(counterNotes([after, staying], [after, staying])).toEqual([]);
  // Edited back: it goes on as it was, and what it had become stays for its own time.
  expect(counterNotes([after, staying], [before, { ...after, replaced: true }])).toEqual([
    'plans/pace for each tenant: as it was it stays in force for 10 s.',
  ]);
  const renamed = { ...spec('speed', 10_000), formerIdentity: spec('pace', 10_000).identity };
  expect(counterNotes([before], [renamed, staying])).toEqual([
    `plans/speed for each tenant: starts empty, because its window or its key has changed; as it was it stays in force for 60 s.`,
  ]);
});

test('a changed `at once` stays in force until requests have ended', () => {
  const slots = (key: string): CounterSpec => ({
    ...spec('slots', 0),
    identity: JSON.stringify(['plans', 'slots', 'requests', 'concurrency', [key], null]),
    window: { kind: 'concurrency', amount: 2 },
  });
  expect(
    counterNotes([slots('tenant')], [slots('consumer'), { ...slots('tenant'), replaced: true }]),
  ).toEqual([
    'plans/slots for each consumer: starts empty, because its window or its key has changed; as it was it stays in force until the requests that it counted have ended.',
  ]);
});

test('a changed quota goes on from what was counted where that is known, and says why where it is not', () => {
  const quota = (period: 'day' | 'week', key = 'tenant'): CounterSpec => ({
    ...spec('month', 0),
    identity: JSON.stringify(['plans', 'month', 'requests', 'calendar', period, 'UTC', [key], null]),
    window: { kind: 'calendar', amount: 2, period, zone: 'UTC' },
  });
  const said = (before: CounterSpec, after: CounterSpec) => counterNotes([before], [after])[0];
  expect(said(quota('day'), quota('week'))).toBe(
    'plans/month for each tenant: goes on from what was counted per day in UTC in the period that runs, because its period has changed; what was used before that is not counted.',
  );
  expect(said(quota('week'), quota('day'))).toBe(
    "plans/month for each tenant: starts empty, because it can't be told what of that which was counted per week in UTC was used per day in UTC.",
  );
  expect(said(quota('day'), quota('day', 'consumer'))).toBe(
    'plans/month for each consumer: starts empty, because what was counted is not known by its new key.',
  );
  expect(said(spec('month', 60_000), quota('day'))).toBe(
    'plans/month for each tenant: starts empty, because it was no quota before; as it was it is in force no more.',
  );
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
