import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KnownKey, SignedRequest } from '../pipeline/identity.ts';
import type { Outcome, Refusal } from '../pipeline/outcome.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import {
  RESERVE,
  SimulatedClient,
  type Simulation,
  type SimulationOptions,
  simulate,
  simulatedRoute,
} from './exchange.cases.ts';
import { requestIdIn } from './identifiers.ts';

const HOST = ['host', 'a.test'];
const ALL = [simulatedRoute('/{rest...}')];

function refusal(rest: Partial<Refusal> = {}): Refusal {
  return {
    status: 403,
    code: 'forbidden',
    detail: 'No.',
    ruleIndex: -1,
    retryAfterS: -1,
    rateLimit: '',
    rateLimitPolicy: '',
    ...rest,
  };
}

function problemOf(client: SimulatedClient): unknown {
  return { status: client.status, code: (JSON.parse(client.body) as { code: string }).code };
}

/** Everything is over, and was ended once. */
function expectSettled(simulation: Simulation, requests: number, reservations: number): void {
  expect(simulation.thread.inFlight).toBe(0);
  expect(simulation.records).toHaveLength(requests);
  expect(simulation.releases).toHaveLength(reservations);
  expect(new Set(simulation.releases).size).toBe(reservations);
}

describe('the straight way', () => {
  test('rules that draw lots see the id that the gateway made, not one that a client sent', () => {
    const seen: string[] = [];
    const hex = (part: number) => (part >>> 0).toString(16).padStart(8, '0');
    const match: RoutePipeline['match'] = ({ idHigh, idLow }) => {
      seen.push(hex(idHigh) + hex(idLow));
      return CONTINUE;
    };
    const simulation = simulate({ routes: ALL, pipeline: { match } });
    for (const id of ['0000000000000001', '0000000000000001'])
      simulation.request('GET', '/', [...HOST, 'x-request-id', id]);
    expect(seen).toEqual(simulation.calls.map(({ request }) => requestIdIn(request.idLines)));
    expect(new Set([...seen, '0000000000000001']).size).toBe(3);
  });

  test('a request waits with the share of its tenant, and one of nobody with that of one', () => {
    const simulation = simulate({ routes: [simulatedRoute('/', { auth: 'optional' })] });
    simulation.request('GET', '/', HOST);
    simulation.request('GET', '/', [...HOST, 'x-api-key', 'good']);
    expect(simulation.calls.map(({ request }) => request)).toMatchObject([
      { tenant: null, share: 1 },
      { tenant: { high: 0, low: 0 }, share: 3 },
    ]);
  });

  test('a request without a body: one dispatch, one answer, one record', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('GET', '/a/../b?x=1', [...HOST, 'accept', '*/*']);
    const call = simulation.calls[0]!;
    expect(call.request).toMatchObject({
      method: 'GET',
      target: '/b?x=1',
      host: null,
      bodyBytes: 0,
      repeatable: true,
      connectMs: 1,
      firstByteMs: 2,
      idleMs: 3,
    });
    expect(client.wantsBody).toBe(false);
    simulation.nowMs += 5;
    call.head(true, 'hi', { fields: ['a', '1'] });
    expect([client.state, client.status, client.body]).toEqual(['done', 200, 'hi']);
    expect(client.fields).toMatch(/^x-request-id: [0-9a-f]{16}\r\nvia: 1.1 portunus\r\na: 1\r\n$/);
    expectSettled(simulation, 1, 1);
    expect(simulation.records[0]).toMatchObject({
      method: 'GET',
      path: '/b',
      route: 'route',
      routeVersion: 'v1',
      status: 200,
      code: '',
      configurationHash: '0123456789abcdef',
      requestBytes: 0,
      responseBytes: 2,
      attempts: 1,
      decidedUs: 0,
      firstByteUs: 5_000,
      finishedUs: 5_000,
      clientAborted: false,
    });
  });

  test('body and answer stream, with backpressure both ways', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('POST', '/', [...HOST, 'content-length', '6']);
    const call = simulation.calls[0]!;
    call.hasRoom = false;
    client.handler!.onBody(Buffer.from('abc'), false);
    expect(client.paused).toBe(true);
    call.hasRoom = true;
    call.handler.onDrain();
    expect(client.paused).toBe(false);
    client.handler!.onBody(Buffer.from('def'), true);
    expect([call.body, call.bodyEnded]).toEqual(['abcdef', true]);
    client.hasRoom = false;
    call.head(false, 'x');
    expect(call.paused).toBe(true);
    client.drain();
    expect(call.paused).toBe(false);
    call.data('y', false);
    call.data('z', true);
    expect([client.state, client.body]).toEqual(['done', 'xyz']);
    expectSettled(simulation, 1, 1);
  });

  test('a request is over when the client has taken its answer, not before', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('GET', '/');
    client.hasRoom = false;
    simulation.calls[0]!.head(true, 'hi');
    expect([simulation.thread.inFlight, simulation.records.length, simulation.releases.length]).toEqual([
      1, 0, 0,
    ]);
    client.drain();
    expectSettled(simulation, 1, 1);
  });

  test('a POST may be repeated only where the route says so', () => {
    const simulation = simulate({
      routes: [simulatedRoute('/a'), simulatedRoute('/b', { repeatUnsafeMethods: true })],
    });
    for (const [method, path] of [
      ['POST', '/a'],
      ['POST', '/b'],
      ['PUT', '/a'],
    ] as const)
      simulation.request(method, path);
    expect(simulation.calls.map((call) => call.request.repeatable)).toEqual([false, true, true]);
  });

  test('the route’s template makes the upstream path, still escaped; rules see it decoded', () => {
    const seen: (readonly string[])[] = [];
    const simulation = simulate({
      routes: [simulatedRoute('/v1/{kind}/{rest...}', { upstreamPath: '/in/{rest}/{kind}' })],
      pipeline: {
        authorise(context) {
          seen.push(context.parameters);
          return CONTINUE;
        },
      },
    });
    simulation.request('GET', '/v1/a%2Fb/c%20d/e');
    expect(simulation.calls[0]!.request.target).toBe('/in/c%20d/e/a%2Fb');
    expect(seen).toEqual([['a/b', 'c d/e']]);
  });

  test.each([
    ['HEAD', 200, true, false],
    ['GET', 204, true, false],
    ['GET', 304, true, false],
  ])('%s %i has no body', (method, status, last, hasBody) => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request(method, '/');
    simulation.calls[0]!.head(last, '', { status, hasBody, bodyBytes: 7 });
    expect([client.state, client.status, client.body]).toEqual(['done', status, '']);
    expectSettled(simulation, 1, 1);
  });

  test('an empty body that ends in a later read is answered once', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('GET', '/');
    simulation.calls[0]!.head(false, '', { bodyBytes: 0 });
    simulation.calls[0]!.data('', true);
    expect(client.state).toBe('done');
    expectSettled(simulation, 1, 1);
  });
});

