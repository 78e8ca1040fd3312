import { describe, expect, test } from 'vitest';
import type { Identity, KeyMark } from '../pipeline/identity.ts';
import { addressText } from './address-text.ts';
import { Identifiers, linesWithin, requestIdIn, traceparentIn } from './identifiers.ts';
import { IdentityCache } from './identity-cache.ts';
import { fillTemplate, parseTemplate } from './path-template.ts';
import {
  fromRefusal,
  methodNotAllowed,
  overloaded,
  problem,
  problemBody,
  problemFields,
  unauthenticated,
} from './problem.ts';
import { repeatsField, repeatsQueryParameter } from './repeated.ts';
import { statusLine } from './status-text.ts';
import { isTraceparent } from './trace-context.ts';

test.each([
  [[127, 0, 0, 1], '127.0.0.1'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], '192.0.2.1'],
  [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '2001:db8::1'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '::1'],
  [[0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5], '1:0:2::3:4:5'],
  [[0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7], '1:0:2:3:4:5:6:7'],
  [[], ''],
])('the address %j is written %s', (bytes, text) => {
  expect(addressText(Uint8Array.from(bytes).buffer)).toBe(text);
});

test('templates are filled from the match', () => {
  const template = parseTemplate('/internal/{id}-x/{rest...}/{other}', ['rest', 'id']);
  expect(fillTemplate(template, ['a/b', '7'])).toBe('/internal/7-x/a/b/{other}');
});

describe('repeated', () => {
  test('only what rules read must stand once', () => {
    expect(repeatsField(['a', '1', 'b', '1', 'b', '2'], ['a'])).toBe(false);
    expect(repeatsField(['a', '1', 'b', '1', 'b', '2'], ['a', 'b'])).toBe(true);
  });

  test('query names are compared decoded', () => {
    expect(repeatsQueryParameter('a=1&%61=2', ['a'])).toBe(true);
    expect(repeatsQueryParameter('a=1&b=2&b=3', ['a'])).toBe(false);
    expect(repeatsQueryParameter('x+y=1&x%20y', ['x y'])).toBe(true);
    expect(repeatsQueryParameter('', ['a'])).toBe(false);
  });
});

describe('identifiers', () => {
  let seed = 1;
  const identifiers = new Identifiers({ fill: () => {}, uint32: () => (seed += 7) });

  test('request ids are 16 hex digits and do not repeat', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => requestIdIn(identifiers.next())));
    expect(ids.size).toBe(10_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });

  test('an id is never all zero', () => {
    const draws = [0, 0, 0, 0];
    const zero = new Identifiers({ fill: () => {}, uint32: () => draws.pop() ?? 0 });
    for (let count = 0; count < 1_000; count++) expect(requestIdIn(zero.next())).not.toMatch(/^0+$/);
  });

  test('the last id is also at hand as two numbers', () => {
    const id = requestIdIn(identifiers.next());
    const hex = (part: number) => (part >>> 0).toString(16).padStart(8, '0');
    expect(hex(identifiers.high) + hex(identifiers.low)).toBe(id);
  });

  test('a begun trace is valid, its span is the request', () => {
    const lines = identifiers.next();
    const trace = traceparentIn(lines);
    expect(isTraceparent(trace)).toBe(true);
    expect(trace).toContain(`-${requestIdIn(lines)}-00`);
    expect(lines).toBe(`x-request-id: ${requestIdIn(lines)}\r\ntraceparent: ${trace}\r\n`);
  });

  test('a trace that was begun elsewhere stays', () => {
    const lines = identifiers.next();
    expect(linesWithin(lines, 'other')).toBe(`x-request-id: ${requestIdIn(lines)}\r\ntraceparent: other\r\n`);
  });
});

