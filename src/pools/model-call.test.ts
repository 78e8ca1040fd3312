import { describe, expect, it } from 'vitest';
import type { KeyLimit } from '../model/pools.ts';
import { Models, perMinute } from './model-call.cases.ts';

const HELLO = { model: 'gpt', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 10 };
const ANSWER = { id: 'c', choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } };
const TWO_KEYS = [{ name: 'pool', keys: [{ name: 'a' }, { name: 'b' }] }];

describe('what leaves', () => {
  it('is the body as it came, with a key of the pool, to the path of the operation', () => {
    const models = new Models({ pools: TWO_KEYS });
    const text = '{ "model":"gpt",\n "messages": [ ],"max_tokens":10 ,"unknown_to_us":1.50}';
    const caller = models.call(text);
    const [call] = models.newCalls();
    expect(call!.body).toBe(text);
    expect(call!.key).toBe('secret-of-a');
    expect(call!.request).toMatchObject({
      target: '/chat/completions',
      bodyBytes: text.length,
      repeatable: false,
    });
    call!.answer(200, ANSWER);
    expect(JSON.parse(caller.body)).toEqual(ANSWER);
    expect(caller.head!.status).toBe(200);
  });

  it('names the model as its provider does, and asks a stream for its usage', () => {
    const models = new Models({ pools: TWO_KEYS, model: { upstreamName: 'gpt-2026' } });
    models.call({ ...HELLO, stream: true });
    expect(JSON.parse(models.newCalls()[0]!.body)).toEqual({
      ...HELLO,
      model: 'gpt-2026',
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

describe('requests that are no calls', () => {
  it.each([
    ['{"model":"gpt",', 'model_request_malformed', /^The body is not sound JSON: .*, at byte 15\.$/],
    [{ messages: [] }, 'model_required', /^The request names no model: "model" is missing\.$/],
    [{ model: 'other' }, 'model_not_found', /^There is no model "other" here\.$/],
    [
      { model: 'gpt', max_tokens: -1 },
      'model_request_malformed',
      /^"max_tokens" must be a whole number, 1 or more\.$/,
    ],
  ])('%j is %s', (body, code, sentence) => {
    const models = new Models({ pools: TWO_KEYS });
    const { error } = models.call(body);
    expect(error).toMatchObject({ code, unprocessed: true });
    expect(error!.sentence).toMatch(sentence);
    expect(models.calls).toEqual([]);
  });
});

describe('a key that is throttled', () => {
  it('is left alone for as long as its provider says, and proven by one call', () => {
    const models = new Models({ pools: TWO_KEYS });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(429, { error: { type: 'requests' } }, ['retry-after', '5']);
    const [second] = models.newCalls();
    expect(second!.key).toBe('secret-of-b');
    second!.answer(200, ANSWER);
    expect(caller.head!.status).toBe(200);
    models.pass(4_999);
    for (let nth = 0; nth < 4; nth++) models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(Array(4).fill('secret-of-b'));
    models.pass(1);
    for (let nth = 0; nth < 3; nth++) models.call(HELLO);
    const keys = models.calls.map(({ key }) => key);
    expect(keys.filter((key) => key === 'secret-of-a')).toHaveLength(1);
  });

  it('costs the caller nothing but an answer with the first moment of return where all are', () => {
    const models = new Models({ pools: TWO_KEYS });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '9']);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '4']);
    models.pass(0);
    expect(caller.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 4, attempts: 2 });
    const later = models.call(HELLO);
    expect(later.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 4, attempts: 0 });
    expect(models.calls).toEqual([]);
  });
});