describe('refusals', () => {
  const cases: readonly [
    name: string,
    options: Partial<SimulationOptions>,
    request: [string, string, string[]],
    status: number,
    code: string,
  ][] = [
    ['malformed target', {}, ['GET', '/%zz', HOST], 400, 'malformed_target'],
    ['malformed query', {}, ['GET', '/?a=%zz', HOST], 400, 'malformed_target'],
    [
      'parameter that is not UTF-8',
      { routes: [simulatedRoute('/{a}')] },
      ['GET', '/%FF', HOST],
      400,
      'malformed_target',
    ],
    ['no host', {}, ['GET', '/', []], 400, 'malformed_host'],
    ['no route', { routes: [simulatedRoute('/a')] }, ['GET', '/b', HOST], 404, 'route_not_found'],
    [
      'draft',
      { routes: [simulatedRoute('/a', { state: 'draft' })] },
      ['GET', '/a', HOST],
      404,
      'route_not_found',
    ],
    [
      'retired',
      { routes: [simulatedRoute('/a', { state: 'retired' })] },
      ['GET', '/a', HOST],
      410,
      'route_retired',
    ],
    [
      'other methods',
      { routes: [simulatedRoute('/a', { match: { methods: ['PUT'], path: '/a', hosts: [], headers: [] } })] },
      ['GET', '/a', HOST],
      405,
      'method_not_allowed',
    ],
    ['repeated field', {}, ['GET', '/', [...HOST, 'x-read', '1', 'x-read', '1']], 400, 'repeated_field'],
    ['repeated query', {}, ['GET', '/?read=1&read=1', HOST], 400, 'repeated_query_parameter'],
    ['large body', {}, ['POST', '/', [...HOST, 'content-length', '1001']], 413, 'body_too_large'],
    [
      'chunked, by setting',
      { server: { refuseChunkedRequests: true } },
      ['POST', '/', [...HOST, 'transfer-encoding', 'chunked']],
      411,
      'length_required',
    ],
    ['overload', { limits: { exchangesPerThread: 0 } }, ['GET', '/', HOST], 503, 'overloaded'],
    [
      'no key',
      { routes: [simulatedRoute('/', { auth: 'required' })] },
      ['GET', '/', HOST],
      401,
      'unauthenticated',
    ],
    [
      'wrong key',
      { routes: [simulatedRoute('/', { auth: 'required' })] },
      ['GET', '/', [...HOST, 'x-api-key', 'bad']],
      401,
      'unauthenticated',
    ],
    [
      'wrong key where none is needed',
      { routes: [simulatedRoute('/', { auth: 'optional' })] },
      ['GET', '/', [...HOST, 'x-api-key', 'bad']],
      401,
      'unauthenticated',
    ],
    [
      'two keys',
      { routes: [simulatedRoute('/', { auth: 'required' })] },
      ['GET', '/', [...HOST, 'x-api-key', 'good1', 'api-key', 'good2']],
      400,
      'conflicting_credentials',
    ],
    [
      'match rule',
      { pipeline: { match: () => ({ kind: 'respond', refusal: refusal() }) } },
      ['GET', '/', HOST],
      403,
      'forbidden',
    ],
    [
      'authorise rule',
      { pipeline: { authorise: () => ({ kind: 'respond', refusal: refusal() }) } },
      ['GET', '/', HOST],
      403,
      'forbidden',
    ],
    [
      'failing rule',
      {
        pipeline: {
          admit: () => ({ kind: 'fail', refusal: refusal({ status: 503, code: 'counter_away' }) }),
        },
      },
      ['GET', '/', HOST],
      503,
      'counter_away',
    ],
    [
      'a rule sets a line break',
      { pipeline: { shapeRequest: (_context, edits) => void edits.set.push('x', 'a\nb') } },
      ['GET', '/', HOST],
      400,
      'malformed_field',
    ],
  ];

  test.each(cases)('%s', (_name, options, [method, target, fields], status, code) => {
    const simulation = simulate({ routes: ALL, ...options });
    const client = simulation.request(method, target, fields);
    expect(problemOf(client)).toEqual({ status, code });
    expect(simulation.calls).toHaveLength(0);
    expect(simulation.thread.inFlight).toBe(0);
    expect(simulation.records).toMatchObject([{ status, code, attempts: 0 }]);
  });

  test('a limit is named, and its values are told', () => {
    const limited = refusal({
      status: 429,
      code: 'limit_exceeded',
      ruleIndex: 0,
      retryAfterS: 3,
      rateLimitPolicy: '"m";q=1',
    });
    const simulation = simulate({
      routes: ALL,
      pipeline: { admit: () => ({ kind: 'respond', refusal: limited }) },
    });
    const client = simulation.request('GET', '/');
    expect(JSON.parse(client.body)).toMatchObject({ limit: 'limits/shown', retryAfterS: 3 });
    expect(client.fields).toContain('retry-after: 3\r\n');
    expect(client.fields).toContain('ratelimit-policy: "m";q=1\r\n');
  });

  test('a refused HEAD has no body', () => {
    const simulation = simulate({ routes: [simulatedRoute('/a')] });
    const client = simulation.request('HEAD', '/b');
    expect([client.status, client.body]).toEqual([404, '']);
  });

  test('an answer whose fields would break out of their lines becomes a 502', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('GET', '/');
    simulation.calls[0]!.head(false, 'x', { fields: ['a', 'b\r\nc: d'] });
    expect(problemOf(client)).toEqual({ status: 502, code: 'upstream_malformed_answer' });
    expect(simulation.calls[0]!.state).toBe('aborted');
    expectSettled(simulation, 1, 1);
  });
});

