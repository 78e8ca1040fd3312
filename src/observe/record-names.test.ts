import { expect, test } from 'vitest';
import { emptyRecord } from '../pipeline/record.ts';
import { KnownNames, NAMES_KNOWN_MAX, NAMES_PER_ROUTE_MAX } from './record-names.ts';

/** How often a look-up compares: each comparison reads the route. */
function comparisons(names: KnownNames, fields: object): number {
  let reads = 0;
  const record = Object.defineProperty({ ...emptyRecord(), ...fields }, 'route', {
    get: () => {
      reads++;
      return 'orders';
    },
  });
  names.find(record);
  return reads;
}

const told = (names: KnownNames, fields: object): number =>
  names.add({ ...emptyRecord(), route: 'orders', consumer: 'web', ...fields });

test('no number of reloads makes a look-up longer', () => {
  const names = new KnownNames();
  for (let version = 0; version < 2_000; version++) told(names, { configurationHash: `${version}` });
  expect(comparisons(names, { consumer: 'web', configurationHash: 'next' })).toBeLessThanOrEqual(3);
  expect(comparisons(names, { consumer: 'web', configurationHash: '7' })).toBeLessThanOrEqual(3);
});

test('no number of persons behind one consumer does either, and the last ones are known', () => {
  const names = new KnownNames();
  const number = (person: number) => ({ consumer: 'web', person: `${person}` });
  const numbers = Array.from({ length: 1_000 }, (_, person) => told(names, number(person)));
  expect(comparisons(names, number(5_000))).toBeLessThanOrEqual(NAMES_PER_ROUTE_MAX + 2);
  for (let person = 1_000 - NAMES_PER_ROUTE_MAX; person < 1_000; person++)
    expect(names.find({ ...emptyRecord(), route: 'orders', ...number(person) })).toBe(numbers[person]);
  expect(names.find({ ...emptyRecord(), route: 'orders', ...number(1) })).toBe(-1);
});

test('no number is referred to that the reader may have given up', () => {
  const names = new KnownNames();
  const first = told(names, { configurationHash: 'first' });
  for (let version = 1; version < NAMES_KNOWN_MAX; version++)
    told(names, { configurationHash: `${version}` });
  const asked = { ...emptyRecord(), route: 'orders', consumer: 'web', configurationHash: 'first' };
  expect(names.find(asked)).toBe(first);
  told(names, { configurationHash: 'one more' });
  expect(names.find(asked)).toBe(-1);
});