describe('what speaks of the caller', () => {
  it('stays with the gateway: the provider gets one credential, that of the pool', () => {
    const models = new Models({
      pools: TWO_KEYS,
      provider: { headers: [{ name: 'x-version', value: '7' }] },
    });
    const fieldLines =
      'Authorization: Basic x\r\ncontent-type: application/json\r\nX-Api-Key: y\r\nOpenAI-Organization: org\r\ncookie: c\r\nx-forwarded-for: 1.2.3.4\r\n';
    models.call(HELLO, 'openai/chat', { fieldLines });
    expect(models.newCalls()[0]!.request.fieldLines).toBe(
      'content-type: application/json\r\nauthorization: Bearer secret-of-a\r\nx-version: 7\r\n',
    );
  });

  it('and what a provider says of the account or the key, in refusals too', () => {
    const models = new Models({ pools: TWO_KEYS });
    const told = models.call(HELLO);
    models
      .newCalls()[0]!
      .answer(400, { error: { message: 'No.' } }, ['openai-organization', 'org-x', 'set-cookie', 'a=b']);
    expect(told.head!.fields).toEqual(['content-type', 'application/json']);
    const leaking = models.call(HELLO);
    const [call] = models.newCalls();
    call!.answer(400, { error: { message: `Not with ${call!.key}` } });
    models.pass(0);
    expect(leaking).toMatchObject({ body: '', error: { code: 'upstream_malformed_answer' } });
  });
});

it('a request without a body is answered', () => {
  const models = new Models({ pools: TWO_KEYS });
  expect(models.empty().error).toMatchObject({ code: 'model_request_malformed' });
});

it('an endless refusal is read no longer than it says anything', () => {
  const models = new Models({ pools: TWO_KEYS, limits: { providerErrorBytes: 1_024 } });
  const caller = models.call(HELLO);
  const [call] = models.newCalls();
  call!.head(429, 'x'.repeat(600), false, ['retry-after', '5']);
  call!.stream('x'.repeat(600));
  expect(call!.aborted).toBe(true);
  models.newCalls()[0]!.answer(200, ANSWER);
  expect(caller.head!.status).toBe(200);
});

it('a caller can ask for no more than would end all reckoning', () => {
  const models = new Models({
    pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('requests', 60)] }] }],
  });
  models.call({ ...HELLO, max_tokens: 9e15, n: 9e15 });
  models.call({ ...HELLO, max_tokens: 9e15, n: 9e15 });
  expect(models.newCalls()).toHaveLength(2);
});

describe('a key that its provider does not know', () => {
  it('is not given up for calls that were under way together', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    for (let nth = 0; nth < 3; nth++) models.call(HELLO);
    for (const call of models.newCalls()) call.answer(401, {});
    expect(models.registry.health.state(0)).toBe('suspect');
  });

  it('serves one call at a time while it is suspect, and others wait for that one', () => {
    const queue = { upToMs: 60_000, waiting: 9 };
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(401, {});
    models.pass(0);
    models.call(HELLO);
    const waiting = models.call(HELLO);
    expect(models.calls).toHaveLength(1);
    expect(waiting.error).toBeNull();
    models.newCalls()[0]!.answer(200, ANSWER);
    models.pass(100);
    expect(models.newCalls()).toHaveLength(1);
  });

  it('is invalid once it was refused twice, and callers see nothing of it', () => {
    const models = new Models({ pools: TWO_KEYS });
    const first = models.call(HELLO);
    models.newCalls()[0]!.answer(401, { error: {} });
    expect(models.registry.health.state(0)).toBe('suspect');
    models.newCalls()[0]!.answer(200, ANSWER);
    expect(first.head!.status).toBe(200);
    const second = models.call(HELLO);
    const [proof] = models.newCalls();
    expect(proof!.key).toBe('secret-of-a');
    proof!.answer(401, { error: {} });
    models.newCalls()[0]!.answer(200, ANSWER);
    expect(second.head!.status).toBe(200);
    expect(models.registry.health.state(0)).toBe('invalid');
    models.call(HELLO);
    models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-b', 'secret-of-b']);
  });

  it('is well again when its next call is answered', () => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
      limits: { providerAttempts: 1 },
    });
    models.call(HELLO);
    models.newCalls()[0]!.answer(401, {});
    models.pass(0);
    models.call(HELLO);
    models.newCalls()[0]!.answer(200, ANSWER);
    expect(models.registry.health.state(0)).toBe('active');
  });

  it('leaves nobody to serve where it is the only one: an outage, not a limit', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    models.registry.health.happened(0, 'disable');
    expect(models.call(HELLO).error).toMatchObject({ code: 'no_key_available', attempts: 0 });
  });
});