describe('identity', () => {
  const routes = [simulatedRoute('/', { auth: 'optional' })];

  test('a valid key is on the record and ends here', () => {
    const simulation = simulate({ routes });
    simulation.request('GET', '/', [...HOST, 'authorization', 'Bearer good']);
    expect(simulation.calls[0]!.request.fieldLines).not.toContain('good');
    simulation.calls[0]!.head(true, '');
    expect(simulation.records[0]).toMatchObject({
      tenant: 'acme',
      team: 'red',
      consumer: 'app',
      credential: 'key',
    });
  });

  test('match rules run before the caller is known, authorising ones after', () => {
    const seen: [string, boolean][] = [];
    const simulation = simulate({
      routes,
      pipeline: {
        match(context) {
          seen.push(['match', context.identity !== null]);
          return CONTINUE;
        },
        authorise(context) {
          seen.push(['authorise', context.identity !== null]);
          return CONTINUE;
        },
      },
    });
    simulation.request('GET', '/', [...HOST, 'x-api-key', 'good']);
    expect(seen).toEqual([
      ['match', false],
      ['authorise', true],
    ]);
  });
});

describe('containment', () => {
  test.each([
    [[...HOST, 'transfer-encoding', 'chunked'], true],
    [[...HOST, 'content-length', '3', 'content-length', '4'], true],
    [[...HOST, 'content-length', '3'], false],
    // A long body that nobody wants is not read to its end.
    [[...HOST, 'content-length', '100000'], true],
  ])('%j: %s', (fields, contained) => {
    expect(simulate({ routes: ALL }).request('POST', '/', fields).contained).toBe(contained);
  });

  test('a chunked body is counted as it comes', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('POST', '/', [...HOST, 'transfer-encoding', 'chunked']);
    expect(simulation.calls[0]!.request.bodyBytes).toBe(-1);
    client.handler!.onBody(Buffer.alloc(1_000), false);
    client.handler!.onBody(Buffer.alloc(1), false);
    expect(problemOf(client)).toEqual({ status: 413, code: 'body_too_large' });
    expect(simulation.calls[0]!.state).toBe('aborted');
    expectSettled(simulation, 1, 1);
  });
});

