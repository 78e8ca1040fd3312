import { expect, it } from 'vitest';
import { type AlertMatch, AlertMatches } from './alert-matches.ts';

function matches(keptMax = 10) {
  const told: (readonly AlertMatch[])[] = [];
  return { told, sink: new AlertMatches(keptMax, (some) => told.push(some)) };
}

it('counts by rule and key, and describes the first request of each until it is told', () => {
  const { told, sink } = matches();
  let described = 0;
  const describe = () => `request ${++described}`;
  sink.matched('a', [], describe);
  sink.matched('a', [], describe);
  sink.matched('b', ['each', 'acme', 5], null);
  sink.matched('b', ['each', 'acme', '6'], null);
  sink.tell();
  sink.tell();
  sink.matched('a', [], describe);
  sink.tell();
  expect(told).toEqual([
    [
      { identity: 'a', key: [], requests: 2, text: 'request 1' },
      { identity: 'b', key: ['each', 'acme', '5'], requests: 1, text: null },
      { identity: 'b', key: ['each', 'acme', '6'], requests: 1, text: null },
    ],
    [{ identity: 'a', key: [], requests: 1, text: 'request 2' }],
  ]);
});

it('keeps no more keys apart than its bound, and loses no request', () => {
  const { told, sink } = matches(2);
  for (const rule of ['a', 'b'])
    for (let key = 0; key < 5; key++) sink.matched(rule, ['each', `k${key}`], null);
  sink.matched('without keys', [], null);
  sink.tell();
  expect(told[0]!.map(({ identity, key, requests }) => [identity, key.join(' '), requests])).toEqual([
    ['a', 'each k0', 1],
    ['a', 'each k1', 1],
    ['a', 'others', 3],
    ['b', 'others', 5],
    ['without keys', '', 1],
  ]);
});

it('cuts what is long', () => {
  const { told, sink } = matches();
  sink.matched('a', ['each', 'x'.repeat(10_000)], null);
  sink.tell();
  expect(told[0]![0]!.key[1]).toHaveLength(200);
});
