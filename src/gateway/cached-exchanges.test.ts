/** Requests whose answers rules let be kept, over the simulated exchange: what is fetched, what is not, and for whom. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonText } from '../base/json/json-text.cases.ts';
import { PLAIN_CALL } from '../model/model-call.cases.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { Identity } from '../pipeline/identity.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import type { BarredPools, RoutePipeline } from '../pipeline/program.ts';
import {
  RESERVE,
  SimulatedClient,
  type Simulation,
  type SimulationOptions,
  simulate,
  simulatedRoute,
} from './exchange.cases.ts';

const ROUTES = [
  simulatedRoute('/items/{id}'),
  simulatedRoute('/v1/chat/completions', { name: 'chat', ai: 'openai/chat', maxBodyBytes: 10_000 }),
];
const FOR_MS = 60_000;
const keyHash = { high: 0, low: 0 };

function caller(tenant: string, team: string | null = null, roles: readonly string[] = []): Identity {
  return {
    tenant: { name: tenant, plan: 'gold', priority: 'normal', share: 1, attributes: {}, keyHash },
    team: team === null ? null : { name: team, attributes: {}, keyHash },
    consumer: { name: 'app', attributes: {}, keyHash, roles, subscriptions: new Set() },
    credential: { name: 'key', kind: 'key', keyHash, createdMs: 0, expiresMs: null },
  };
}

/** Who asks next is `asking`. */
class Caching {
  asking: Identity | null = caller('acme');
  /** Whether admission saw an answer at hand, request by request. */
  readonly admitted: boolean[] = [];
  /** Of the last call. */
  call: ModelRequest | null = null;
  barred: BarredPools | null = null;
  readonly simulation: Simulation;

  constructor(pipeline: Partial<RoutePipeline> = {}, options: Partial<SimulationOptions> = {}) {
    this.simulation = simulate({
      routes: ROUTES,
      readCall: (text) => this.#read(text),
      ...options,
      pipeline: {
        authorise: (context) => {
          context.identity = this.asking;
          return CONTINUE;
        },
        admit: (context: RequestContext) => {
          this.admitted.push(context.cached);
          return RESERVE(context);
        },
        cacheForMs: () => FOR_MS,
        barredPools: () => this.barred,
        ...pipeline,
      },
    });
  }

  readonly #read: ModelService['read'] = (text) => {
    const document = jsonText(text)!;
    const facts = { ...PLAIN_CALL, promptBytes: text.length };
    const pools = ['one', 'two'];
    this.call = {
      ...{ document, facts, relyOnCap: false, unbounded: { input: '', output: '', money: '' } },
      prompt: 'bytes',
      model: {
        ...{ name: 'gpt', upstreamName: 'gpt', pools, tags: [], price: null },
        ...{
          datedPrices: [],
          poolPrices: [],
          contextTokens: null,
          outputTokensMax: null,
          answerTokensMost: null,
          searches: false,
          tokenizer: null,
        },
        place: '',
      },
      amounts: { inputTokens: 1, outputTokens: 1, costNano: 0, countedTokens: null },
      bounds: {
        ...{
          tokens: 2,
          'input-tokens': 1,
          'output-tokens': 1,
          'cached-tokens': 1,
          'reasoning-tokens': 1,
          money: 1,
        },
      },
      use: {
        pool: '',
        key: '',
        charged: 'nothing',
        isWhole: false,
        brokenOff: '',
        doubt: '',
        usage: null,
        costNano: null,
      },
    };
    return this.call;
  };

  get(target: string, fields: readonly string[] = [], client = new SimulatedClient()): SimulatedClient {
    return this.simulation.request('GET', target, ['host', 'a.test', ...fields], client);
  }

  post(body: string, client = new SimulatedClient()): SimulatedClient {
    const length = String(body.length);
    const fields = ['host', 'a.test', 'content-type', 'application/json', 'content-length', length];
    this.simulation.request('POST', '/v1/chat/completions', fields, client);
    client.handler!.onBody(Buffer.from(body), true);
    return client;
  }

  /** The service answers what it was asked last. */
  answer(body: string, fields: readonly string[] = []): void {
    this.simulation.calls.at(-1)!.head(true, body, { fields, bodyBytes: body.length });
  }

  /** The same of a provider, with a stream. */
  stream(pieces: readonly string[], pool: string, isWhole = true): void {
    const call = this.simulation.calls.at(-1)!;
    const { use } = this.call!;
    call.head(false, '', { fields: ['content-type', 'text/event-stream'] });
    for (const piece of pieces) call.data(piece, false);
    Object.assign(use, { pool, isWhole, charged: 'reserve' });
    call.data('data: [DONE]\n\n', true);
  }

  get fetched(): number {
    return this.simulation.calls.length;
  }

  get record() {
    return this.simulation.records.at(-1)!;
  }
}