describe('waiting', () => {
  const roomAt = (atMonotonicMs: number): Outcome => ({
    kind: 'wait',
    atMonotonicMs,
    untilMonotonicMs: 1_500,
    counters: [{ name: 'limit 1 1', atMs: atMonotonicMs, room: 'clock' }],
    room: 'clock',
    refusal: {
      status: 429,
      code: 'limit_exceeded',
      detail: '',
      ruleIndex: -1,
      retryAfterS: 1,
      rateLimit: '',
      rateLimitPolicy: '',
    },
  });

  function queued(limits = {}) {
    let tries = 0;
    const simulation = simulate({
      routes: ALL,
      limits,
      pipeline: {
        admit: (context) => (tries++ === 0 ? roomAt(1_250) : RESERVE(context)),
      },
    });
    return simulation;
  }

  test('a request that waits goes on with what had come of its body', () => {
    const simulation = queued();
    const client = simulation.request('POST', '/', [...HOST, 'content-length', '3', 'x', '1']);
    expect(simulation.wakes.map((wake) => wake.delayMs)).toEqual([250]);
    expect(client.paused).toBe(true);
    client.handler!.onBody(Buffer.from('abc'), true);
    simulation.request('GET', '/other', [...HOST, 'content-length', '0', 'te', '2']);
    simulation.nowMs = 1_250;
    simulation.wakes[0]!.exchange.wake();
    const call = simulation.calls.at(-1)!;
    expect([call.body, call.bodyEnded]).toEqual(['abc', true]);
    expect(call.request.fieldLines).toContain('x: 1\r\n');
  });

  test('it holds no more of a body than it may', () => {
    const simulation = queued({ requestBodyBufferedBytes: 2 });
    const client = simulation.request('POST', '/', [...HOST, 'content-length', '3']);
    client.handler!.onBody(Buffer.from('abc'), true);
    expect(client.status).toBe(503);
    expectSettled(simulation, 1, 0);
  });

  test('a client that leaves is not woken', () => {
    const simulation = queued();
    const client = simulation.request('GET', '/');
    client.disconnect();
    simulation.wakes[0]!.exchange.wake();
    expect(simulation.calls).toHaveLength(0);
    expectSettled(simulation, 1, 0);
  });

  test('a request that was answered while it waited is not sent any more', () => {
    const simulation = queued();
    const client = simulation.request('GET', '/');
    client.hasRoom = false;
    simulation.nowMs += 10_000;
    simulation.thread.sweep();
    // whoever waits for a limit is refused by it
    expect([client.status, client.state]).toEqual([429, 'flushing']);
    simulation.wakes[0]!.exchange.wake();
    expect(simulation.calls).toHaveLength(0);
    client.drain();
    expectSettled(simulation, 1, 0);
  });

  test('rules are asked again, at the time of the new try: a key may have been revoked meanwhile', () => {
    const seen: [string, number, number][] = [];
    const simulation = simulate({
      routes: [simulatedRoute('/', { auth: 'required' })],
      pipeline: {
        authorise(context) {
          seen.push(['authorise', context.nowMonotonicMs, context.nowWallMs]);
          return CONTINUE;
        },
        admit(context) {
          seen.push(['admit', context.nowMonotonicMs, context.nowWallMs]);
          return context.nowMonotonicMs < 1_250 ? roomAt(1_250) : RESERVE(context);
        },
      },
    });
    simulation.request('GET', '/', [...HOST, 'x-api-key', 'good']);
    const revoked = simulation.request('GET', '/', [...HOST, 'x-api-key', 'good-until-1100']);
    simulation.nowMs = 1_250;
    for (const { exchange } of simulation.wakes) exchange.wake();
    expect(seen).toEqual([
      ['authorise', 1_000, 1_000],
      ['admit', 1_000, 1_000],
      ['authorise', 1_000, 1_000],
      ['admit', 1_000, 1_000],
      ['authorise', 1_250, 1_250],
      ['admit', 1_250, 1_250],
    ]);
    expect(revoked.status).toBe(401);
    expect(simulation.calls).toHaveLength(1);
  });

  test('a key that ended while the body was on its way lets nothing in', () => {
    const simulation = simulate({
      routes: [simulatedRoute('/', { auth: 'required' })],
      pipeline: {
        readBody(context) {
          context.body = [];
          return null;
        },
      },
    });
    const json = ['content-type', 'application/json', 'content-length', '2'];
    const clients = ['good', 'good-until-1100'].map((key) =>
      simulation.request('POST', '/', [...HOST, 'x-api-key', key, ...json]),
    );
    simulation.nowMs = 1_100;
    for (const client of clients) client.handler!.onBody(Buffer.from('{}'), true);
    expect(clients.map(({ status }) => status)).toEqual([0, 401]);
    expect(simulation.calls).toHaveLength(1);
  });

  test('room that comes after the deadline of the route is not waited for', () => {
    const simulation = simulate({ routes: ALL, pipeline: { admit: () => roomAt(11_001) } });
    const client = simulation.request('GET', '/');
    expect([client.status, simulation.wakes]).toEqual([429, []]);
    expectSettled(simulation, 1, 0);
  });

  test('nor is room after the deadline of a rule, and waiting ends with it', () => {
    const pipeline = { totalTimeoutMs: () => 300 };
    const late = simulate({ routes: ALL, pipeline: { ...pipeline, admit: () => roomAt(1_301) } });
    expect([late.request('GET', '/').status, late.wakes]).toEqual([429, []]);
    const soon = simulate({
      routes: ALL,
      pipeline: { ...pipeline, admit: ({ nowMonotonicMs }) => roomAt(Math.min(nowMonotonicMs + 200, 1_300)) },
    });
    const client = soon.request('GET', '/');
    for (const nowMs of [1_200, 1_300]) {
      expect(client.status).toBe(0);
      soon.nowMs = nowMs;
      soon.wakes.pop()?.exchange.wake();
    }
    expect(client.status).toBe(429);
    expectSettled(soon, 1, 0);
  });

  test('an upload is not late for the time that it was made to wait', () => {
    const simulation = simulate({
      routes: ALL,
      limits: { requestReadMs: 300 },
      pipeline: { admit: ({ nowMonotonicMs }) => (nowMonotonicMs < 1_400 ? roomAt(1_400) : CONTINUE) },
    });
    const client = simulation.request('POST', '/', [...HOST, 'content-length', '3']);
    const statusAt = (nowMs: number) => {
      simulation.nowMs = nowMs;
      simulation.thread.sweep();
      return client.status;
    };
    expect(statusAt(1_350)).toBe(0);
    simulation.nowMs = 1_400;
    simulation.wakes.pop()!.exchange.wake();
    expect(simulation.calls).toHaveLength(1);
    expect([statusAt(1_699), statusAt(1_700)]).toEqual([0, 408]);
  });

  test('nor is it when too many wait', () => {
    const simulation = simulate({
      routes: ALL,
      limits: { limitWaitersPerThread: 1 },
      pipeline: { admit: () => roomAt(1_250) },
    });
    const statuses = ['/', '/'].map((target) => simulation.request('GET', target).status);
    expect(statuses).toEqual([0, 429]);
    expect(simulation.thread.load()).toMatchObject({ limitWaiters: 1, limitWaitersPerThreadRefused: 1 });
  });

  test('who has waited in vain is refused at the end of its time, and told when there is room', () => {
    const simulation = simulate({
      routes: ALL,
      pipeline: {
        admit: ({ nowMonotonicMs }) => roomAt(Math.min(Math.max(1_250, nowMonotonicMs + 100), 1_500)),
      },
    });
    const client = simulation.request('GET', '/');
    for (const nowMs of [1_250, 1_350, 1_450, 1_500]) {
      expect(client.status).toBe(0);
      simulation.nowMs = nowMs;
      simulation.wakes.pop()!.exchange.wake();
    }
    expect(client.status).toBe(429);
    expect(client.fields.toLowerCase()).toContain('retry-after: 1\r\n');
    expect(simulation.thread.load()).toMatchObject({ limitWaiters: 0 });
    expectSettled(simulation, 1, 0);
  });
});