describe('identity cache', () => {
  const found = { credential: { expiresMs: 100 } } as unknown as Identity;
  function cacheOf(entriesMax: number) {
    const asked: string[] = [];
    const revoked = new Set<string>();
    const cache = new IdentityCache(entriesMax);
    const source = {
      identify: (key: string) => {
        asked.push(key);
        if (!key.startsWith('good') || revoked.has(key)) return 'unknown' as const;
        return { identity: found, slot: Number(key.slice(4)), state: 1 };
      },
      identifyByName: () => 'unknown' as const,
      secretsOf: () => [],
      holds: ({ slot }: KeyMark) => !revoked.has(`good${slot}`),
      named: () => null,
    };
    cache.use(source);
    return { cache, asked, source, revoked };
  }

  test('asks once for a key that is known, each time for one that is not', () => {
    const { cache, asked } = cacheOf(2);
    for (const key of ['good1', 'good1', 'bad', 'bad']) cache.identify(key, 0);
    expect(asked).toEqual(['good1', 'bad', 'bad']);
  });

  test('expiry holds for remembered keys too', () => {
    const { cache } = cacheOf(2);
    expect(cache.identify('good1', 99)).toBe(found);
    expect(cache.identify('good1', 100)).toBe('expired');
  });

  test('what it remembers holds only as long as its place in the table does', () => {
    const { cache, asked, revoked } = cacheOf(2);
    expect(cache.identify('good1', 0)).toBe(found);
    expect(cache.identify('good2', 0)).toBe(found);
    revoked.add('good1');
    expect(cache.identify('good1', 0)).toBe('unknown');
    expect(cache.identify('good2', 0)).toBe(found);
    expect(asked).toEqual(['good1', 'good2', 'good1']);
  });

  test('forgets a key that counts no more, and keeps one in its place that has another slot', () => {
    const { cache, asked, source, revoked } = cacheOf(2);
    for (const key of ['good1', 'good2']) cache.identify(key, 0);
    revoked.add('good1');
    cache.identify('good1', 0);
    expect(cache.size).toBe(1);
    let moved = true;
    cache.use({ ...source, holds: (mark) => !moved && source.holds(mark) });
    asked.length = 0;
    for (let nth = 0; nth < 3; nth++) cache.identify('good2', 0);
    moved = false;
    for (const key of ['good3', 'good2', 'good3']) cache.identify(key, 0);
    expect(asked).toEqual(['good2', 'good2', 'good2', 'good3']);
  });

  test('the oldest goes first, and a new directory forgets all', () => {
    const { cache, asked, source } = cacheOf(2);
    for (const key of ['good1', 'good2', 'good3', 'good2', 'good1']) cache.identify(key, 0);
    expect(asked).toEqual(['good1', 'good2', 'good3', 'good1']);
    cache.use(source);
    cache.identify('good1', 0);
    expect(asked.at(-1)).toBe('good1');
    expect(asked).toHaveLength(5);
  });

  test('of no entries it remembers nothing; before the first directory it knows nobody', () => {
    const { cache, asked } = cacheOf(0);
    cache.identify('good1', 0);
    cache.identify('good1', 0);
    expect(asked).toHaveLength(2);
    expect(new IdentityCache(1).identify('good1', 0)).toBe('unknown');
  });
});

describe('problems', () => {
  test('the body is problem+json (RFC 9457)', () => {
    expect(JSON.parse(problemBody(problem('route_not_found'), 'id', null))).toEqual({
      type: 'urn:portunus:problem:route_not_found',
      title: 'Not Found',
      status: 404,
      detail: 'There is no route for this request.',
      code: 'route_not_found',
      instance: 'id',
    });
  });

  test('a limit says which, and when to come back', () => {
    const refusal = {
      status: 429,
      code: 'limit_exceeded',
      detail: 'Say "when"',
      ruleIndex: 0,
      retryAfterS: 7,
      rateLimit: '"m";r=0;t=7',
      rateLimitPolicy: '"m";q=5;w=60',
    };
    const limited = fromRefusal(refusal, 'limits/minute');
    expect(JSON.parse(problemBody(limited, 'id', null))).toMatchObject({
      detail: 'Say "when"',
      limit: 'limits/minute',
      retryAfterS: 7,
    });
    expect(problemFields(limited, null)).toBe(
      'content-type: application/problem+json\r\ncache-control: no-store\r\nretry-after: 7\r\n' +
        'ratelimit: "m";r=0;t=7\r\nratelimit-policy: "m";q=5;w=60\r\n',
    );
  });

  test('401 challenges, 405 names methods, 503 says when', () => {
    expect(problemFields(unauthenticated('x', ''), null)).toContain(
      'www-authenticate: Bearer realm="portunus"\r\n',
    );
    expect(problemFields(unauthenticated('x', 'invalid_token'), null)).toContain('error="invalid_token"\r\n');
    expect(problemFields(methodNotAllowed(['GET', 'PUT']), null)).toContain('allow: GET, PUT\r\n');
    expect(problemFields(overloaded(), null)).toContain('retry-after: 1\r\n');
  });
});

test('status lines have the registered phrase, or none', () => {
  expect(statusLine(404)).toBe('404 Not Found');
  expect(statusLine(299)).toBe('299 ');
});