function fieldOf(client: SimulatedClient, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'm').exec(client.fields)?.[1];
}

describe('an answer of a service', () => {
  test('does for the next request that asks for the same, which waits for nobody and says how old it is', () => {
    const caching = new Caching();
    const first = caching.get('/items/1?a=b');
    caching.answer('one', ['content-type', 'text/plain', 'age', '3', 'x-item', 'a']);
    caching.simulation.nowMs += 10_500;
    const second = caching.get('/items/1?a=b');
    expect([caching.fetched, second.status, second.body]).toEqual([1, 200, 'one']);
    expect([fieldOf(first, 'age'), fieldOf(first, 'cache-status')]).toEqual(['3', 'portunus; fwd=miss']);
    expect([fieldOf(second, 'age'), fieldOf(second, 'x-item')]).toEqual(['13', 'a']);
    expect(fieldOf(second, 'cache-status')).toBe('portunus; hit; ttl=49');
    expect(caching.simulation.records.map(({ cache }) => cache)).toEqual(['miss', 'hit']);
    expect(caching.record).toMatchObject({ status: 200, attempts: 0, dispatchedUs: -1, responseBytes: 3 });
    expect(caching.admitted).toEqual([false, true]);
    expect(caching.simulation.releases).toHaveLength(2);
  });

  test('is fetched anew once its time is over', () => {
    const caching = new Caching();
    caching.get('/items/1');
    caching.answer('one');
    caching.simulation.nowMs += FOR_MS;
    const later = caching.get('/items/1');
    caching.answer('two');
    expect([later.body, fieldOf(later, 'cache-status')]).toEqual(['two', 'portunus; fwd=stale']);
  });

  test('is no older than rules let it be for this caller', () => {
    let forMs = FOR_MS;
    const caching = new Caching({ cacheForMs: () => forMs });
    caching.get('/items/1');
    caching.answer('one');
    caching.simulation.nowMs += 2_000;
    forMs = 1_000;
    expect(fieldOf(answered(caching, caching.get('/items/1')), 'cache-status')).toBe('portunus; fwd=stale');
    forMs = 0;
    const uncached = answered(caching, caching.get('/items/1'));
    expect([fieldOf(uncached, 'cache-status'), caching.record.cache]).toEqual([undefined, '']);
  });

  test.each<[string, string, string[]]>([
    ['another query', '/items/1?a=c', []],
    ['another path', '/items/2', []],
    ['a field that the service sees', '/items/1', ['accept', 'text/html']],
    ['a cookie', '/items/1', ['cookie', 'a=b']],
  ])('does not do for %s', (_, target, fields) => {
    const caching = new Caching();
    caching.get('/items/1');
    caching.answer('one');
    caching.get(target, fields);
    expect(caching.fetched).toBe(2);
  });

  test('does where only fields differ that say nothing of what is asked', () => {
    const caching = new Caching();
    caching.get('/items/1', ['user-agent', 'a', 'x-stainless-retry-count', '0']);
    caching.answer('one');
    caching.get('/items/1', ['user-agent', 'b', 'x-stainless-retry-count', '1']);
    expect(caching.fetched).toBe(1);
  });

  test('is told apart by what rules set in requests, and shaped for each caller', () => {
    let named = 'a';
    const caching = new Caching({
      shapeRequest: (_, edits) => void edits.set.push('user-agent', named),
      shapeResponse: (_, edits) => void edits.set.push('x-for', named),
    });
    caching.get('/items/1');
    caching.answer('one');
    expect(fieldOf(caching.get('/items/1'), 'x-for')).toBe('a');
    named = 'b';
    caching.get('/items/1');
    expect(caching.fetched).toBe(2);
  });

  test.each<[string, string[], string]>([
    ['no-cache', ['cache-control', 'no-cache'], 'portunus; fwd=request'],
    ['max-age', ['cache-control', 'max-age=1'], 'portunus; fwd=request'],
    ['min-fresh', ['cache-control', 'min-fresh=59'], 'portunus; fwd=request'],
    ['no-store', ['cache-control', 'no-store'], 'portunus; fwd=bypass'],
    ['a condition', ['if-none-match', '"a"'], 'portunus; fwd=bypass'],
  ])('is not used where the caller wishes %s', (_, fields, status) => {
    const caching = new Caching();
    caching.get('/items/1');
    caching.answer('one');
    caching.simulation.nowMs += 2_000;
    const next = caching.get('/items/1', fields);
    caching.answer('two');
    expect([next.body, fieldOf(next, 'cache-status')]).toEqual(['two', status]);
  });

  // RFC 9111, 5.2.1.1 and 5.2.1.3: as old, and as long fresh, as the caller says will do
  test.each(['max-age=2', 'min-fresh=58'])('is used where the caller wishes %s', (wish) => {
    const caching = new Caching();
    caching.get('/items/1');
    caching.answer('one');
    caching.simulation.nowMs += 2_000;
    expect(caching.get('/items/1', ['cache-control', wish]).body).toBe('one');
  });

  test('is not kept where it was cut off, is too long, or is for its caller alone', () => {
    const caching = new Caching({}, { limits: { cachedAnswerBytes: 1_024 } });
    const tries: (() => void)[] = [
      () => {
        caching.simulation.calls.at(-1)!.head(false, 'on', { bodyBytes: 3 });
        caching.simulation.calls.at(-1)!.fail();
      },
      () => caching.answer('x'.repeat(1_025)),
      () => {
        const call = caching.simulation.calls.at(-1)!;
        call.head(false, 'x'.repeat(600));
        call.data('x'.repeat(600), true);
      },
      () => caching.answer('one', ['cache-control', 'private']),
      () => caching.simulation.calls.at(-1)!.head(true, 'one', { status: 404 }),
      () => caching.simulation.calls.at(-1)!.head(true, 'one', { untilClose: true }),
    ];
    for (const answer of tries) {
      caching.get('/items/1');
      answer();
    }
    expect(caching.fetched).toBe(tries.length);
    expect(caching.simulation.thread.answers.bytes).toBe(0);
  });

  test.each<[string, number, number]>([
    ['PUT', 204, 3],
    ['DELETE', 200, 3],
    ['POST', 500, 2],
    ['OPTIONS', 200, 2],
  ])(
    'is forgotten once a %s there was answered %d, if that may have changed it',
    (method, status, fetched) => {
      const caching = new Caching();
      caching.get('/items/1');
      caching.answer('one');
      caching.simulation.request(method, '/items/1', ['host', 'a.test']);
      caching.simulation.calls.at(-1)!.head(true, '', { status });
      caching.get('/items/1');
      expect(caching.fetched).toBe(fetched);
    },
  );

  test('holds nothing of the cache once its caller has gone', () => {
    const caching = new Caching();
    const client = caching.get('/items/1');
    caching.simulation.calls[0]!.head(false, 'on', { bodyBytes: 3 });
    expect(caching.simulation.thread.answers.bytes).toBeGreaterThan(0);
    client.disconnect();
    expect(caching.simulation.thread.answers.bytes).toBe(0);
  });

  test('is refused like any other where limits of requests have no room', () => {
    let isFull = false;
    const refusal = {
      ...{ status: 429, code: 'limited', detail: '', ruleIndex: 0, retryAfterS: 1 },
      ...{ rateLimit: '', rateLimitPolicy: '' },
    };
    const caching = new Caching({
      admit: (context) => (isFull ? { kind: 'respond', refusal } : RESERVE(context)),
    });
    caching.get('/items/1');
    caching.answer('one');
    isFull = true;
    expect(caching.get('/items/1').status).toBe(429);
    expect(caching.record.cache).toBe('');
  });
});