describe('waiting for a grant', () => {
  function leased() {
    const state = { granted: 0 };
    const simulation = simulate({
      routes: ALL,
      pipeline: { admit: (context) => (state.granted-- > 0 ? RESERVE(context) : { kind: 'wait-for-grant' }) },
    });
    return { simulation, state };
  }

  test('no timer is set; the grant wakes all, first come first, and who finds nothing waits on', () => {
    const { simulation, state } = leased();
    const clients = ['/a', '/b', '/c'].map((path) => simulation.request('GET', path));
    expect([simulation.wakes, simulation.calls]).toEqual([[], []]);
    expect(simulation.thread.load()).toMatchObject({ activeRequests: 3, leaseWaiters: 3 });
    state.granted = 2;
    simulation.thread.grants.arrived();
    expect(simulation.calls.map((call) => call.request.target)).toEqual(['/a', '/b']);
    state.granted = 1;
    simulation.thread.grants.arrived();
    expect(simulation.calls.map((call) => call.request.target)).toEqual(['/a', '/b', '/c']);
    for (const call of simulation.calls) call.head(true, '');
    expect(clients.map((client) => client.status)).toEqual([200, 200, 200]);
    expectSettled(simulation, 3, 3);
  });

  test('the total deadline bounds it, and who has gone is not woken', () => {
    const { simulation, state } = leased();
    const late = simulation.request('GET', '/late');
    simulation.request('GET', '/gone').disconnect();
    simulation.nowMs += 10_000;
    simulation.thread.sweep();
    expect(problemOf(late)).toEqual({ status: 504, code: 'total_timeout' });
    expect(simulation.thread.grants.count).toBe(0);
    state.granted = 2;
    simulation.thread.grants.arrived();
    expect(simulation.calls).toHaveLength(0);
    expectSettled(simulation, 2, 0);
  });
});