it('an account without credit is left, though the status is that of a limit', () => {
  const models = new Models({ pools: TWO_KEYS });
  const caller = models.call(HELLO);
  models.newCalls()[0]!.answer(429, { error: { code: 'insufficient_quota' } });
  models.newCalls()[0]!.answer(200, ANSWER);
  expect(caller.head!.status).toBe(200);
  expect(models.registry.health.state(0)).toBe('exhausted');
});

describe('room', () => {
  const limits = [perMinute('tokens', 1_000)];
  const big = { ...HELLO, max_tokens: 900 };

  it('is taken before a call and settled by its usage', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }] });
    models.call(big);
    const [call] = models.newCalls();
    expect(models.call(big).error).toMatchObject({ code: 'keys_exhausted' });
    call!.answer(200, ANSWER);
    models.call(big);
    expect(models.newCalls()).toHaveLength(1);
  });

  it('is kept for the whole answer by providers that reserve it, and given back of the prompt', () => {
    const tokensCounted = 'reserved' as const;
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }],
      provider: { tokensCounted },
    });
    models.call({ ...HELLO, max_tokens: 450 });
    models.newCalls()[0]!.answer(200, ANSWER);
    const [meter] = models.registry.lanes.read(0, models.nowMs).meters;
    expect(meter!.left).toBe(1_000 - 9 - 450);
  });

  it('that is learned from the answer of a call is not taken once more at its end', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    const early = models.call(HELLO);
    const report = ['x-ratelimit-limit-requests', '100', 'x-ratelimit-remaining-requests', '98'];
    models.newCalls()[0]!.answer(200, ANSWER, report);
    expect(early.ended).toBe(true);
    expect(models.registry.lanes.read(0, models.nowMs).meters).toMatchObject([{ amount: 100, left: 98 }]);
  });

  it('of an account is shared by its keys', () => {
    const keys = ['a', 'b'].map((name) => ({ name, account: 'shared', limits }));
    const models = new Models({ pools: [{ name: 'pool', keys }] });
    models.call(big);
    expect(models.call(big).error).toMatchObject({ code: 'keys_exhausted' });
  });

  it('of money is taken at the most that a call can cost, and settled by what it did', () => {
    const price = {
      inputNano: 2_000_000,
      outputNano: 10_000_000,
      cachedNano: 1_000_000,
      requestNano: 5,
      asOf: '',
    };
    const daily: KeyLimit = {
      ...perMinute('cost', 10_000),
      kind: 'fixed',
      windowMs: 86_400_000,
      per: 'account',
    };
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [daily] }] }],
      model: { price },
    });
    const left = () => models.registry.lanes.read(0, models.nowMs).meters[0]!.left;
    models.call({ ...HELLO, max_tokens: 500 });
    const [call] = models.newCalls();
    expect(left()).toBe(10_000 - (2 * call!.body.length + 10 * 500 + 5));
    const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } };
    call!.answer(200, { usage });
    expect(left()).toBe(10_000 - (2 * 5 + 4 + 10 * 3 + 5));
  });

  it('of one model counts in place of that of every model', () => {
    const own: KeyLimit = { ...perMinute('tokens', 100), model: 'gpt' };
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits: [...limits, own] }] }] });
    expect(models.registry.lanes.read(0, models.nowMs).meters).toMatchObject([{ amount: 100 }]);
  });

  it('for a call that no key ever has is said so', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }] });
    expect(models.call({ ...HELLO, max_tokens: 2_000 }).error).toMatchObject({
      code: 'request_exceeds_keys',
    });
  });

  it('is waited for as long as the pool says, and taken in the moment in which it comes', () => {
    const queue = { upToMs: 10_000, waiting: 10 };
    const models = new Models({
      pools: [{ name: 'pool', queue, keys: [{ name: 'a', limits: [perMinute('requests', 6)] }] }],
    });
    // One of the six waits for the 150 ms of refill that are always left to the provider's clock.
    const callers = Array.from({ length: 6 }, () => models.call(HELLO));
    expect(models.newCalls()).toHaveLength(5);
    models.pass(151);
    expect(models.newCalls()).toHaveLength(1);
    callers.push(models.call(HELLO));
    models.pass(9_000);
    expect(models.newCalls()).toHaveLength(0);
    models.pass(1_000);
    expect(models.newCalls()).toHaveLength(1);
    expect(callers.every(({ error }) => error === null)).toBe(true);
    const [next, late] = [models.call(HELLO), models.call(HELLO)];
    models.pass(10_000);
    expect(models.newCalls()).toHaveLength(1);
    expect(next.error).toBeNull();
    expect(late.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 10 });
  });

  it('that waited for is free again when the caller has left', () => {
    const queue = { upToMs: 30_000, waiting: 1 };
    const models = new Models({
      pools: [{ name: 'pool', queue, keys: [{ name: 'a', limits: [perMinute('requests', 6)] }] }],
    });
    for (let nth = 0; nth < 5; nth++) models.call(HELLO);
    const waiting = models.call(HELLO);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted' });
    waiting.call.abort();
    models.call(HELLO);
    models.newCalls();
    models.pass(10_000);
    expect(models.newCalls()).toHaveLength(1);
    expect(waiting.ended).toBe(false);
  });

  it('is told by the provider, and believed at once', () => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('requests', 100)] }] }],
    });
    models.call(HELLO);
    models
      .newCalls()[0]!
      .answer(200, ANSWER, [...['x-ratelimit-limit-requests', '3', 'x-ratelimit-remaining-requests', '2']]);
    models.call(HELLO);
    expect(models.newCalls()).toHaveLength(1);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted' });
  });
});

