import { expect, test } from 'vitest';
import { emptyRecord } from '../pipeline/record.ts';
import { CALLER_NAMES, KnownNames, NAMES_KNOWN_MAX, ROUTE_NAMES, type RouteNames } from './record-names.ts';

const asked = (fields: Partial<RouteNames>) => ({ ...emptyRecord(), route: 'orders', ...fields });

/** How often a look-up compares. */
function counting() {
  let compared = 0;
  const names = new KnownNames<RouteNames>({
    ...ROUTE_NAMES,
    same: (record, known) => {
      compared++;
      return ROUTE_NAMES.same(record, known);
    },
  });
  return {
    names,
    comparisons: (fields: Partial<RouteNames>) => {
      compared = 0;
      names.find(asked(fields));
      return compared;
    },
  };
}

test('no number of reloads and routes makes a look-up longer', () => {
  const { names, comparisons } = counting();
  for (let version = 0; version < 2_000; version++)
    for (const route of ['orders', 'refunds', 'search'])
      names.add(asked({ route, configurationHash: `${version}` }));
  for (const configurationHash of ['next', '7', '1999'])
    expect(comparisons({ configurationHash })).toBeLessThanOrEqual(3);
});

test('reloads leave no more known than the last two versions of each route', () => {
  const names = new KnownNames(ROUTE_NAMES);
  const routes = Array.from({ length: 50 }, (_, at) => `route-${at}`);
  const told = new Set<number>();
  for (let version = 0; version < 500; version++)
    for (const route of routes) told.add(names.add(asked({ route, configurationHash: `${version}` })));
  expect(told.size).toBeLessThanOrEqual(2 * routes.length);
});

test('what was told is found under its number until something else is told under it', () => {
  const names = new KnownNames(ROUTE_NAMES);
  const told = new Map<number, string>();
  for (let route = 0; route < 3 * NAMES_KNOWN_MAX; route++) {
    const name = `route-${route}`;
    expect(names.find(asked({ route: name }))).toBe(-1);
    told.set(names.add(asked({ route: name })), name);
    for (const back of [0, 1, 7]) {
      const earlier = `route-${Math.max(0, route - back)}`;
      const number = names.find(asked({ route: earlier }));
      expect(number === -1 || told.get(number) === earlier).toBe(true);
    }
  }
  expect(told.size).toBeLessThanOrEqual(NAMES_KNOWN_MAX);
});

test('as many as a gateway has in use are known at a time', () => {
  const names = new KnownNames(CALLER_NAMES);
  const records = Array.from({ length: 1_000 }, (_, at) => ({
    ...emptyRecord(),
    ...{ tenant: `tenant-${at % 50}`, consumer: `app-${at}`, credential: 'key-1' },
  }));
  for (const record of records) names.add(record);
  expect(records.filter((record) => names.find(record) === -1).length).toBeLessThan(100);
});

test('two groups that share their slots are both known', () => {
  const names = new KnownNames({ ...ROUTE_NAMES, hash: () => 7 });
  for (const route of ['a', 'b']) names.add(asked({ route }));
  const numbers = ['a', 'b', 'a'].map((route) => names.find(asked({ route })));
  expect(new Set(numbers).size).toBe(2);
  expect(numbers).not.toContain(-1);
  names.add(asked({ route: 'c' }));
  expect(names.find(asked({ route: 'b' }))).toBe(-1);
  expect(names.find(asked({ route: 'a' }))).toBe(numbers[0]);
});
