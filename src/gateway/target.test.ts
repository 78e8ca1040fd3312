import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceNormalPath } from './target.reference.ts';
import { checkQuery, decodeSegment, normalisePath, type Slashes } from './target.ts';

const NORMAL_FORMS: readonly [received: string, normal: string][] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/%61%2D%7e', '/a-~'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a/./b/../c', '/a/c'],
  ['/a/..', '/'],
  ['/a/.', '/a/'],
  ['/../../a', '/a'],
  ['/a/%2e%2E/b', '/b'],
  ['/a%2fb', '/a%2Fb'],
  ['/a/...%2fb/.x%2f..y', '/a/...%2Fb/.x%2F..y'],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['//a///b/', '/a/b/'],
  ['/a//../b', '/b'],
  ['/.well-known/x', '/.well-known/x'],
  ['/...', '/...'],
  ['/a;v=1/b', '/a;v=1/b'],
  ['/a{b}|c', '/a%7Bb%7D%7Cc'],
];

test.each(NORMAL_FORMS)('%s becomes %s', (received, normal) => {
  expect(normalisePath(received, 'merge')).toBe(normal);
});

test.each([
  '',
  'a',
  '*',
  'http://example.com/',
  '/a b',
  '/a\tb',
  '/a\\b',
  '/a#b',
  '/a?b',
  '/\u00e9',
  '/\ufffd',
  '/a\x7f',
  '/%',
  '/%4',
  '/%zz',
  '/%00',
  '/%0d%0a',
  '/%7f',
  '/%5c..',
  '/public/..;/admin',
  '/.;x',
  '/%2e%2e;/admin',
  '/public/..%3b/admin',
  '/public/..%2fadmin',
  '/public/%2e%2e%2Fadmin',
  '/public/x%2f../admin',
  '/public%2f..',
  '/public%2f./admin',
  '/public%2f..%3bx/admin',
])('%j has no normal form', (path) => {
  expect(normalisePath(path, 'merge')).toHaveProperty('fault');
});

test('without merging, runs of slashes stay', () => {
  expect(normalisePath('//a///b', 'keep')).toBe('//a///b');
  expect(normalisePath('/a//../b', 'keep')).toBe('/a/b');
});

const path = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5c', '%', 'a', 'B', ';', '//'),
      },
      { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.nat(255).map((byte) => `%${byte.toString(16).padStart(2, '0')}`) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);
const slashes = fc.constantFrom<Slashes>('merge', 'keep');

describe('for every path', () => {
  test('the normal form is the one RFC 3986 describes', () => {
    fc.assert(
      fc.property(path, slashes, (received, setting) => {
        const normal = normalisePath(received, setting);
        expect(typeof normal === 'string' ? normal : null).toBe(referenceNormalPath(received, setting));
      }),
      { numRuns: 20_000 },
    );
  });

  test('the normal form is its own normal form', () => {
    fc.assert(
      fc.property(path, slashes, (received, setting) => {
        const normal = normalisePath(received, setting);
        if (typeof normal === 'string') expect(normalisePath(normal, setting)).toBe(normal);
      }),
      { numRuns: 5_000 },
    );
  });
});

test.each(['a=1&b=%2f', '', '=&=', "a='()*"])('the query %j may pass', (query) => {
  expect(checkQuery(query)).toBeNull();
});

test.each(['a b', 'a#b', 'a=%', 'a=%4', 'a=%00', 'a=\u00e9', 'a=\n'])('the query %j is refused', (query) => {
  expect(checkQuery(query)).toHaveProperty('fault');
});

test('segments are decoded as UTF-8, or not at all', () => {
  expect(decodeSegment('caf%C3%A9%2F')).toBe('café/');
  expect(decodeSegment('plain')).toBe('plain');
  expect(decodeSegment('%FF')).toBeNull();
});