function answered(caching: Caching, client: SimulatedClient): SimulatedClient {
  caching.answer('other');
  return client;
}

describe('an answer of a model', () => {
  const EVENTS = ['data: {"a":1}\n\n', 'data: {"a":2}\n\n'];
  const WHOLE = `${EVENTS.join('')}data: [DONE]\n\n`;

  test('that was a stream is one again, and uses no tokens and no money', () => {
    const caching = new Caching();
    caching.post('{"model":"gpt"}');
    caching.stream(EVENTS, 'one');
    const client = caching.post('{"model":"gpt"}');
    expect([caching.fetched, client.body, client.state]).toEqual([1, WHOLE, 'done']);
    expect(fieldOf(client, 'content-type')).toBe('text/event-stream');
    expect(caching.record).toMatchObject({
      ...{ cache: 'hit', model: 'gpt', target: '', inputTokens: 0, outputTokens: 0, costNano: 0 },
    });
    expect(caching.simulation.settled.at(-1)!.actuals).toMatchObject({ tokens: 0, money: 0 });
    expect(caching.simulation.thread.buffered.used).toBe(0);
  });

  test('waits for a client that takes it slowly', () => {
    const caching = new Caching();
    const long = `data: ${'x'.repeat(200_000)}\n\n`;
    caching.post('{"model":"gpt"}');
    caching.stream([long], 'one');
    const client = new SimulatedClient();
    client.hasRoom = false;
    caching.post('{"model":"gpt"}', client);
    expect(client.body.length).toBeLessThan(long.length);
    while (client.state !== 'done') client.drain();
    expect(client.body).toBe(`${long}data: [DONE]\n\n`);
  });

  test('is not kept where the stream was cut, however cleanly it ended', () => {
    const caching = new Caching();
    caching.post('{"model":"gpt"}');
    caching.stream(EVENTS, 'one', false);
    caching.post('{"model":"gpt"}');
    expect(caching.fetched).toBe(2);
  });

  test('does not do for a caller whose rules bar the pool that it came from', () => {
    const caching = new Caching();
    caching.post('{"model":"gpt"}');
    caching.stream(EVENTS, 'one');
    caching.barred = { pools: new Set(['one']), cases: [0] };
    caching.post('{"model":"gpt"}');
    expect([caching.fetched, caching.record.cache]).toEqual([2, 'miss']);
    caching.stream(EVENTS, 'two');
    caching.post('{"model":"gpt"}');
    expect(caching.fetched).toBe(2);
  });

  test('does not do for other words, nor for an order of pools that rules change', () => {
    let order: readonly string[] | null = null;
    const caching = new Caching({ poolsFor: () => order });
    caching.post('{"model":"gpt"}');
    caching.stream(EVENTS, 'one');
    caching.post('{"model": "gpt"}');
    caching.stream(EVENTS, 'one');
    order = ['two', 'one'];
    caching.post('{"model":"gpt"}');
    expect(caching.fetched).toBe(3);
  });
});

test('nobody is ever answered with what another tenant, team or role was answered', () => {
  const callers = [
    ...[null, caller('a'), caller('b'), caller('a', 'b'), caller('ab'), caller('a', 'ab')],
    ...[caller('a', null, ['b']), caller('a', null, ['b', 'c']), caller('a', null, ['b,c'])],
  ];
  const step = fc.record({
    who: fc.nat(callers.length - 1),
    target: fc.constantFrom('/items/1', '/items/2', '/items/1?q', '/items/1?r'),
    afterMs: fc.constantFrom(0, 1_000, FOR_MS),
  });
  let hits = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 30 }), (steps) => {
      const caching = new Caching({}, { limits: { cachedAnswersPerThread: 5 } });
      for (const { who, target, afterMs } of steps) {
        caching.simulation.nowMs += afterMs;
        caching.asking = callers[who]!;
        const before = caching.fetched;
        const client = caching.get(target);
        const own = `${who} ${target}`;
        if (caching.fetched > before) caching.answer(own);
        else hits++;
        expect(client.body).toBe(own);
      }
    }),
    { numRuns: 60 },
  );
  expect(hits).toBeGreaterThan(0);
});