describe('deadlines', () => {
  test('the least of service and rules ends a request, with 504 before the answer', () => {
    const simulation = simulate({ routes: ALL, pipeline: { totalTimeoutMs: () => 500 } });
    const client = simulation.request('GET', '/');
    simulation.nowMs += 499;
    simulation.thread.sweep();
    expect(client.state).toBe('open');
    simulation.nowMs += 1;
    simulation.thread.sweep();
    expect(problemOf(client)).toEqual({ status: 504, code: 'total_timeout' });
    expect(simulation.calls[0]!.state).toBe('aborted');
    expectSettled(simulation, 1, 1);
  });

  test('within the answer it breaks the connection', () => {
    const simulation = simulate({ routes: ALL });
    const client = simulation.request('GET', '/');
    simulation.calls[0]!.head(false, 'x');
    simulation.nowMs += 10_000;
    simulation.thread.sweep();
    expect(client.state).toBe('broken');
    expect(simulation.records[0]).toMatchObject({ status: 200, code: 'total_timeout' });
    expectSettled(simulation, 1, 1);
  });

  test('a request that does not arrive in time is refused; until then its connection is kept', () => {
    const simulation = simulate({ routes: ALL, limits: { requestReadMs: 1_000 } });
    const client = simulation.request('POST', '/', [...HOST, 'content-length', '3']);
    simulation.thread.sweep();
    expect(client.keptReading).toBe(1);
    simulation.nowMs += 1_000;
    simulation.thread.sweep();
    expect(problemOf(client)).toEqual({ status: 408, code: 'request_timeout' });
    expectSettled(simulation, 1, 1);
  });
});