it('a model without room holds up no other model of its keys', () => {
  const queue = { upToMs: 60_000, waiting: 9 };
  const own: KeyLimit = { ...perMinute('requests', 2), model: 'gpt' };
  const models = new Models({
    pools: [{ name: 'pool', queue, keys: [{ name: 'a', limits: [own] }] }],
    second: 'other',
  });
  for (let nth = 0; nth < 3; nth++) models.call(HELLO);
  expect(models.newCalls()).toHaveLength(1);
  models.call({ ...HELLO, model: 'other' });
  models.pass(50);
  expect(models.newCalls()).toHaveLength(1);
});

describe('a lane that a provider closed', () => {
  const closed = () => {
    const queue = { upToMs: 60_000, waiting: 9 };
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '5']);
    for (let nth = 0; nth < 3; nth++) models.call(HELLO);
    expect(models.newCalls()).toEqual([]);
    models.pass(5_100);
    return models;
  };

  it('is proven again when its proof was refused', () => {
    const models = closed();
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '5']);
    models.pass(4_000);
    expect(models.newCalls()).toEqual([]);
    models.pass(1_200);
    expect(models.newCalls()).toHaveLength(1);
  });

  it('lets those who wait go as soon as its proof is answered', () => {
    const models = closed();
    const [proof, ...others] = models.newCalls();
    expect(others).toEqual([]);
    models.pass(300);
    proof!.answer(200, ANSWER);
    models.pass(100);
    expect(models.newCalls().length).toBeGreaterThanOrEqual(3);
  });
});

