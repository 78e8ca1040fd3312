import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RouteMatch } from '../model/world.ts';
import { referenceMatch } from './route-matcher.reference.ts';
import { createMatcher, NO_ROUTE, packMatcher, type RouteMatcher } from './route-matcher.ts';

type Match = Partial<RouteMatch> & { readonly path: string };

function routesOf(matches: readonly Match[]) {
  return matches.map((match, index) => ({
    name: `route-${index}`,
    match: { methods: [], hosts: [], headers: [], ...match },
  }));
}

function matcherOf(...matches: Match[]): RouteMatcher {
  const packed = packMatcher(routesOf(matches));
  if ('fault' in packed) throw new Error(packed.fault);
  return createMatcher(packed);
}

function find(
  matcher: RouteMatcher,
  path: string,
  method = 'GET',
  host = 'a.test',
  fields: string[] = [],
): number {
  return matcher.match(method, host, path, fields);
}

function parametersOf(matcher: RouteMatcher): string[] {
  return matcher.result.parameters.slice(0, matcher.result.parameterCount);
}

describe('paths', () => {
  test('a literal path is found as it is', () => {
    const matcher = matcherOf({ path: '/v1/orders' }, { path: '/v1/orders/' });
    expect(find(matcher, '/v1/orders')).toBe(0);
    expect(find(matcher, '/v1/orders/')).toBe(1);
    expect(find(matcher, '/v1/order')).toBe(NO_ROUTE);
  });

  test('{name} takes one segment that is not empty', () => {
    const matcher = matcherOf({ path: '/v1/{kind}/{id}' });
    expect(find(matcher, '/v1/orders/a%2Fb')).toBe(0);
    expect(parametersOf(matcher)).toEqual(['orders', 'a%2Fb']);
    expect(find(matcher, '/v1/orders/')).toBe(NO_ROUTE);
    expect(find(matcher, '/v1/orders/1/2')).toBe(NO_ROUTE);
  });

  test('{name...} takes the rest behind its slash, also nothing', () => {
    const matcher = matcherOf({ path: '/files/{rest...}' });
    expect(find(matcher, '/files/a/b')).toBe(0);
    expect(parametersOf(matcher)).toEqual(['a/b']);
    expect(find(matcher, '/files/')).toBe(0);
    expect(parametersOf(matcher)).toEqual(['']);
    expect(find(matcher, '/files')).toBe(NO_ROUTE);
  });

  test('the longest static prefix wins, and gives way where it leads nowhere', () => {
    const matcher = matcherOf(
      { path: '/{any...}' },
      { path: '/v1/{id}' },
      { path: '/v1/x/y' },
      { path: '/v1/x' },
    );
    expect(find(matcher, '/v1/x')).toBe(3);
    expect(find(matcher, '/v1/z')).toBe(1);
    expect(find(matcher, '/v1/x/z')).toBe(0);
    expect(parametersOf(matcher)).toEqual(['v1/x/z']);
  });

  test('patterns may be written with characters that requests carry as escapes', () => {
    expect(find(matcherOf({ path: '/café' }), '/caf%C3%A9')).toBe(0);
  });

  test.each(['no-slash', '/a/{rest...}/b', '/a/../b'])('the pattern %s is refused', (path) => {
    expect(packMatcher(routesOf([{ path }]))).toHaveProperty('fault');
  });
});

describe('methods, hosts, fields', () => {
  test('a path of other methods says which', () => {
    const matcher = matcherOf({ path: '/a', methods: ['GET', 'PUT'] }, { path: '/{x}', methods: ['DELETE'] });
    expect(find(matcher, '/a', 'POST')).toBe(NO_ROUTE);
    expect([...matcher.result.allowed].sort()).toEqual(['DELETE', 'GET', 'PUT']);
    expect(find(matcher, '/a', 'DELETE')).toBe(1);
    expect(find(matcher, '/none/at/all', 'POST')).toBe(NO_ROUTE);
    expect(matcher.result.allowed).toEqual([]);
  });

  test('an exact host before the longest wildcard before any', () => {
    const matcher = matcherOf(
      { path: '/a' },
      { path: '/a', hosts: ['*.test'] },
      { path: '/a', hosts: ['*.b.test'] },
      { path: '/a', hosts: ['x.b.test'] },
    );
    expect(find(matcher, '/a', 'GET', 'x.b.test')).toBe(3);
    expect(find(matcher, '/a', 'GET', 'y.z.b.test')).toBe(2);
    expect(find(matcher, '/a', 'GET', 'c.test')).toBe(1);
    expect(find(matcher, '/a', 'GET', 'test')).toBe(0);
  });

  test('a route with field conditions before one without, and only when the field stands once', () => {
    const headers = [{ name: 'x-version', value: '2' }];
    const matcher = matcherOf({ path: '/a' }, { path: '/a', headers });
    expect(find(matcher, '/a', 'GET', 'h', ['x-version', '2'])).toBe(1);
    expect(find(matcher, '/a', 'GET', 'h', ['x-version', '1'])).toBe(0);
    expect(find(matcher, '/a', 'GET', 'h', ['x-version', '2', 'x-version', '2'])).toBe(0);
  });
});

const segment = fc.constantFrom('a', 'b', 'c', '{x}', '{y}');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/', '/{rest...}'))
  .map(([segments, end]) => `/${segments.join('/')}${end}`);
const match: fc.Arbitrary<Match> = fc.record({
  path: pattern,
  methods: fc.uniqueArray(fc.constantFrom('GET', 'POST'), { maxLength: 2 }),
  hosts: fc.uniqueArray(fc.constantFrom('a.test', '*.test', '*.a.test', 'b.a.test'), { maxLength: 2 }),
  headers: fc.uniqueArray(
    fc.constantFrom({ name: 'x', value: '1' }, { name: 'y', value: '2' }, { name: 'y', value: null }),
    {
      maxLength: 2,
      selector: (condition) => condition.name,
    },
  ),
});
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  host: fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'test', 'other'),
  path: fc
    .array(fc.constantFrom('a', 'b', 'c', 'd', ''), { minLength: 1, maxLength: 5 })
    .map((segments) => `/${segments.join('/')}`),
  fields: fc
    .array(fc.constantFrom('x', 'y'))
    .map((names) => names.flatMap((name) => [name, name === 'x' ? '1' : '2'])),
});

test('for every set of routes, the matcher finds what sorting all fitting routes finds', () => {
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 12 }),
      fc.array(request, { maxLength: 8 }),
      (matches, requests) => {
        const routes = routesOf(matches);
        const matcher = matcherOf(...matches);
        for (const { method, host, path, fields } of requests) {
          const expected = referenceMatch(routes, method, host, path, fields);
          const route = matcher.match(method, host, path, fields);
          if (expected.kind === 'none') {
            expect(route).toBe(NO_ROUTE);
            expect([...matcher.result.allowed].sort()).toEqual(expected.allowed);
          } else {
            expect([route, parametersOf(matcher)]).toEqual([expected.route, expected.parameters]);
          }
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('among very many routes each is found, and no other', () => {
  const paths = Array.from({ length: 20_000 }, (_, at) => `/v1/area${at % 100}/thing${at}`);
  const matcher = matcherOf(...paths.map((path, at) => ({ path: at % 2 === 0 ? path : `${path}/{id}` })));
  for (const [at, path] of paths.entries()) {
    expect(find(matcher, path)).toBe(at % 2 === 0 ? at : NO_ROUTE);
    expect(find(matcher, `${path}/x`)).toBe(at % 2 === 0 ? NO_ROUTE : at);
  }
});