/** Whatever happens in whatever order, each request ends once. */
const action = fc.oneof(
  fc.record({ kind: fc.constant('body' as const), bytes: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constantFrom(
      'clientFull',
      'clientDrain',
      'disconnect',
      'upstreamFull',
      'upstreamDrain',
      'fail',
      'sweep',
      'expire',
    ),
  }),
  fc.record({
    kind: fc.constant('head' as const),
    last: fc.boolean(),
    bytes: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({
    kind: fc.constant('data' as const),
    last: fc.boolean(),
    bytes: fc.integer({ min: 0, max: 4 }),
  }),
);
const BODY_BYTES = 8;

test('for every interleaving of client and service: one release, one record, nothing after the end', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 24 }), fc.boolean(), (actions, chunked) => {
      const simulation = simulate({ routes: ALL });
      const framing = chunked ? ['transfer-encoding', 'chunked'] : ['content-length', `${BODY_BYTES}`];
      const client = simulation.request('POST', '/', [...HOST, ...framing]);
      const call = simulation.calls[0]!;
      let sentBody = 0;
      const clientLives = () => client.state !== 'broken' && client.state !== 'done';
      for (const step of actions) {
        // The rest of a body may still come when its request has been answered.
        if (step.kind === 'body' && sentBody < BODY_BYTES && client.state !== 'broken') {
          const bytes = Math.min(step.bytes, BODY_BYTES - sentBody);
          sentBody += bytes;
          client.handler!.onBody(Buffer.alloc(bytes, 'b'), sentBody === BODY_BYTES);
        } else if (step.kind === 'head' && call.state === 'open' && !call.hasHead) {
          call.head(step.last, 'x'.repeat(step.bytes));
        } else if (step.kind === 'data' && call.state === 'open' && call.hasHead) {
          call.data('x'.repeat(step.bytes), step.last);
        } else if (step.kind === 'fail' && call.state === 'open') call.fail();
        else if (step.kind === 'upstreamFull') call.hasRoom = false;
        else if (step.kind === 'upstreamDrain' && call.state === 'open') {
          call.hasRoom = true;
          call.handler.onDrain();
        } else if (step.kind === 'clientFull') client.hasRoom = false;
        else if (step.kind === 'clientDrain' && clientLives()) client.drain();
        else if (step.kind === 'disconnect' && clientLives()) client.disconnect();
        else if (step.kind === 'sweep') simulation.thread.sweep();
        else if (step.kind === 'expire') {
          simulation.nowMs += 10_000;
          simulation.thread.sweep();
        }
      }
      const clean = client.state === 'done' && call.hasHead && simulation.records[0]?.code === '';
      if (clean) expect(client.body).toBe(call.sent);
      expect('b'.repeat(sentBody).startsWith(call.body)).toBe(true);
      if (clientLives()) client.disconnect();
      expect(call.state).not.toBe('open');
      expectSettled(simulation, 1, 1);
    }),
    { numRuns: 5_000 },
  );
});

test('many at once: the sweep and every ending find their way through the list', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 30 }), (order) => {
      const simulation = simulate({ routes: ALL });
      const clients = Array.from({ length: 10 }, () => simulation.request('GET', '/'));
      const ended = new Set<number>();
      for (const index of order) {
        if (!ended.has(index)) clients[index]!.disconnect();
        ended.add(index);
        expect(simulation.thread.inFlight).toBe(10 - ended.size);
      }
      simulation.nowMs += 10_000;
      simulation.thread.sweep();
      expectSettled(simulation, 10, 10);
    }),
    { numRuns: 200 },
  );
});

