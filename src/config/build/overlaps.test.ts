import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Finding, Located } from '../finding.ts';
import { ApartRoutes, checkOverlap, overlapKeys, type PlacedRoute } from './overlaps.ts';

const SOURCE = new SourceText('routes/a.yaml', '');
const FILE: Located = {
  source: SOURCE,
  locate: () => ({ source: SOURCE, start: 0, end: 0 }),
  placeOf: () => 'routes/a.yaml:1:1',
};

type ShapedRoute = PlacedRoute & { readonly shape: string };

/** Every pair with every pair, straight from the words: share a host, a method, the shape, and as many conditions. */
function naive(routes: readonly ShapedRoute[]): ReadonlySet<string> {
  const share = (left: readonly string[], right: readonly string[]): boolean =>
    left.length === 0 ? right.length === 0 : left.some((entry) => right.includes(entry));
  const overlap = (left: ShapedRoute, right: ShapedRoute): boolean =>
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
  checkOverlap([routes], (finding) => found.push(finding));
  return new Set(found.map(({ message }) => /"(r\d+)"/.exec(message)![1]!));
}

const headers = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2'), {
  noNullPrototype: true,
});
const route = fc.record({
  shape: fc.constantFrom('a', 'b'),
  hosts: fc.subarray(['h', '*.h', 'i']),
  methods: fc.subarray(['GET', 'PUT', 'POST']),
  headers: headers.map((map) => Object.entries(map).map(([name, value]) => ({ name, value }))),
});
const routesOf = (maxLength: number) =>
  fc.array(route, { maxLength }).map((records) =>
    records.map(
      ({ shape, ...match }, index): ShapedRoute => ({
        name: `r${index}`,
        match: { ...match, path: '/' },
        keys: overlapKeys({ ...match, path: '/' }, shape),
        shape,
        here: { file: FILE, path: [] },
      }),
    ),
  );

test('the index finds the routes that comparing all pairs finds', () => {
  fc.assert(
    fc.property(routesOf(8), (routes) => {
      expect(overlapping(routes)).toEqual(naive(routes));
    }),
    { numRuns: 2_000 },
  );
});

test('routes are apart as comparing all pairs says, whichever files came and went before', () => {
  const files = fc.array(routesOf(2), { minLength: 4, maxLength: 4 });
  const versions = fc.array(fc.subarray([0, 1, 2, 3]), { maxLength: 6 });
  let apart = 0;
  fc.assert(
    fc.property(files, versions, (all, present) => {
      let memory = new ApartRoutes();
      for (const version of present) {
        const now = version.map((at) => all[at]!);
        const are = memory.are(now);
        expect(are).toBe(naive(now.flat()).size === 0);
        if (are) apart++;
        else memory = new ApartRoutes();
      }
    }),
    { numRuns: 500 },
  );
  expect(apart).toBeGreaterThan(100);
});