describe('limits of another version', () => {
  const slots = { ...perMinute('slots', 2), kind: 'slots', windowMs: 0 } as const;

  it('leave calls under way what they took', () => {
    const limits = [perMinute('requests', 60), slots];
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }] });
    models.call(HELLO);
    models.call(HELLO);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted' });
    models.registry.lanes.declare(0, [perMinute('tokens', 100_000), ...limits], models.nowMs);
    for (const call of models.newCalls()) call.answer(200, ANSWER);
    models.call(HELLO);
    models.call(HELLO);
    expect(models.newCalls()).toHaveLength(2);
  });

  it('that are declared no more limit nothing, and what was learned stays', () => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('tokens', 50)] }] }],
    });
    expect(models.call(HELLO).error).not.toBeNull();
    models.registry.lanes.declare(0, [], models.nowMs);
    models.call(HELLO);
    models
      .newCalls()[0]!
      .answer(200, ANSWER, ['x-ratelimit-limit-requests', '9', 'x-ratelimit-remaining-requests', '8']);
    models.registry.lanes.declare(0, [], models.nowMs);
    const { meters } = models.registry.lanes.read(0, models.nowMs);
    expect(meters).toMatchObject([{ unit: 'requests', amount: 9, left: 8 }]);
  });

  it('of an account hold for each of its keys, whichever says them', () => {
    const account = { ...perMinute('requests', 3), per: 'account' } as const;
    const keys = [
      { name: 'a', account: 'org', limits: [account] },
      { name: 'b', account: 'org' },
    ];
    const models = new Models({ pools: [{ name: 'pool', keys }] });
    for (let nth = 0; nth < 5; nth++) models.call(HELLO);
    expect(models.newCalls()).toHaveLength(2);
  });
});

describe('another pool', () => {
  const pools = [
    { name: 'first', provider: 'one', keys: [{ name: 'a' }] },
    { name: 'second', provider: 'two', keys: [{ name: 'b' }] },
  ];

  it('serves where the provider has too much to do, and no key is marked for it', () => {
    const models = new Models({ pools });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(503, {});
    const [call] = models.newCalls();
    expect(call).toMatchObject({ provider: 'two', key: 'secret-of-b' });
    call!.answer(200, ANSWER);
    expect(caller.head!.status).toBe(200);
    expect(models.registry.health.state(0)).toBe('active');
  });

  it('is not asked when the first may have worked on the call', () => {
    const models = new Models({ pools });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.fail({ code: 'upstream_closed_before_answer' });
    expect(models.calls).toEqual([]);
    expect(caller.error).toMatchObject({ code: 'upstream_closed_before_answer' });
  });

  it('is asked when nothing can have reached the first', () => {
    const models = new Models({ pools });
    models.call(HELLO);
    models.newCalls()[0]!.fail({ code: 'upstream_connect_failed', unprocessed: true });
    expect(models.newCalls()[0]!.provider).toBe('two');
  });

  it('has no better answer to what is wrong with the request itself', () => {
    const models = new Models({ pools });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(400, { error: { message: 'No.' } });
    expect(models.calls).toEqual([]);
    expect(caller).toMatchObject({ body: '{"error":{"message":"No."}}', ended: true });
    expect(caller.head!.status).toBe(400);
  });
});

