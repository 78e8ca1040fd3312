/**
 * What a client may send (each MUST of RFC 9112 on a receiver, with its section) over a raw socket, and what comes back.
 * `refused` are answers of the gateway's own; `dropped` is what uWebSockets.js ends without an answer that it makes sense of.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { bundle, route } from './rules.ts';
import { ok, RawClient, type RawServer, rawServer } from './sockets.ts';

let gateway: Gateway;
let upstream: RawServer;
let client: RawClient;

beforeAll(async () => {
  upstream = await rawServer((socket) => socket.write(ok('ok')));
  gateway = await startGateway({ bundle: bundle([route('all', '/{rest...}')], upstream.port) });
});

afterAll(() => {
  gateway.close();
  upstream.close();
});

beforeEach(async () => {
  upstream.requests.length = 0;
  client = await RawClient.connect(gateway.port);
  return () => client.destroy();
});

const EVIL = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n';

describe('accepted', () => {
  const accepted: readonly [section: string, request: string, line: string][] = [
    ['3.2.1 origin-form', 'GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /a?b HTTP/1.1'],
    ['RFC 3986, 6.2.2 normal form', 'GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /b HTTP/1.1'],
    ['5 no blank behind the colon', 'GET /a HTTP/1.1\r\nHost:a\r\n\r\n', 'GET /a HTTP/1.1'],
    ['5.1 blanks around the value', 'GET /a HTTP/1.1\r\nHost:  a  \r\nX: \t1 \t\r\n\r\n', 'GET /a HTTP/1.1'],
    ['RFC 9110, 5.5 empty value', 'GET /a HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n', 'GET /a HTTP/1.1'],
    ['6.2 body of length 0', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'POST /a HTTP/1.1'],
    ['6.2 body by length', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', 'POST /a HTTP/1.1'],
    [
      '7.1 chunked body',
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
      'POST /a HTTP/1.1',
    ],
    ['2.3 HTTP/1.1 only', 'OPTIONS /a HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS /a HTTP/1.1'],
  ];
  test.each(accepted)('%s', async (_section, request, line) => {
    client.write(request);
    expect((await client.answer()).status).toBe(200);
    expect(upstream.requests.map((each) => each.split('\r\n')[0])).toEqual([line]);
  });

  test('6.3 and 9.3: requests follow each other on one connection, bodies apart', async () => {
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    await client.answer();
    client.received = '';
    client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answer()).status).toBe(200);
    expect(upstream.requests).toHaveLength(2);
  });

  test('9.6: after "Connection: close" the connection ends', async () => {
    client.write('GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('RFC 9110, 10.1.1: 100 (Continue) comes first where it is asked for', async () => {
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('hi');
    await client.until('HTTP/1.1 200');
    expect(upstream.requests[0]).not.toContain('expect');
  });

  test('RFC 9110, 7.6.1: fields of this hop end here, framing is made afresh', async () => {
    client.write(
      'POST /a HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n1;ext=1\r\nh\r\n1\r\ni\r\n0\r\n\r\n',
    );
    await client.answer().catch(() => null);
    const request = upstream.requests[0] ?? '';
    expect(request).not.toMatch(/x-hop|\nte:|upgrade|connection|ext=1/i);
  });

  test('a PROXY protocol header, which this parser skips, changes no address', async () => {
    client.write(
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x01\0\x02GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect((await client.answer()).status).toBe(200);
    expect(upstream.requests[0]).toContain('x-forwarded-for: 127.0.0.1\r\n');
  });

  test('text in fields keeps its bytes', async () => {
    client.write('GET /a HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9 au lait\r\n\r\n');
    await client.answer();
    expect(upstream.requests[0]).toContain('x: caf\xc3\xa9 au lait\r\n');
  });
});

describe('refused, and the connection is sound or ends', () => {
  const refused: readonly [section: string, request: string, status: number][] = [
    ['3.1 lower-case method', 'get /a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.1 unknown method', 'FOO /a HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['RFC 9110, 9.3.8 TRACE', 'TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['3.2 two Hosts', 'GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['3.2 malformed Host', 'GET /a HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['3.2 fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2 backslash in the target', 'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2 bytes above 0x7F in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2 DEL in the target', 'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2 broken escape', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2 encoded NUL', 'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['3.2.2 absolute-form', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 505],
    ['3.2.4 asterisk-form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 505],
    ['2.3 HTTP/1.0', 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n', 505],
    ['2.3 HTTP/2.0', 'GET /a HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['2.2 an empty line before it, which it SHOULD ignore', '\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n', 505],
    ['2.2 bare LF ends the request line', 'GET /a HTTP/1.1\nHost: a\n\n', 505],
    ['3 two blanks', 'GET  /a HTTP/1.1\r\nHost: a\r\n\r\n', 505],
    ['3 blank in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 505],
    ['5 empty field name', 'GET /a HTTP/1.1\r\n: x\r\nHost: a\r\n\r\n', 400],
    [
      '6.1 length and coding',
      `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['6.3 negative length', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
    ['6.3 list of lengths', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc', 400],
    ['6.3 length that is no number', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\nabc', 400],
    [
      '6.3 length beyond all bounds',
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
      400,
    ],
    ['RFC 9110, 10.1.1 expectation', 'GET /a HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n', 417],
  ];
  test.each(refused)('%s', async (_section, request, status) => {
    client.write(request);
    await client.until('\r\n\r\n');
    expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(upstream.requests).toEqual([]);
  });

  test.each([
    ['6.3 two lengths', 'Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc'],
    ['6.3 equal lengths', 'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc'],
    ['6.1 chunked is not last', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['6.1 two codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n'],
    ['6.1 not chunked', 'Transfer-Encoding: identity\r\n\r\n'],
  ])('%s: refused, and nothing behind it is handled', async (_section, rest) => {
    client.write(`POST /a HTTP/1.1\r\nHost: a\r\n${rest}`);
    await client.until('\r\n\r\n').catch(() => '');
    client.write(EVIL);
    await expectNothingHandled();
    expect(client.received === '' || / 400 /.test(client.received)).toBe(true);
  });
});

describe('limits.requestHeaderBytes holds for the request line and the fields together', () => {
  const { default: limit } = LIMITS.requestHeaderBytes;
  // Two blanks, "?" where there is a query, "HTTP/1.1" and CRLF; four bytes per field beside its name and value.
  const sized = (target: string, valueBytes: number): string =>
    `GET ${target} HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(valueBytes)}\r\n\r\n`;
  test.each([
    ['long query', sized(`/a?${'q'.repeat(limit)}`, 1), 414],
    ['long path', sized(`/${'p'.repeat(limit)}`, 1), 414],
    ['long method', `${'M'.repeat(limit)} /a HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['long field', sized('/a', limit), 431],
    ['half and half', sized(`/a?${'q'.repeat(limit / 2)}`, limit / 2), 431],
  ])('%s', async (_name, request, status) => {
    client.write(request);
    const received = await client.until('\r\n\r\n').catch(() => '');
    // In pieces it is refused by uWebSockets.js with its 505 or none, read at once it is refused here; never forwarded.
    expect(received === '' || new RegExp(`^HTTP/1\\.1 (${status}|505) `).test(received)).toBe(true);
    expect(upstream.requests).toEqual([]);
  });

  test('a large head is served', async () => {
    client.write(sized(`/a?${'q'.repeat(limit / 2)}`, limit / 4));
    expect((await client.answer()).status).toBe(200);
  });
});

test('a head may come in two pieces, cut anywhere but within target and version: uWebSockets.js ends that with its 505', async () => {
  const line = 'GET /a HTTP/1.1\r\n';
  const request = `${line}Host: a\r\nX: yyy\r\n\r\n`;
  const outcomes: string[] = [];
  for (let cut = 1; cut < request.length; cut++) {
    const one = await RawClient.connect(gateway.port);
    one.write(request.slice(0, cut));
    client.received = '';
    // Another exchange from start to end: the first piece has been read by then.
    client.write('GET /marker HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answer();
    one.write(request.slice(cut));
    outcomes.push((await one.until('\r\n\r\n')).slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    one.destroy();
  }
  const isWithin = (cut: number): boolean => cut > 'GET'.length && cut < line.length;
  expect(outcomes).toEqual(outcomes.map((_, at) => (isWithin(at + 1) ? '505' : '200')));
  const handled = upstream.requests.filter((each) => each.startsWith('GET /a '));
  expect(handled).toHaveLength(outcomes.filter((outcome) => outcome === '200').length);
});

describe('uWebSockets.js does not answer, and hands nothing over', () => {
  test.each([
    ['3.2 no Host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['5.1 blank before the colon', 'GET /a HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n'],
    ['5.2 folded line', 'GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n'],
    ['5 no colon', 'GET /a HTTP/1.1\r\nHost: a\r\nX\r\n\r\n'],
    ['RFC 9110, 5.5 NUL', 'GET /a HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
    ['2.2 bare LF ends a field', 'GET /a HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n'],
    ['2.2 bare CR in a field', 'GET /a HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'],
    ['RFC 9110, 5.1 underscore in a name', 'GET /a HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 1\r\n\r\n'],
    ['RFC 9110, 5.1 dot in a name', 'GET /a HTTP/1.1\r\nHost: a\r\nX.Y: 1\r\n\r\n'],
  ])('%s', async (_section, request) => {
    client.write(request + EVIL);
    await expectNothingHandled();
    expect(client.received).toBe('');
  });
});

describe('limits.requestHeaderCount', () => {
  const withFields = (count: number): string =>
    `GET /a HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(count - 1)}\r\n`;

  test('as many fields as the limit may allow at most are served, with one more nothing is', async () => {
    const { maximum } = LIMITS.requestHeaderCount;
    client.write(withFields(maximum));
    expect((await client.answer()).status).toBe(200);
    client.received = '';
    upstream.requests.length = 0;
    client.write(withFields(maximum + 1) + EVIL);
    await expectNothingHandled();
    expect(client.received).toBe('');
  });

  test('a lower limit answers 431', async () => {
    const strict = await startGateway({
      bundle: bundle([route('all', '/{rest...}')], upstream.port),
      limits: { requestHeaderCount: 8 },
    });
    const one = await RawClient.connect(strict.port);
    one.write(withFields(8));
    expect((await one.answer()).status).toBe(200);
    one.received = '';
    one.write(withFields(9));
    expect((await one.answer()).status).toBe(431);
    one.destroy();
    strict.close();
  });
});

/** Another connection's whole exchange lies between: had the thread handled more of this one, the upstream would know. */
async function expectNothingHandled(): Promise<void> {
  const other = await RawClient.connect(gateway.port);
  other.write('GET /marker HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.answer();
  other.destroy();
  expect(upstream.requests.map((request) => request.split(' ')[1])).toEqual(['/marker']);
}
