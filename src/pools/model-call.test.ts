import { describe, expect, it } from 'vitest';
import type { KeyHash } from '../pipeline/identity.ts';
import type { ModelRequest } from '../pipeline/model-request.ts';
import type { TargetLimits } from '../pipeline/target-limits.ts';
import { ANSWER, Caller, HELLO, Models, perMinute, TWO_KEYS } from './model-call.cases.ts';

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

describe('a form', () => {
  const part = (head: string, content: string): string =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
  const file = part('name=file; filename="a.mp3"', 'model\r\n\0');
  const form = (model: string): string => `${file}${part('name="model"', model)}--b--\r\n`;

  it('leaves as it came, but for the name of the model', () => {
    const models = new Models({ pools: TWO_KEYS, model: { upstreamName: 'whisper-1' } });
    const call = models.read(form('gpt'), 'openai/transcriptions', 'b');
    models.send(call as ModelRequest, new Caller(), 'openai/transcriptions');
    const [sent] = models.newCalls();
    expect(sent!.body).toBe(form('whisper-1'));
    expect(sent!.request).toMatchObject({
      target: '/audio/transcriptions',
      bodyBytes: form('whisper-1').length,
    });
  });

  it('is refused where it is not sound, or names no model of here', () => {
    const models = new Models({ pools: TWO_KEYS });
    const read = (text: string) => models.read(text, 'openai/transcriptions', 'b');
    expect(read(file)).toEqual({
      code: 'model_request_malformed',
      sentence: `The body is not a sound form: it ends before its last boundary, at byte ${file.length}.`,
    });
    expect(read(`${file}--b--`)).toMatchObject({ code: 'model_required' });
    expect(read(form('other'))).toMatchObject({ code: 'model_not_found' });
    expect(read(`${part('name=model', 'gpt')}${form('gpt')}`)).toEqual({
      code: 'model_request_malformed',
      sentence: '"model" must be given once.',
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
    expect(models.read(body)).toEqual({ code, sentence: expect.stringMatching(sentence) });
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
    models.call(HELLO, 'openai/chat', { fieldLines: 'accept: */*\r\n' });
    expect(models.newCalls()[0]!.request.fieldLines).toBe(
      'accept: */*\r\nauthorization: Bearer secret-of-a\r\nx-version: 7\r\n',
    );
  });

  it('and what a provider says of the account or the key, in refusals too', () => {
    const models = new Models({ pools: TWO_KEYS });
    const told = models.call(HELLO);
    models
      .newCalls()[0]!
      .answer(400, { error: { message: 'No.' } }, ['openai-organization', 'org-x', 'set-cookie', 'a=b']);
    expect(told.head!.fields).toEqual(['content-type', 'application/json']);
    for (const form of [
      (key: string) => key,
      (key: string) => key.replaceAll('-', '\\u002d'),
      (key: string) => Buffer.from(key).toString('base64'),
    ]) {
      const leaking = models.call(HELLO);
      const [call] = models.newCalls();
      call!.answer(400, `{"error":{"message":"Not with ${form(call!.key)}"}}`);
      models.pass(0);
      expect(leaking).toMatchObject({ body: '', error: { code: 'upstream_malformed_answer' } });
    }
    const inField = models.call(HELLO);
    const [call] = models.newCalls();
    call!.answer(400, '{}', ['x-asked-with', `Bearer ${call!.key}`, 'x-other', 'o']);
    expect(inField.head!.fields).toEqual(['content-type', 'application/json', 'x-other', 'o']);
  });
});

it('an answer that would have to be fetched later is refused by name', () => {
  const models = new Models({ pools: TWO_KEYS });
  const asked = { model: 'gpt', input: 'Hello' };
  expect(models.read({ ...asked, background: true }, 'openai/responses')).toMatchObject({
    code: 'background_not_offered',
    sentence: expect.stringContaining('nobody could fetch it'),
  });
  for (const body of [{ ...asked, background: false }, { ...asked, background: null }, asked])
    expect(models.read(body, 'openai/responses')).not.toHaveProperty('code');
  expect(models.read({ ...asked, messages: [], background: true }, 'openai/chat')).not.toHaveProperty('code');
});

it('a request without a body is answered', () => {
  const models = new Models({ pools: TWO_KEYS });
  expect(models.read('')).toMatchObject({ code: 'model_request_malformed' });
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

it('a throttled key is asked nothing in a week in which nobody calls, and takes the first call then (21)', () => {
  const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
  models.call(HELLO);
  models.newCalls()[0]!.answer(429, '{}', ['retry-after', '3600']);
  expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted' });
  models.pass(7 * 86_400_000);
  expect(models.newCalls()).toEqual([]);
  const caller = models.call(HELLO);
  models.newCalls()[0]!.answer(200, ANSWER);
  expect(caller.head!.status).toBe(200);
});

describe('a call that no key has room for any more is told when to come back', () => {
  const throttled = ['retry-after', '40'];

  it('by pools that may be tried alone', () => {
    const models = new Models({
      pools: [
        { name: 'first', provider: 'one', keys: [{ name: 'a' }] },
        { name: 'second', provider: 'two', keys: [{ name: 'b' }] },
      ],
    });
    models.outForMs.set('two', 90_000);
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(429, {}, throttled);
    models.pass(0);
    expect(caller.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 40 });
  });

  it('by what rules allow with each key', () => {
    const models = new Models({ pools: TWO_KEYS });
    const [caller, plan] = [new Caller(), models.read(HELLO) as ModelRequest];
    const rules: TargetLimits = {
      headroom: ({ key }) => (key === 'a' ? 1 : -1),
      fitsAtMs: ({ key }, nowMs) => (key === 'a' ? nowMs : nowMs + 30_000),
      take: ({ key }) => (key === 'a' ? { cancel() {}, end() {} } : null),
      watch() {},
      bounded: () => rules,
      refusal: () => null,
    };
    models.send(plan, caller, 'openai/chat', {}, null, rules);
    models.newCalls()[0]!.answer(429, {}, throttled);
    models.pass(0);
    expect(caller.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 30 });
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

  it('is what a call waits for that has passed over the first, though that comes back sooner', () => {
    const limits = [perMinute('requests', 1)];
    const [first, second] = pools;
    const models = new Models({ pools: [first!, { ...second!, keys: [{ name: 'b', limits }] }] });
    models.registry.health.happened(0, 'disable');
    models.call(HELLO);
    models.newCalls()[0]!.answer(200, ANSWER);
    models.registry.health.happened(0, 'enable');
    const caller = models.call(HELLO);
    models.outForMs.set('one', 5_000);
    models.newCalls()[0]!.answer(503, {});
    models.pass(0);
    expect(caller.error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 60 });
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

  it('serves while the provider of the first is left alone, which gets no call and is not waited for', () => {
    const models = new Models({ pools });
    models.outForMs.set('one', 1_500);
    models.call(HELLO);
    expect(models.newCalls()).toMatchObject([{ provider: 'two' }]);
    models.outForMs.set('two', 4_000);
    expect(models.call(HELLO).error).toMatchObject({
      code: 'upstream_none_available',
      retryAfterS: 2,
      unprocessed: true,
    });
    expect(models.calls).toEqual([]);
    models.outForMs.clear();
    models.call(HELLO);
    expect(models.newCalls()).toMatchObject([{ provider: 'one' }]);
  });

  it('that has no room does not hide that the first is back sooner, and one that is back sooner is told of', () => {
    const limits = [perMinute('requests', 1)];
    const models = new Models({ pools: [pools[0]!, { ...pools[1]!, keys: [{ name: 'b', limits }] }] });
    models.outForMs.set('one', 1_500);
    models.call(HELLO);
    expect(models.call(HELLO).error).toMatchObject({ code: 'upstream_none_available', retryAfterS: 2 });
    models.outForMs.set('one', Number.POSITIVE_INFINITY);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 60 });
  });

  it('is not asked of a call that waited for room, when its provider is left alone by then', () => {
    const first = { ...pools[0]!, keys: [{ name: 'a', limits: [perMinute('requests', 1)] }] };
    const models = new Models({ pools: [{ ...first, queue: { upToMs: 90_000, waiting: 9 } }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(200, ANSWER);
    const caller = models.call(HELLO);
    expect(caller.ended).toBe(false);
    models.outForMs.set('one', 1_000);
    models.pass(61_000);
    expect(models.calls).toEqual([]);
    expect(caller.error).toMatchObject({ code: 'upstream_none_available', retryAfterS: 1 });
  });

  it('may take what is too long for the model of the first; a call that may have run is not sent again', () => {
    const models = new Models({ pools });
    const tooLong = { error: { code: 'context_length_exceeded' } };
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(400, tooLong);
    const [second] = models.newCalls();
    expect(second!.provider).toBe('two');
    second!.answer(400, tooLong);
    expect(caller).toMatchObject({ body: JSON.stringify(tooLong), ended: true });
    expect(caller.head).toMatchObject({ status: 400, attempts: 2 });
    const failed = models.call(HELLO);
    models.newCalls()[0]!.answer(500, tooLong);
    expect(models.calls).toEqual([]);
    expect(failed.head!.status).toBe(500);
    models.outForMs.set('two', 1_000);
    const alone = models.call(HELLO);
    models.newCalls()[0]!.answer(400, tooLong);
    expect(alone.head!.status).toBe(400);
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

describe('a call that builds upon an answer', () => {
  const pools = [
    {
      name: 'first',
      provider: 'one',
      keys: [{ name: 'a1', account: 'a' }, { name: 'b' }, { name: 'a2', account: 'a' }],
    },
    { name: 'second', provider: 'two', keys: [{ name: 'c' }] },
  ];
  const ask = (models: Models, previous?: string) =>
    models.call({ model: 'gpt', input: 'Hello', previous_response_id: previous }, 'openai/responses');
  const usage = { input_tokens: 9, output_tokens: 3 };

  it('goes to a key of the account that gave it, streamed or not, and waits for that one', () => {
    const models = new Models({ pools });
    ask(models);
    const [plain] = models.newCalls();
    expect(plain!.key).toBe('secret-of-a1');
    plain!.answer(200, { id: 'resp_1', usage });
    models.registry.health.happened(0, 'disable');
    models.registry.health.happened(2, 'disable');
    ask(models);
    const [streamed] = models.newCalls();
    expect(streamed!.key).toBe('secret-of-b');
    const event = { type: 'response.completed', response: { id: 'resp_2', usage } };
    streamed!.head(200, `data: ${JSON.stringify(event)}\n\n`, true, ['content-type', 'text/event-stream']);
    models.registry.health.happened(2, 'enable');
    for (let nth = 0; nth < 3; nth++) ask(models, 'resp_1');
    expect(models.newCalls().map(({ key }) => key)).toEqual(Array(3).fill('secret-of-a2'));
    for (let nth = 0; nth < 3; nth++) ask(models, 'resp_2');
    const [first, ...others] = models.newCalls();
    expect([first, ...others].map((call) => call!.key)).toEqual(Array(3).fill('secret-of-b'));
    first!.answer(429, {}, ['retry-after', '7']);
    models.pass(0);
    expect(ask(models, 'resp_2').error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 7 });
  });

  it('in a conversation goes to the account that has answered in it before, however it is named', () => {
    const models = new Models({ pools });
    const said = (conversation: unknown): string => {
      models.call({ model: 'gpt', input: 'Hello', conversation }, 'openai/responses');
      const [call] = models.newCalls();
      call!.answer(200, { id: 'resp', usage });
      return call!.key;
    };
    models.registry.health.happened(0, 'disable');
    models.registry.health.happened(2, 'disable');
    expect(said('conv_1')).toBe('secret-of-b');
    models.registry.health.happened(0, 'enable');
    models.registry.health.happened(2, 'enable');
    expect(said('conv_2')).toBe('secret-of-a1');
    for (const conversation of ['conv_1', { id: 'conv_1' }]) expect(said(conversation)).toBe('secret-of-b');
  });

  it('and in a conversation is found by either, and both are remembered', () => {
    const models = new Models({ pools });
    const globex = { high: 3, low: 5 };
    const say = (members: object, tenant: KeyHash | null = { high: 1, low: 2 }) =>
      models.call({ model: 'gpt', input: 'Hello', ...members }, 'openai/responses', { tenant });
    const answered = (members: object, id: string): string => {
      say(members);
      const [call] = models.newCalls();
      call!.answer(200, { id, usage });
      return call!.key;
    };
    models.registry.health.happened(0, 'disable');
    models.registry.health.happened(2, 'disable');
    expect(answered({ conversation: 'conv_1' }, 'resp_1')).toBe('secret-of-b');
    models.registry.health.happened(0, 'enable');
    models.registry.health.happened(2, 'enable');
    const both = { previous_response_id: 'resp_unknown', conversation: 'conv_1' };
    expect(answered(both, 'resp_2')).toBe('secret-of-b');
    expect(answered({ previous_response_id: 'resp_unknown' }, 'resp_3')).toBe('secret-of-b');
    const refused = say({ previous_response_id: 'resp_unknown' }, globex);
    models.pass(0);
    expect(refused.error).toMatchObject({ code: 'previous_response_not_found' });
  });

  it('that is an empty text is nobody’s', () => {
    const models = new Models({ pools });
    const nameless = { model: 'gpt', input: 'Hello', previous_response_id: '', conversation: { id: '' } };
    for (const tenant of [
      { high: 1, low: 2 },
      { high: 3, low: 5 },
    ]) {
      models.call(nameless, 'openai/responses', { tenant });
      models.newCalls()[0]!.answer(200, { id: 'resp', usage });
    }
  });

  it.each([':', ': '])(
    'of another tenant is refused before anything is sent, be it whole, cut off, or a conversation: %j',
    (colon) => {
      const models = new Models({ pools });
      const [acme, globex] = [
        { high: 1, low: 2 },
        { high: 3, low: 5 },
      ];
      const say = (tenant: KeyHash | null, members: object) =>
        models.call({ model: 'gpt', input: 'Hello', ...members }, 'openai/responses', { tenant });
      say(acme, {});
      models.newCalls()[0]!.answer(200, { id: 'resp_1', usage });
      const left = say(acme, { stream: true });
      const created = { type: 'response.created', response: { id: 'resp_2', usage: null } };
      const [cut] = models.newCalls();
      const data = JSON.stringify(created).replaceAll(':', colon);
      cut!.head(200, `data: ${data}\n\n`, false, ['content-type', 'text/event-stream']);
      left.call.abort();
      say(acme, { conversation: 'conv_1' });
      models.newCalls()[0]!.answer(200, { id: 'resp_3', usage });
      for (const members of [
        { previous_response_id: 'resp_1' },
        { previous_response_id: 'resp_2' },
        { conversation: { id: 'conv_1' } },
        { previous_response_id: '', conversation: 'conv_1' },
        { previous_response_id: 'resp_unknown', conversation: 'conv_1' },
        { conversation: { id: 'conv_unknown' }, previous_response_id: 'resp_1' },
      ]) {
        for (const tenant of [globex, null]) {
          const refused = say(tenant, members);
          models.pass(0);
          expect(refused.error).toMatchObject({ code: 'previous_response_not_found', unprocessed: true });
          expect(models.calls).toEqual([]);
        }
        say(acme, members);
        expect(models.newCalls()).toHaveLength(1);
      }
      // what nobody remembers is the provider's to know
      say(globex, { previous_response_id: 'resp_unknown' });
      expect(models.newCalls()).toHaveLength(1);
      say(null, {});
      models.newCalls()[0]!.answer(200, { id: 'resp_of_nobody', usage });
      say(globex, { previous_response_id: 'resp_of_nobody' });
      expect(models.newCalls()).toHaveLength(1);
    },
  );

  it('that nobody remembers, or whose account has no key left, goes to any', () => {
    const models = new Models({ pools });
    ask(models, 'resp_unknown');
    const [call] = models.newCalls();
    expect(call!.key).toBe('secret-of-a1');
    call!.answer(200, { id: 'resp_1', usage });
    models.registry.health.happened(0, 'disable');
    models.registry.health.happened(2, 'disable');
    ask(models, 'resp_1');
    expect(models.newCalls()[0]!.key).toBe('secret-of-b');
  });

  it('is not tried at another provider, which does not know the answer', () => {
    const models = new Models({ pools });
    ask(models);
    models.newCalls()[0]!.answer(200, { id: 'resp_1', usage });
    const caller = ask(models, 'resp_1');
    models.newCalls()[0]!.answer(503, {});
    expect(models.calls).toEqual([]);
    expect(caller.head!.status).toBe(503);
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
      const before = Buffer.from(whole.subarray(0, cut));
      call.handler.onData(before, false);
      before.fill('#');
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