describe('a stream', () => {
  const STREAM = ['content-type', 'text/event-stream'];
  const begun = (body: object = {}) => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('tokens', 1_000)] }] }],
    });
    const caller = models.call({ ...HELLO, max_tokens: 800, stream: true, ...body });
    return { models, caller, call: models.newCalls()[0]! };
  };
  const EVENTS = [
    'data: {"choices":[{"delta":{"content":"Hé"}}],"usage":null}\n\n',
    'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n',
    'data: [DONE]\n\n',
  ];

  it('tells its usage to the gateway alone where only the gateway asked', () => {
    const { models, caller, call } = begun();
    call.head(200, EVENTS[0]!, false, STREAM);
    call.stream(EVENTS[1]!);
    call.stream(EVENTS[2]!, true);
    expect(caller.body).toBe(EVENTS[0]! + EVENTS[2]!);
    expect(caller.ended).toBe(true);
    models.call({ ...HELLO, max_tokens: 800 });
    expect(models.newCalls()).toHaveLength(1);
  });

  it('and to the caller where it asked', () => {
    const { caller, call } = begun({ stream_options: { include_usage: true } });
    call.head(200, EVENTS.join(''), true, STREAM);
    expect(caller.body).toBe(EVENTS.join(''));
  });

  it('cut at any byte passes whole', () => {
    const whole = Buffer.from(EVENTS.join(''));
    for (let cut = 0; cut <= whole.length; cut++) {
      const { caller, call } = begun();
      call.head(200, '', false, STREAM);
      call.handler.onData(whole.subarray(0, cut), false);
      call.handler.onData(whole.subarray(cut), true);
      expect(caller.body).toBe(EVENTS[0]! + EVENTS[2]!);
    }
  });

  it('that breaks off at any byte ends with an error that is an event of its own, and its usage counts once', () => {
    const whole = Buffer.from(EVENTS.join(''));
    for (let cut = 0; cut < whole.length; cut++) {
      const { models, caller, call } = begun();
      call.head(200, '', false, STREAM);
      call.handler.onData(whole.subarray(0, cut), false);
      call.fail();
      expect(caller.ended).toBe(true);
      const events = caller.body.split('\n\n').filter((event) => event !== '');
      const last = JSON.parse(events.at(-1)!.replace('data: ', ''));
      expect(last.error.code).toBe('upstream_closed_in_answer');
      for (const event of events.slice(0, -1)) expect(EVENTS).toContain(`${event}\n\n`);
      const toldUsage = cut >= Buffer.byteLength(EVENTS[0]! + EVENTS[1]!);
      models.call({ ...HELLO, max_tokens: 800 });
      expect(models.calls).toHaveLength(toldUsage ? 1 : 0);
    }
  });

  it('whose caller leaves is ended, and its room counts as used', () => {
    const { models, caller, call } = begun();
    call.head(200, EVENTS[0]!, false, STREAM);
    caller.call.abort();
    expect(call.aborted).toBe(true);
    expect(models.call({ ...HELLO, max_tokens: 800 }).error).toMatchObject({ code: 'keys_exhausted' });
  });
});

it('fields of the account stay with the gateway', () => {
  const models = new Models({ pools: TWO_KEYS });
  const caller = models.call(HELLO);
  models
    .newCalls()[0]!
    .answer(200, ANSWER, [
      ...['x-ratelimit-remaining-requests', '7', 'openai-organization', 'org-x', 'x-request-id', 'r'],
    ]);
  expect(caller.head!.fields).toEqual(['content-type', 'application/json', 'x-request-id', 'r']);
});

