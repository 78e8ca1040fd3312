/** RFC 9111 as a table: what of a request and an answer lets a shared cache use and keep it. */
import { describe, expect, test } from 'vitest';
import type { ModelService } from '../pipeline/model-request.ts';
import { freshnessOf, wishesOf } from './cacheable.ts';

const NOW_MS = Date.parse('2026-12-01T00:00:00Z');
const MODELS = {} as ModelService;

function wishes(
  headers: readonly string[],
  method = 'GET',
  models: ModelService | null = null,
  bodyBytes = 0,
) {
  return wishesOf({ method, bodyBytes, headers: [...headers], shapedCall: null }, models);
}

describe('what callers wish of the cache', () => {
  test.each([
    [[], { use: 'kept', ageMsMax: Number.POSITIVE_INFINITY, freshMsMin: 0 }],
    [['cache-control', 'max-age=5, min-fresh="2"'], { use: 'kept', ageMsMax: 5_000, freshMsMin: 2_000 }],
    [['cache-control', 'Max-Age=5', 'cache-control', 'max-age=3'], { ageMsMax: 3_000 }],
    [['cache-control', 'max-age=soon'], { ageMsMax: 0 }],
    [['cache-control', 'no-cache'], { use: 'fetched' }],
  ])('%j', (headers, expected) => {
    expect(wishes(headers as string[])).toMatchObject(expected);
  });

  test.each([
    ['cache-control', 'no-store'],
    ['cache-control', 'foo="a, b", No-Store'],
    ['range', 'bytes=0-5'],
    ['if-none-match', '"a"'],
    ['if-modified-since', 'Tue, 01 Dec 2026 00:00:00 GMT'],
  ])('%s: %s has nothing to do with it', (name, value) => {
    expect(wishes([name, value])).toBe(null);
  });

  test('only GET and HEAD without a body, and calls to models', () => {
    expect(wishes([], 'HEAD')).not.toBe(null);
    expect(wishes([], 'POST', MODELS, 10)).not.toBe(null);
    expect([wishes([], 'POST'), wishes([], 'DELETE'), wishes([], 'GET', null, 10)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

function freshness(
  fields: readonly string[],
  asked: Partial<Parameters<typeof freshnessOf>[1]> = {},
  status = 200,
) {
  const head = { status, fields, bodyBytes: 5, hasBody: true, untilClose: false, endpoint: 0, attempts: 1 };
  const rules = { forMs: 60_000, isCall: false, isAuthorized: false, fieldsSet: new Set<string>() };
  return freshnessOf(head, { ...rules, ...asked }, NOW_MS);
}

describe('how long answers are kept', () => {
  test.each([
    ['as rules say, where the service says nothing', [], 60_000],
    ['not longer than rules say', ['cache-control', 'max-age=3600'], 60_000],
    ['not longer than the service says', ['cache-control', 'max-age=10'], 10_000],
    ['by what is said to shared caches', ['cache-control', 'max-age=1, s-maxage=10'], 10_000],
    ['less what they are old already', ['cache-control', 'max-age=10', 'age', '4'], 6_000],
    ['until the date that the service says', ['expires', 'Tue, 01 Dec 2026 00:00:20 GMT'], 20_000],
    ['by max-age rather than by date', ['cache-control', 'max-age=10', 'expires', '0'], 10_000],
    ['not where the date is none', ['expires', '0'], 0],
    ['not where they are too old', ['cache-control', 'max-age=10', 'age', '10'], 0],
    ['not with no-store', ['cache-control', 'no-store'], 0],
    ['not with private', ['cache-control', 'max-age=60, private'], 0],
    ['not with no-cache, which asks each time', ['cache-control', 'no-cache'], 0],
    ['not with a cookie', ['set-cookie', 'a=b'], 0],
    ['where they vary by what the key tells apart', ['vary', 'Accept, Accept-Encoding'], 60_000],
    ['not where they vary by what it does not', ['vary', 'accept, User-Agent'], 0],
    ['not where they vary by anything', ['vary', '*'], 0],
  ])('%s', (_, fields, lifeMs) => {
    expect(freshness(fields as string[]).lifeMs).toBe(lifeMs);
  });

  test.each([201, 203, 204, 206, 301, 304, 404, 500])('not with status %d', (status) => {
    expect(freshness([], {}, status).lifeMs).toBe(0);
  });

  test('with the credentials of the caller only where the service says that they are for all', () => {
    const asked = { isAuthorized: true };
    expect(freshness([], asked).lifeMs).toBe(0);
    expect(freshness(['cache-control', 'max-age=10'], asked).lifeMs).toBe(0);
    expect(freshness(['cache-control', 'public'], asked).lifeMs).toBe(60_000);
    expect(freshness(['cache-control', 's-maxage=10'], asked).lifeMs).toBe(10_000);
  });

  test('by a field that a rule sets, whatever its name', () => {
    expect(freshness(['vary', 'user-agent'], { fieldsSet: new Set(['user-agent']) }).lifeMs).toBe(60_000);
  });

  test('of models as rules say: no-cache on a stream is for proxies, but what is private stays so', () => {
    const asked = { isCall: true };
    expect(freshness(['cache-control', 'no-cache, max-age=0'], asked).lifeMs).toBe(60_000);
    expect(freshness(['cache-control', 'private'], asked).lifeMs).toBe(0);
    expect(freshness(['cache-control', 'no-store'], asked).lifeMs).toBe(0);
  });
});
