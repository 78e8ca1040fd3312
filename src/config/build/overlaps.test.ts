import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Finding, Located } from '../finding.ts';
import { checkOverlap, type PlacedRoute } from './overlaps.ts';

const SOURCE = new SourceText('routes/a.yaml', '');
const FILE: Located = {
  source: SOURCE,
  locate: () => ({ source: SOURCE, start: 0, end: 0 }),
  placeOf: () => 'routes/a.yaml:1:1',
};

/** Every pair with every pair, straight from the words: share a host, a method, the shape, and as many conditions. */
function naive(routes: readonly PlacedRoute[]): ReadonlySet<string> {
  const share = (left: readonly string[], right: readonly string[]): boolean =>
    left.length === 0 ? right.length === 0 : left.some((entry) => right.includes(entry));
  const overlap = (left: PlacedRoute, right: PlacedRoute): boolean =>
    left.shape === right.shape &&
    share(left.match.hosts, right.match.hosts) &&
    share(left.match.methods, right.match.methods) &&
    left.match.headers.length === right.match.headers.length &&
    left.match.headers.every((one) =>
      right.match.headers.every((two) => one.name !== two.name || one.value === two.value),
    );
  return new Set(
    routes
      .filter((route, index) => routes.slice(0, index).some((other) => overlap(route, other)))
      .map(({ name }) => name),
  );
}

function overlapping(routes: readonly PlacedRoute[]): ReadonlySet<string> {
  const found: Finding[] = [];
  checkOverlap(routes, (finding) => found.push(finding));
  return new Set(found.map(({ message }) => /"(r\d+)"/.exec(message)![1]!));
}

test('the index finds the routes that comparing all pairs finds', () => {
  const headers = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2'), {
    noNullPrototype: true,
  });
  const route = fc.record({
    shape: fc.constantFrom('a', 'b'),
    hosts: fc.subarray(['h', '*.h', 'i']),
    methods: fc.subarray(['GET', 'PUT', 'POST']),
    headers: headers.map((map) => Object.entries(map).map(([name, value]) => ({ name, value }))),
  });
  fc.assert(
    fc.property(fc.array(route, { maxLength: 8 }), (records) => {
      const routes = records.map(
        ({ shape, ...match }, index): PlacedRoute => ({
          name: `r${index}`,
          match: { ...match, path: '/' },
          shape,
          here: { file: FILE, path: [] },
        }),
      );
      expect(overlapping(routes)).toEqual(naive(routes));
    }),
    { numRuns: 2_000 },
  );
});
