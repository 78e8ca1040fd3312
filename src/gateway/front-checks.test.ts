import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFront, FrontFacts } from './front-checks.ts';

const LIMITS = { requestHeaderCount: 100, requestHeaderBytes: 65_536 };

function check(method: string, ...fields: string[]) {
  const facts = new FrontFacts();
  const code = checkFront(method, fields, LIMITS, facts);
  return { code, facts };
}

const HOST = ['host', 'example.com'];

/** Section, what is wrong, method, fields, code. */
const REFUSED: readonly [section: string, method: string, fields: readonly string[], code: string][] = [
  ['RFC 9110, 9.1: methods are case-sensitive', 'get', HOST, 'malformed_method'],
  ['RFC 9110, 9.1: no token', 'G@T', HOST, 'malformed_method'],
  ['RFC 9110, 9.1: unknown', 'FOO', HOST, 'method_not_supported'],
  ['RFC 9110, 9.3.8: TRACE', 'TRACE', HOST, 'method_not_supported'],
  ['RFC 9110, 9.3.6: CONNECT', 'CONNECT', HOST, 'method_not_supported'],
  ['RFC 9112, 3.2: no Host', 'GET', [], 'malformed_host'],
  ['RFC 9112, 3.2: two Hosts', 'GET', [...HOST, ...HOST], 'malformed_host'],
  ['RFC 9112, 3.2: Host with userinfo', 'GET', ['host', 'a@b'], 'malformed_host'],
  ['RFC 9112, 3.2: Host with path', 'GET', ['host', 'a/b'], 'malformed_host'],
  ['RFC 9112, 3.2: empty Host', 'GET', ['host', ''], 'malformed_host'],
  ['RFC 9112, 3.2: Host list', 'GET', ['host', 'a, b'], 'malformed_host'],
  ['RFC 9112, 3.2: port', 'GET', ['host', 'a:b'], 'malformed_host'],
  ['RFC 9112, 3.2: port beyond all ports', 'GET', ['host', 'a:65536'], 'malformed_host'],
  ['RFC 1034, 3.1: empty label', 'GET', ['host', 'a..b'], 'malformed_host'],
  ['RFC 1034, 3.1: empty label at the end', 'GET', ['host', 'a..'], 'malformed_host'],
  ['RFC 1034, 3.1: only a dot', 'GET', ['host', '.'], 'malformed_host'],
  ['RFC 1034, 3.1: dot at the beginning', 'GET', ['host', '.a'], 'malformed_host'],
  ['RFC 4291, 2.2: no IPv6 address', 'GET', ['host', '[::::::]'], 'malformed_host'],
  ['RFC 4291, 2.2: IPv4 in brackets', 'GET', ['host', '[1.2.3.4]'], 'malformed_host'],
  ['RFC 9110, 5.1: empty name', 'GET', [...HOST, '', 'x'], 'malformed_field'],
  ['RFC 9110, 5.1: no token', 'GET', [...HOST, 'a b', 'x'], 'malformed_field'],
  ['RFC 9110, 5.5: NUL', 'GET', [...HOST, 'a', 'x\0'], 'malformed_field'],
  ['RFC 9110, 5.5: CR', 'GET', [...HOST, 'a', 'x\ry'], 'malformed_field'],
  ['RFC 9110, 5.5: DEL', 'GET', [...HOST, 'a', '\x7f'], 'malformed_field'],
  ['bytes that are not UTF-8', 'GET', [...HOST, 'a', 'x\ufffd'], 'malformed_field'],
  [
    'RFC 9112, 6.3: two lengths',
    'POST',
    [...HOST, 'content-length', '3', 'content-length', '4'],
    'ambiguous_length',
  ],
  [
    'RFC 9112, 6.3: equal lengths',
    'POST',
    [...HOST, 'content-length', '3', 'content-length', '3'],
    'ambiguous_length',
  ],
  ['RFC 9112, 6.3: list of lengths', 'POST', [...HOST, 'content-length', '3, 3'], 'ambiguous_length'],
  ['RFC 9110, 8.6: sign', 'POST', [...HOST, 'content-length', '+3'], 'ambiguous_length'],
  ['RFC 9110, 8.6: negative', 'POST', [...HOST, 'content-length', '-3'], 'ambiguous_length'],
  ['RFC 9110, 8.6: hexadecimal', 'POST', [...HOST, 'content-length', '0x3'], 'ambiguous_length'],
  ['RFC 9110, 8.6: empty', 'POST', [...HOST, 'content-length', ''], 'ambiguous_length'],
  ['RFC 9110, 8.6: too large', 'POST', [...HOST, 'content-length', '9999999999999999'], 'ambiguous_length'],
  [
    'RFC 9112, 6.3: length and coding',
    'POST',
    [...HOST, 'content-length', '3', 'transfer-encoding', 'chunked'],
    'ambiguous_length',
  ],
  [
    'RFC 9112, 6.1: two codings',
    'POST',
    [...HOST, 'transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'],
    'ambiguous_length',
  ],
  [
    'RFC 9112, 6.1: a coding before chunked',
    'POST',
    [...HOST, 'transfer-encoding', 'gzip, chunked'],
    'unsupported_transfer_encoding',
  ],
  [
    'RFC 9112, 6.1: a coding after chunked',
    'POST',
    [...HOST, 'transfer-encoding', 'chunked, identity'],
    'unsupported_transfer_encoding',
  ],
  [
    'RFC 9112, 6.1: not chunked',
    'POST',
    [...HOST, 'transfer-encoding', 'identity'],
    'unsupported_transfer_encoding',
  ],
  [
    'RFC 9112, 6.1: look-alike',
    'POST',
    [...HOST, 'transfer-encoding', 'xchunked'],
    'unsupported_transfer_encoding',
  ],
  ['RFC 9112, 6.1: empty', 'POST', [...HOST, 'transfer-encoding', ''], 'unsupported_transfer_encoding'],
  ['RFC 9110, 10.1.1: expectation', 'POST', [...HOST, 'expect', '200-ok'], 'expectation_failed'],
  [
    'too many fields',
    'GET',
    [...HOST, ...Array.from({ length: 100 }, (_, index) => [`x${index}`, '1']).flat()],
    'header_fields_too_large',
  ],
  ['too many bytes', 'GET', [...HOST, 'x', 'y'.repeat(65_536)], 'header_fields_too_large'],
];

