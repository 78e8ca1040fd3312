import { describe, expect, test } from 'vitest';
import { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import { checkFront, FrontFacts } from './front-checks.ts';
import { type ForwardingFacts, RequestFieldLines } from './request-fields.ts';
import { limitFieldLines, ownFieldLines, responseFieldLines } from './response-fields.ts';

const FORWARDING: ForwardingFacts = {
  scheme: 'http',
  forwardedFields: 'none',
  ip: '192.0.2.1',
  keys: 'consumed',
  signatures: 'consumed',
};
const OWN = 'via: 1.1 portunus\r\n';

function forward(fields: string[], forwarding: Partial<ForwardingFacts> = {}, edits = new HeaderEdits()) {
  const all = ['host', 'a.test', ...fields];
  const facts = new FrontFacts();
  checkFront('GET', all, { requestHeaderCount: 100, requestHeaderBytes: 65_536 }, facts);
  return new RequestFieldLines().of(all, facts, edits, { ...FORWARDING, ...forwarding });
}

function editsOf(set: string[], removed: string[] = []): HeaderEdits {
  const edits = new HeaderEdits();
  edits.set.push(...set);
  edits.removed.push(...removed);
  return edits;
}

describe('to the service', () => {
  test('fields pass as they came', () => {
    expect(forward(['accept', '*/*', 'x', '1', 'x', '2'])).toBe(`accept: */*\r\nx: 1\r\nx: 2\r\n${OWN}`);
  });

  test.each([
    'host',
    'content-length',
    'transfer-encoding',
    'expect',
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'te',
    'trailer',
    'upgrade',
    'x-request-id',
    'traceparent',
    'tracestate',
    'x-api-key',
    'api-key',
    'x-goog-api-key',
  ])('%s does not', (name) => {
    expect(forward([name, 'x'])).toBe(OWN);
  });

  test('fields that Connection lists are for this hop (RFC 9110, 7.6.1)', () => {
    expect(forward(['connection', 'X-Hop', 'x-hop', '1', 'x', '2'])).toBe(`x: 2\r\n${OWN}`);
  });

  test('a key of this gateway ends here; other credentials are the service’s', () => {
    expect(forward(['authorization', 'Bearer k'])).toBe(OWN);
    expect(forward(['authorization', 'Basic k'])).toBe(`authorization: Basic k\r\n${OWN}`);
    expect(forward(['authorization', 'Bearer k'], { keys: 'passed' })).toContain('Bearer k');
    expect(forward(['x-api-key', 'k'], { keys: 'passed' })).toContain('x-api-key: k');
    expect(forward(['authorization', 'Bearer ptn_x'], { keys: 'passed' })).toBe(OWN);
    expect(forward(['x-api-key', 'ptn_x'], { keys: 'passed' })).toBe(OWN);
  });

  test.each([
    ['authorization', 'ptn_x'],
    ['authorization', 'Bearer\tptn_x'],
    ['authorization', 'Basic a, Bearer ptn_x'],
    ['authorization', 'Token token="ptn_x"'],
    ['x-api-key', '"ptn_x"'],
    ['x-api-key', 'a,ptn_x'],
  ])('a key of this gateway that is written wrong ends here all the same: %s: %s', (name, value) => {
    expect(forward([name, value], { keys: 'passed' })).toBe(OWN);
    expect(forward([name, value], { keys: 'consumed' })).toBe(OWN);
  });

  test('tracestate goes with a valid traceparent', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(forward(['traceparent', traceparent, 'tracestate', 'a=1'])).toContain('tracestate: a=1\r\n');
  });

  test('what clients say of their address is replaced', () => {
    const claims = ['x-forwarded-for', '1.1.1.1', 'forwarded', 'for=1.1.1.1'];
    expect(forward(claims, { forwardedFields: 'x-forwarded' })).toBe(
      `${OWN}x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: a.test\r\n`,
    );
    expect(forward(claims, { forwardedFields: 'forwarded', ip: '2001:db8::1' })).toBe(
      `${OWN}forwarded: for="[2001:db8::1]";host="a.test";proto=http\r\n`,
    );
    expect(forward(claims)).toContain('x-forwarded-for: 1.1.1.1\r\nforwarded: for=1.1.1.1\r\n');
  });

  test('rules set and remove', () => {
    expect(forward(['x', '1', 'y', '2', 'z', '3'], {}, editsOf(['x', 'new'], ['y']))).toBe(
      `z: 3\r\n${OWN}x: new\r\n`,
    );
  });

  test('a value with a line break can’t be set', () => {
    expect(forward([], {}, editsOf(['x', 'a\r\nevil: 1']))).toBeNull();
  });

  test('text that is not ASCII goes as its UTF-8 bytes, one character each', () => {
    expect(forward(['x', 'é'], {}, editsOf(['y', 'ü']))).toBe(`x: \xc3\xa9\r\n${OWN}y: \xc3\xbc\r\n`);
  });
});

describe('to the client', () => {
  test('framing, Date and the service’s request id are not passed on', () => {
    const fields = ['date', 'x', 'content-length', '3', 'connection', 'close', 'x-request-id', 'y', 'a', '1'];
    expect(responseFieldLines(fields, new HeaderEdits(), '')).toBe('a: 1\r\n');
  });

  test.each([
    ['a', 'x\r\nevil: 1'],
    ['a', 'x\n'],
    ['a', '\0'],
    ['a b', 'x'],
    ['a\r\nb', 'x'],
  ])('%j: %j would break out of its line', (name, value) => {
    expect(responseFieldLines([name, value], new HeaderEdits(), '')).toBeNull();
  });

  test('rules set and remove', () => {
    expect(responseFieldLines(['a', '1', 'b', '2'], editsOf(['a', '3'], ['b']), '')).toBe('a: 3\r\n');
    expect(responseFieldLines([], editsOf(['a', '\n']), '')).toBeNull();
  });

  test('bytes above 0x7F stay the bytes they are', () => {
    expect(responseFieldLines(['a', '\xe9'], editsOf(['b', 'é']), '')).toEqual(
      Buffer.from('a: \xe9\r\nb: \xc3\xa9\r\n', 'latin1'),
    );
  });

  test('limits and warnings are told', () => {
    const context = new RequestContext();
    context.rateLimit = '"minute";r=1;t=2';
    context.rateLimitPolicy = '"minute";q=5;w=60';
    context.warnings = [{ rule: 0, code: 'key_old', detail: 'Rotate it' }];
    const rule = {
      policy: 'keys',
      rule: 'old',
      shownName: 'keys/old',
      kind: 'warn',
      place: 'x',
      mode: 'warn' as const,
      reviewDueDay: null,
    };
    expect(ownFieldLines('id', context, { rule: () => rule }) + limitFieldLines(context)).toBe(
      'x-request-id: id\r\nvia: 1.1 portunus\r\n' +
        'portunus-warning: "keys/old";code="key_old";detail="Rotate it"\r\n' +
        'ratelimit: "minute";r=1;t=2\r\nratelimit-policy: "minute";q=5;w=60\r\n',
    );
  });
});
