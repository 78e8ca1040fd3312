import { expect, it } from 'vitest';
import { type AlertMatch, AlertMatches } from './alert-matches.ts';

function matches(keptMax = 10) {
  const told: (readonly AlertMatch[])[] = [];
  const moments: number[] = [];
  let nowMs = 5_000;
  const all = new AlertMatches(keptMax, (some, atMs) => {
    told.push(some);
    moments.push(atMs);
  });
  return { told, moments, all, sink: all.sinkOf(1), tell: () => all.tell(nowMs++) };
}

it('counts by rule and key, and describes the first request of each until it is told', () => {
  const { told, sink, tell } = matches();
  let described = 0;
  const describe = () => `request ${++described}`;
  sink.matched('a', [], describe, null);
  sink.matched('a', [], describe, null);
  sink.matched('b', ['each', 'acme', 5], null, null);
  sink.matched('b', ['each', 'acme', '6'], null, null);
  tell();
  tell();
  sink.matched('a', [], describe, null);
  tell();
  expect(told).toEqual([
    [
      { identity: 'a', epoch: 1, key: [], shownKey: null, requests: 2, text: 'request 1' },
      { identity: 'b', epoch: 1, key: ['each', 'acme', '5'], shownKey: null, requests: 1, text: null },
      { identity: 'b', epoch: 1, key: ['each', 'acme', '6'], shownKey: null, requests: 1, text: null },
    ],
    [{ identity: 'a', epoch: 1, key: [], shownKey: null, requests: 1, text: 'request 2' }],
  ]);
});

it('says which version a request fitted, and when the thread said so', () => {
  const { told, moments, all, sink, tell } = matches();
  for (const each of [sink, all.sinkOf(2), sink]) {
    each.matched('a', [], null, null);
    each.matched('b', ['each', 'k'], null, null);
  }
  tell();
  tell();
  sink.matched('a', [], null, null);
  tell();
  expect(told[0]!.map(({ identity, epoch, requests }) => [identity, epoch, requests])).toEqual([
    ['a', 1, 2],
    ['b', 1, 2],
    ['a', 2, 1],
    ['b', 2, 1],
  ]);
  expect(moments).toEqual([5_000, 5_002]);
});

it('keeps no more keys apart than its bound, and loses no request', () => {
  const { told, sink, tell } = matches(2);
  for (const rule of ['a', 'b'])
    for (let key = 0; key < 5; key++) sink.matched(rule, ['each', `k${key}`], null, null);
  sink.matched('without keys', [], null, null);
  tell();
  expect(told[0]!.map(({ identity, key, requests }) => [identity, key.join(' '), requests])).toEqual([
    ['a', 'each k0', 1],
    ['a', 'each k1', 1],
    ['a', 'others', 3],
    ['b', 'others', 5],
    ['without keys', '', 1],
  ]);
});

it('asks once how a key may be shown', () => {
  const { told, sink, tell } = matches();
  const asked: (readonly unknown[])[] = [];
  const show = (key: readonly unknown[]) => {
    asked.push(key);
    return key[1] === 7 ? ['each', '[removed]'] : null;
  };
  for (const value of [7, 7, 8]) sink.matched('a', ['each', value], null, show);
  tell();
  expect(told[0]!.map(({ key, shownKey, requests }) => [key[1], shownKey, requests])).toEqual([
    ['7', ['each', '[removed]'], 2],
    ['8', null, 1],
  ]);
  expect(asked).toEqual([
    ['each', 7],
    ['each', 8],
  ]);
});

it('cuts what is long', () => {
  const { told, sink, tell } = matches();
  sink.matched('a', ['each', 'x'.repeat(10_000)], null, null);
  tell();
  expect(told[0]![0]!.key[1]).toHaveLength(200);
});