test.each(REFUSED)('%s (%s)', (_section, method, fields, code) => {
  expect(check(method, ...fields).code).toBe(code);
});

describe('framing that could be read in two ways is contained even when something else is refused first', () => {
  test.each(REFUSED.filter(([, , , code]) => /length|encoding/.test(code)))(
    '%s',
    (_section, method, fields) => {
      expect(check(method, ...fields).facts.doubtful).toBe(true);
      expect(check('get', ...fields, 'x', '\0').facts.doubtful).toBe(true);
    },
  );

  test('every chunked body is', () => {
    expect(check('POST', ...HOST, 'transfer-encoding', 'Chunked')).toMatchObject({
      code: null,
      facts: { doubtful: true, bodyBytes: -1 },
    });
    expect(check('POST', ...HOST, 'content-length', '3').facts.doubtful).toBe(false);
  });
});

test.each([
  ['example.com', 'example.com'],
  ['EXAMPLE.com:8080', 'example.com'],
  ['example.com.', 'example.com'],
  ['127.0.0.1:1', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
])('the host of %s is %s', (authority, host) => {
  expect(check('GET', 'host', authority)).toMatchObject({ code: null, facts: { host, authority } });
});

test.each([
  [['authorization', 'Bearer abc'], 'abc'],
  [['authorization', 'bearer   abc'], 'abc'],
  [['x-api-key', 'abc'], 'abc'],
  [['api-key', 'abc'], 'abc'],
  [['x-goog-api-key', 'abc'], 'abc'],
  [['authorization', 'Bearer abc', 'x-api-key', 'abc'], 'abc'],
  [['authorization', 'Basic YTpi'], ''],
  [['authorization', 'Bearer'], ''],
  [[], ''],
])('%j presents the key %j', (fields, key) => {
  const { facts } = check('GET', ...HOST, ...fields);
  expect([facts.presentedKey, facts.conflictingKeys]).toEqual([key, false]);
});

test('two different keys conflict', () => {
  expect(check('GET', ...HOST, 'x-api-key', 'a', 'api-key', 'b').facts.conflictingKeys).toBe(true);
});

test('Connection lists fields of this hop', () => {
  expect(check('GET', ...HOST, 'connection', 'keep-alive').facts.connectionFields).toBeNull();
  expect(check('GET', ...HOST, 'connection', 'X-One, close, x-two').facts.connectionFields).toEqual([
    'x-one',
    'x-two',
  ]);
});

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
test.each([
  [TRACEPARENT, TRACEPARENT],
  [
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later',
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later',
  ],
  [`${TRACEPARENT}-x`, ''],
  [TRACEPARENT.toUpperCase(), ''],
  ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', ''],
  ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', ''],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', ''],
  ['', ''],
])('traceparent %s is read as %j', (value, read) => {
  expect(check('GET', ...HOST, 'traceparent', value).facts.traceparent).toBe(read);
});

test('two traceparents are none', () => {
  expect(
    check('GET', ...HOST, 'traceparent', TRACEPARENT, 'traceparent', TRACEPARENT).facts.traceparent,
  ).toBe('');
});

test('facts of one request leave nothing behind for the next, whatever they are', () => {
  const name = fc.constantFrom(
    'host',
    'content-length',
    'transfer-encoding',
    'expect',
    'connection',
    'x-api-key',
    'traceparent',
    'x',
  );
  const value = fc.constantFrom('', '3', 'chunked', 'a', 'b', '100-continue', 'close, x', TRACEPARENT, '\0');
  const section = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((fields) => fields.flat());
  fc.assert(
    fc.property(section, section, (first, second) => {
      const used = new FrontFacts();
      checkFront('GET', first, LIMITS, used);
      const { code, facts } = check('GET', ...second);
      expect(checkFront('GET', second, LIMITS, used)).toBe(code);
      const seen = ({
        doubtful,
        bodyBytes,
        presentedKey,
        conflictingKeys,
        traceparent,
        connectionFields,
      }: FrontFacts) => ({
        doubtful,
        bodyBytes,
        presentedKey,
        conflictingKeys,
        traceparent,
        connectionFields,
      });
      expect(seen(used)).toEqual(seen(facts));
    }),
    { numRuns: 3_000 },
  );
});