describe('a signed body', () => {
  const ROUTES = [
    simulatedRoute('/{rest...}', {
      auth: 'required',
      identify: { keys: false, issuers: [], certificates: false, signatures: true },
      maxBodyBytes: 8,
    }),
  ];
  const SIGNED = [...HOST, 'signature-input', 'sig=()', 'signature', 'sig=::'];

  function start(signer = 'good', isSigned = (body: string): boolean => body === 'abcdef') {
    const asked: SignedRequest[] = [];
    const simulation = simulate({
      routes: ROUTES,
      signatures: {
        accepted: 'sig=("@path")',
        verify(request, source, wallMs) {
          asked.push(request);
          const nameHash = Buffer.from(signer);
          const known = source.identifyByName(nameHash, wallMs) as KnownKey;
          return { known, nameHash, isSigned: (bytes) => isSigned(Buffer.from(bytes).toString()) };
        },
      },
    });
    return { simulation, asked };
  }

  test.each([
    ['of known length', ['content-length', '6']],
    ['in chunks', ['transfer-encoding', 'chunked']],
  ])('%s goes to the service when all of it is known to be right, not before', (_framing, framing) => {
    const { simulation, asked } = start();
    const nominated = ['connection', 'close, X-A', 'x-a', '1'];
    const client = simulation.request('POST', '/a/./b?x=1', [...SIGNED, ...nominated, ...framing]);
    client.handler!.onBody(Buffer.from('abc'), false);
    expect(simulation.calls).toEqual([]);
    client.handler!.onBody(Buffer.from('def'), true);
    const [call] = simulation.calls;
    expect(call).toMatchObject({ body: 'abcdef', bodyEnded: true });
    expect(call!.request.fieldLines).not.toContain('signature');
    call!.head(true, 'fine');
    expectSettled(simulation, 1, 1);
    expect(asked).toMatchObject([
      { path: '/a/./b', query: 'x=1', body: 'some', authority: 'a.test', connectionFields: ['x-a'] },
    ]);
    expect(simulation.thread.buffered.used).toBe(0);
  });

  test('another one is refused, and nothing of it is sent', () => {
    const { simulation } = start();
    const client = simulation.request('POST', '/', [...SIGNED, 'content-length', '6']);
    client.handler!.onBody(Buffer.from('abcdeX'), true);
    expect(problemOf(client)).toEqual({ status: 400, code: 'digest_mismatch' });
    expect(simulation.calls).toEqual([]);
    expectSettled(simulation, 1, 0);
  });

  test('one that was taken away is missed', () => {
    const { simulation } = start();
    const client = simulation.request('GET', '/', SIGNED);
    expect(problemOf(client)).toEqual({ status: 400, code: 'digest_mismatch' });
    const { simulation: other } = start('good', (body) => body === '');
    other.request('GET', '/', SIGNED);
    expect(other.calls).toHaveLength(1);
  });

  test('more than the route takes is refused', () => {
    const { simulation } = start();
    const client = simulation.request('POST', '/', [...SIGNED, 'transfer-encoding', 'chunked']);
    client.handler!.onBody(Buffer.from('123456789'), false);
    expect(problemOf(client)).toEqual({ status: 413, code: 'body_too_large' });
    expectSettled(simulation, 1, 0);
  });

  test('a credential that ends while it is read lets nobody in; the signature is asked about once', () => {
    const { simulation, asked } = start('good-until-1100');
    const client = simulation.request('POST', '/', [...SIGNED, 'content-length', '6']);
    simulation.nowMs = 1_100;
    client.handler!.onBody(Buffer.from('abcdef'), true);
    expect(problemOf(client)).toEqual({ status: 401, code: 'signature_invalid' });
    expect(client.fields).toContain('accept-signature: sig=("@path")');
    expect(asked).toHaveLength(1);
  });

  test('a key beside it says two things', () => {
    const routes = [{ ...ROUTES[0]!, identify: { ...ROUTES[0]!.identify, keys: true } }];
    const client = simulate({ routes }).request('GET', '/', [...SIGNED, 'x-api-key', 'good']);
    expect(problemOf(client)).toEqual({ status: 400, code: 'conflicting_credentials' });
  });
});

describe('a WebSocket', () => {
  test('that is refused before it is open is recorded with the bytes of its problem', () => {
    const simulation = simulate({
      routes: [simulatedRoute('/', { websocket: { idleMs: 60_000, totalMs: 1_000 } })],
      pipeline: { totalTimeoutMs: () => 1_000 },
    });
    const client = new SimulatedClient();
    client.canUpgrade = true;
    simulation.request('GET', '/', ['host', 'a.test'], client);
    simulation.nowMs += 1_001;
    simulation.thread.sweep();
    expect(problemOf(client)).toEqual({ status: 504, code: 'total_timeout' });
    expect(simulation.records).toMatchObject([
      { status: 504, code: 'total_timeout', requestBytes: 0, responseBytes: client.body.length },
    ]);
  });
});
