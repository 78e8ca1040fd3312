import { expect, test } from 'vitest';
import { emptyRecord } from '../pipeline/record.ts';
import { KnownNames, NAMES_KNOWN_AT_FIRST } from './known-names.ts';
import { CALLER_NAMES, DECISION_NAMES, ROUTE_NAMES, type RouteNames } from './record-names.ts';

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
    expect(comparisons({ configurationHash })).toBeLessThanOrEqual(5);
});

test('reloads leave no more known than the last version of each route', () => {
  const names = new KnownNames(ROUTE_NAMES);
  const routes = Array.from({ length: 50 }, (_, at) => `route-${at}`);
  const told = new Set<number>();
  for (let version = 0; version < 500; version++)
    for (const route of routes) told.add(names.add(asked({ route, configurationHash: `${version}` })));
  expect(told.size).toBe(routes.length);
});

test('what was told is found under its number until something else is told under it', () => {
  const names = new KnownNames(ROUTE_NAMES);
  const told = new Map<number, string>();
  const record = emptyRecord();
  const numberOf = (route: string): number => {
    record.route = route;
    return names.find(record);
  };
  const wrong: string[] = [];
  // Twice: those who come back make room, and numbers are given anew.
  for (let at = 0; at < 6 * NAMES_KNOWN_AT_FIRST; at++) {
    const route = at % (3 * NAMES_KNOWN_AT_FIRST);
    const known = numberOf(`route-${route}`);
    if (known !== -1) {
      if (told.get(known) !== record.route) wrong.push(`${route} at ${known}`);
      continue;
    }
    told.set(names.add(record), record.route);
    for (const back of [0, 1, 7]) {
      const earlier = `route-${Math.max(0, route - back)}`;
      const number = numberOf(earlier);
      if (number !== -1 && told.get(number) !== earlier) wrong.push(`${earlier} at ${number}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(told.size).toBeGreaterThan(NAMES_KNOWN_AT_FIRST);
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

test('four groups that share their slots are all known, a fifth drives out the first', () => {
  const names = new KnownNames({ ...ROUTE_NAMES, hash: () => 7 });
  const numbers = ['a', 'b', 'c', 'd'].map((route) => names.add(asked({ route })));
  expect(new Set(numbers).size).toBe(4);
  expect(['a', 'b', 'c', 'd'].map((route) => names.find(asked({ route })))).toEqual(numbers);
  expect(names.add(asked({ route: 'e' }))).toBe(numbers[0]);
  expect(['a', 'b', 'e'].map((route) => names.find(asked({ route })))).toEqual([-1, numbers[1], numbers[0]]);
});

test('callers that come in turn are known once there is room for them, and never more than there may be', () => {
  const names = new KnownNames(CALLER_NAMES);
  const record = { ...emptyRecord(), tenant: 'acme', consumer: 'web' };
  let greatest = 0;
  const inTurn = (count: number): number => {
    let told = 0;
    for (let at = 0; at < count; at++) {
      record.credential = `key-${at}`;
      if (names.find(record) !== -1) continue;
      told++;
      greatest = Math.max(greatest, names.add(record));
    }
    return told;
  };
  for (let cycle = 0; cycle < 8; cycle++) inTurn(20_000);
  expect(inTurn(20_000)).toBeLessThan(2_000);
  for (let cycle = 0; cycle < 3; cycle++) inTurn(2 * CALLER_NAMES.knownMax);
  expect(greatest).toBeGreaterThan(CALLER_NAMES.knownMax / 2);
  expect(greatest).toBeLessThan(CALLER_NAMES.knownMax);
});

test('kinds of which few are needed keep their room', () => {
  const names = new KnownNames(DECISION_NAMES);
  const record = emptyRecord();
  let greatest = 0;
  for (let at = 0; at < 10 * DECISION_NAMES.knownMax; at++) {
    record.code = `code-${at}`;
    greatest = Math.max(greatest, names.add(record));
  }
  expect(greatest).toBeLessThan(DECISION_NAMES.knownMax);
});

test('nothing is known after its reader was lost', () => {
  const names = new KnownNames(ROUTE_NAMES);
  names.add(asked({}));
  names.forget();
  expect(names.find(asked({}))).toBe(-1);
});

test('calls that differ in the key of their provider alone are all known', () => {
  const names = new KnownNames(DECISION_NAMES);
  const calls = Array.from({ length: 50 }, (_, key) => ({ ...emptyRecord(), providerKey: `key-${key}` }));
  for (const call of calls) names.add(call);
  expect(calls.filter((call) => names.find(call) === -1)).toEqual([]);
});

test('callers who call once, and never come back, make no room', () => {
  const names = new KnownNames(CALLER_NAMES);
  const record = { ...emptyRecord(), tenant: 'acme', consumer: 'web' };
  let greatest = 0;
  for (let at = 0; at < 20 * NAMES_KNOWN_AT_FIRST; at++) {
    record.person = `person-${at}`;
    greatest = Math.max(greatest, names.add(record));
  }
  expect(greatest).toBeLessThan(NAMES_KNOWN_AT_FIRST);
});

test('routes that differ in the middle of their names alone are all known', () => {
  const names = new KnownNames(ROUTE_NAMES);
  const routes = Array.from({ length: 200 }, (_, at) => `tenant-${String(at).padStart(3, '0')}-completions`);
  for (const route of routes) names.add(asked({ route }));
  expect(routes.filter((route) => names.find(asked({ route })) === -1).length).toBeLessThan(5);
});