describe('the choice among keys with room', () => {
  const keys = [1, 2, 3].map((nth) => ({
    name: `k${nth}`,
    priority: nth === 3 ? 1 : 2,
    weight: nth,
    limits: [perMinute('requests', 60)],
  }));
  const serve = (models: Models): string => {
    models.call(HELLO);
    const [call] = models.newCalls();
    call!.answer(200, ANSWER);
    return call!.key.replace('secret-of-', '');
  };

  it('is the one with the largest share left of its scarcest limit', () => {
    const models = new Models({ pools: [{ name: 'pool', keys }] });
    expect([serve(models), serve(models), serve(models), serve(models)]).toEqual(['k1', 'k2', 'k3', 'k1']);
  });

  it('by priority is the first one as long as it has room', () => {
    const models = new Models({ pools: [{ name: 'pool', choose: 'priority', keys }] });
    const chosen = Array.from({ length: 100 }, () => serve(models));
    expect(new Set(chosen.slice(0, 59))).toEqual(new Set(['k3']));
    expect(chosen.slice(60)).not.toContain('k3');
  });

  it('by weight follows it', () => {
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0);
    const many = keys.map((key) => ({ ...key, limits: [] }));
    const models = new Models({ pools: [{ name: 'pool', choose: 'weighted', keys: many }], random });
    const counts = { k1: 0, k2: 0, k3: 0 };
    for (let nth = 0; nth < 3_000; nth++) counts[serve(models) as keyof typeof counts]++;
    expect(counts.k1 / 500).toBeCloseTo(1, 0);
    expect(counts.k2 / 1_000).toBeCloseTo(1, 0);
    expect(counts.k3 / 1_500).toBeCloseTo(1, 0);
  });

  it('stays with a conversation while its key has room', () => {
    const models = new Models({ pools: [{ name: 'pool', sticky: 'conversation', keys }] });
    const say = (first: string, ...more: string[]): string => {
      const messages = [first, ...more].map((content, nth) => ({
        role: nth % 2 === 0 ? 'user' : 'assistant',
        content,
      }));
      models.call({ ...HELLO, messages });
      const [call] = models.newCalls();
      call!.answer(200, ANSWER);
      return call!.key;
    };
    const openings = Array.from({ length: 20 }, (_, nth) => `Question ${nth}`);
    const first = openings.map((opening) => say(opening));
    expect(new Set(first).size).toBe(3);
    expect(openings.map((opening) => say(opening, 'An answer', 'And then?'))).toEqual(first);
    for (let nth = 0; nth < 60; nth++)
      models.registry.lanes.take([models.laneOf(first[0]!)], NO_TOKENS, models.nowMs);
    expect(say(openings[0]!)).not.toBe(first[0]);
  });
});

const NO_TOKENS = { inputTokens: 0, outputTokens: 0, costNano: 0 };

it('a key that was given up comes back with another secret, also over the end of the process', () => {
  const options = { pools: [{ name: 'pool', keys: [{ name: 'a' }] }] };
  const before = new Models(options);
  before.registry.health.begin(0, 'invalid');
  const saved = before.registry.save(before.models);
  const restores = { saved, shiftMs: 0 };
  expect(new Models({ ...options, restores }).registry.health.state(0)).toBe('invalid');
  expect(new Models({ ...options, restores, secretPrefix: 'new' }).registry.health.state(0)).toBe('active');
});

describe('what is kept over the end of the process', () => {
  it('is the state of keys, and what is used of limits', () => {
    const limits = [perMinute('requests', 60)];
    const options = {
      pools: [
        {
          name: 'pool',
          keys: [
            { name: 'a', limits },
            { name: 'b', limits },
          ],
        },
      ],
    };
    const before = new Models(options);
    before.registry.health.happened(0, 'disable');
    for (let nth = 0; nth < 59; nth++) before.call(HELLO);
    before.pass(200);
    before.call(HELLO);
    expect(before.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 1 });
    const saved = JSON.parse(JSON.stringify(before.registry.save(before.models)));
    // Another clock, half a second later.
    const after = new Models({
      ...options,
      restores: { saved, shiftMs: 50_000 - before.nowMs - 500 },
      nowMs: 50_000,
    });
    expect(after.registry.health.state(0)).toBe('disabled');
    after.call(HELLO);
    expect(after.newCalls()).toHaveLength(0);
    after.pass(1_000);
    after.call(HELLO);
    expect(after.newCalls().map(({ key }) => key)).toEqual(['secret-of-b']);
  });

  it('is a wait that a provider asked for', () => {
    const options = { pools: [{ name: 'pool', keys: [{ name: 'a' }] }] };
    const before = new Models(options);
    before.call(HELLO);
    before.newCalls()[0]!.answer(429, {}, ['retry-after', '30']);
    const saved = JSON.parse(JSON.stringify(before.registry.save(before.models)));
    const after = new Models({
      ...options,
      restores: { saved, shiftMs: 10_000 },
      nowMs: before.nowMs + 10_000,
    });
    expect(after.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 30 });
    after.pass(30_000);
    after.call(HELLO);
    expect(after.newCalls()).toHaveLength(1);
  });
});
