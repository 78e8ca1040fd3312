/** What limits of policies rely on: the bound of a call holds at its provider, and what nobody has told stays reserved. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AS_THE_DIALECT } from '../ai/usage-fields.cases.ts';
import type { ModelPrice } from '../model/pools.ts';
import type { CallOperation } from '../model/route-calls.ts';
import { actualsOf } from '../pipeline/call-actuals.ts';
import type { ModelRequest } from '../pipeline/model-request.ts';
import {
  ANSWER,
  Caller,
  HELLO,
  Models,
  type ModelsOptions,
  type ProviderCall,
  perMinute,
  TWO_KEYS,
} from './model-call.cases.ts';

const PRICE: ModelPrice = {
  inputNano: 2_000_000,
  outputNano: 8_000_000,
  cachedNano: 1_000_000,
  requestNano: 7,
  asOf: '2026-11-30',
  source: 'project',
};

function planned(
  body: object,
  operation: CallOperation = 'openai/chat',
  options: Partial<ModelsOptions> = {},
): { models: Models; plan: ModelRequest } {
  const models = new Models({ pools: TWO_KEYS, ...options });
  const plan = models.read({ model: 'gpt', ...body }, operation);
  if ('code' in plan) throw new Error(plan.sentence);
  return { models, plan };
}

/** The call that leaves, and its plan. */
function sent(
  body: object,
  options: Partial<ModelsOptions> = {},
  reliesOnCap = true,
): { plan: ModelRequest; call: ProviderCall; models: Models; caller: Caller } {
  const { models, plan } = planned(body, 'openai/chat', options);
  plan.relyOnCap = reliesOnCap;
  const caller = new Caller();
  models.send(plan, caller);
  return { plan, call: models.newCalls()[0]!, models, caller };
}

/** What leaves of each body, with the cap that it says. */
function bodiesSent(bodies: readonly object[], options: Partial<ModelsOptions>): unknown[] {
  const models = new Models({ pools: TWO_KEYS, ...options });
  return bodies.map((body) => {
    const plan = models.read(body);
    if ('code' in plan) throw new Error(plan.sentence);
    plan.relyOnCap = true;
    models.send(plan, new Caller());
    const [call] = models.newCalls();
    expect(call!.request.bodyBytes).toBe(Buffer.byteLength(call!.body));
    return JSON.parse(call!.body);
  });
}

describe('a cap that limits rely on', () => {
  const messages = HELLO.messages;
  it.each([
    ['max_tokens', { max_completion_tokens: 1 }, { max_tokens: 1 }],
    ['max_tokens', { max_tokens: 5 }, { max_tokens: 5 }],
    ['max_tokens', { max_completion_tokens: 3, max_tokens: 9 }, { max_tokens: 3 }],
    ['max_completion_tokens', { max_tokens: 4 }, { max_completion_tokens: 4 }],
    ['max_completion_tokens', { max_tokens: 4, max_completion_tokens: 9 }, { max_completion_tokens: 4 }],
    ['max_completion_tokens', { max_tokens: null, max_completion_tokens: 9 }, { max_completion_tokens: 9 }],
    ['max_tokens', { max_tokens: null, max_completion_tokens: 2 }, { max_tokens: 2 }],
  ] as const)('is said as the provider knows it, and once: %s of %j', (outputCapMember, caps, expected) => {
    const orders = [
      { ...caps, model: 'gpt', messages },
      { model: 'gpt', ...caps, messages },
      { model: 'gpt', messages, ...caps },
    ];
    for (const body of bodiesSent(orders, { provider: { outputCapMember } }))
      expect(body).toEqual({ model: 'gpt', messages, ...expected });
  });

  it('is that of the model where the caller wrote none', () => {
    const options = { model: { outputTokensMax: 50 }, provider: { outputCapMember: 'max_tokens' as const } };
    expect(bodiesSent([{ model: 'gpt', messages }], options)).toEqual([
      { model: 'gpt', messages, max_tokens: 50 },
    ]);
  });

  it('is one where the caller wrote two that differ, though nothing relies on it', () => {
    const body = { model: 'gpt', max_tokens: 1, max_completion_tokens: 9, messages };
    const { call, plan } = sent(body, { provider: { outputCapMember: 'max_completion_tokens' } }, false);
    expect(JSON.parse(call.body)).toEqual({ model: 'gpt', messages, max_completion_tokens: 1 });
    expect(plan.bounds['output-tokens']).toBe(1);
    const same = { ...body, max_tokens: 9 };
    expect(sent(same, {}, false).call.body).toBe(JSON.stringify(same));
  });

  it('stays as the caller wrote it where nothing relies on it', () => {
    const body = { model: 'gpt', max_completion_tokens: 1, messages, max_tokens: null };
    const { call } = sent(body, { provider: { outputCapMember: 'max_tokens' } }, false);
    expect(call.body).toBe(JSON.stringify(body));
  });
});

describe('an answer that no member of the request caps', () => {
  const prompt = { prompt: 'a cat', n: 3 };

  it.each(['openai/images', 'openai/speech'] as const)('of %s is bounded by its model alone', (operation) => {
    const { models, plan } = planned(prompt, operation, { model: { price: PRICE } });
    for (const each of [plan, models.capped(plan, 5, operation)]) {
      expect(each.bounds['output-tokens']).toBe(Number.POSITIVE_INFINITY);
      expect(each.bounds.money).toBe(Number.POSITIVE_INFINITY);
      expect(each.unbounded.output).not.toBe('');
      expect(each.unbounded.money).not.toBe('');
    }
  });

  it('is made, and paid, as many times as it is asked for', () => {
    const model = { price: PRICE, outputTokensMax: 1_000 };
    const { plan } = planned(prompt, 'openai/images', { model });
    expect(plan.bounds['output-tokens']).toBe(3_000);
    expect(plan.amounts.outputTokens).toBe(3_000);
    expect(plan.bounds.money).toBe(2 * plan.bounds['input-tokens'] + 8 * 3_000 + 3 * 7);
    expect(plan.unbounded).toEqual({ input: '', output: '', money: '' });
  });

  it('costs as often when its tokens are told', () => {
    const { models, plan } = planned(prompt, 'openai/images', { model: { price: PRICE } });
    models.send(plan, new Caller(), 'openai/images');
    models.newCalls()[0]!.answer(200, { data: [], usage: { input_tokens: 5, output_tokens: 10 } });
    expect(plan.use.costNano).toBe(2 * 5 + 8 * 10 + 3 * 7);
  });

  it('costs nothing where answers are free, and there is none of vectors', () => {
    const free = { price: { ...PRICE, outputNano: 0 } };
    expect(planned(prompt, 'openai/images', { model: free }).plan.unbounded.money).toBe('');
    const vectors = planned({ input: 'x' }, 'openai/embeddings', { model: { price: PRICE } }).plan;
    expect(vectors.bounds['output-tokens']).toBe(0);
    expect(vectors.unbounded).toEqual({ input: '', output: '', money: '' });
  });
});

describe('a cost that the provider tells', () => {
  const cost = { path: ['cost'], currency: 'USD', decimals: 0, rateNano: 2_000_000_000 };
  const provider = { usage: { ...AS_THE_DIALECT, cost } };
  const costOf = (usage: object, model: NonNullable<ModelsOptions['model']>): number | null => {
    const { plan, call } = sent({ messages: [] }, { provider, model });
    call.answer(200, { usage });
    return plan.use.costNano;
  };

  it('counts in place of the price, in the currency of accounts, and also where no price is known', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, cost: 0.000_001_5 };
    expect(costOf(usage, { price: PRICE })).toBe(3_000);
    expect(costOf(usage, { price: null })).toBe(3_000);
  });

  it('gives way to the price where it is none', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, cost: -1 };
    expect(costOf(usage, { price: PRICE })).toBe(2 * 5 + 8 * 1 + 7);
    expect(costOf(usage, { price: null })).toBeNull();
  });
});

describe('a price that changes on a day', () => {
  const fromMs = 86_400_000;
  const datedPrices = [
    { fromMs, price: { ...PRICE, requestNano: 100 } },
    { fromMs: 2 * fromMs, price: { ...PRICE, requestNano: 1_000 } },
  ];

  it('is that of calls which begin from then on', () => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [] }] }],
      model: { price: null, datedPrices },
    });
    const planAt = (wallMs: number): ModelRequest => {
      models.wallAheadMs = wallMs - models.nowMs;
      const plan = models.read({ model: 'gpt', messages: [], max_tokens: 1 });
      if ('code' in plan) throw new Error(plan.sentence);
      return plan;
    };
    expect(planAt(fromMs - 1).unbounded.money).toContain('the price of model');
    const plan = planAt(fromMs);
    const dearer = planAt(2 * fromMs);
    expect(dearer.bounds.money - plan.bounds.money).toBe(900);
    models.send(plan, new Caller());
    models.newCalls()[0]!.answer(200, { usage: { prompt_tokens: 5, completion_tokens: 1 } });
    expect(plan.use.costNano).toBe(2 * 5 + 8 * 1 + 100);
  });
});

describe('a price that changes on a day, of a gateway that runs on', () => {
  it('is that of calls through routes that were there before', () => {
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
      model: { price: PRICE, datedPrices: [{ fromMs: 5_000, price: { ...PRICE, requestNano: 1_000 } }] },
    });
    const service = models.bound.service('openai/chat');
    const moneyNow = (): number => {
      const plan = service.read(Buffer.from(JSON.stringify(HELLO)));
      if ('code' in plan) throw new Error(plan.sentence);
      return plan.bounds.money;
    };
    const before = moneyNow();
    models.nowMs = 5_000;
    expect(moneyNow() - before).toBe(993);
    models.nowMs = 4_999;
    expect(moneyNow()).toBe(before);
  });
});

describe('keys that cost something else', () => {
  const CHEAP = {
    ...PRICE,
    inputNano: 1_000_000,
    outputNano: 4_000_000,
    cachedNano: 500_000,
    requestNano: 3,
  };
  const DEAR = { ...PRICE, outputNano: 80_000_000 };
  const USED = { usage: { prompt_tokens: 5, completion_tokens: 1 } };
  const priced = (pool: string, prices: Readonly<Record<string, ModelPrice | null>>) => ({
    pool,
    price: PRICE,
    datedPrices: [],
    keys: Object.entries(prices).map(([key, price]) => ({ key, price, datedPrices: [] })),
  });
  const only = (key: string, poolPrices: ReturnType<typeof priced>[]) =>
    sent(HELLO, {
      pools: [{ name: 'pool', keys: [{ name: key }, { name: 'other' }] }],
      model: { price: PRICE, poolPrices },
    });

  it('reserve what the dearest of them asks for, and settle what the one asks for that served', () => {
    const prices = [priced('pool', { a: CHEAP, other: DEAR })];
    const { plan, call } = only('a', prices);
    const atMost = plan.bounds['input-tokens'] * 2 + 10 * 80 + 7;
    expect(plan.bounds.money).toBe(atMost);
    expect(call.key).toBe('secret-of-a');
    call.answer(200, USED);
    expect(plan.use).toMatchObject({ charged: 'told', costNano: 5 * 1 + 1 * 4 + 3 });
  });

  it('settle what the key that served can have cost at most, where nobody tells it', () => {
    const { plan, call } = only('a', [priced('pool', { a: CHEAP, other: DEAR })]);
    call.fail();
    expect(plan.use).toMatchObject({
      charged: 'reserve',
      costNano: plan.bounds['input-tokens'] * 1 + 10 * 4 + 3,
    });
    const same = sent(HELLO, { model: { price: PRICE } });
    same.call.fail();
    expect(same.plan.use).toMatchObject({ charged: 'reserve', costNano: null });
  });

  it('never cost more than was reserved, whichever serves and whatever it used of its bounds', () => {
    const nano = fc.integer({ min: 0, max: 100_000_000 });
    const price = fc.record({ inputNano: nano, outputNano: nano, cachedNano: nano, requestNano: nano });
    const told = fc.option(fc.record({ input: fc.nat(60), output: fc.nat(10), cached: fc.nat(60) }));
    fc.assert(
      fc.property(fc.array(price, { minLength: 2, maxLength: 4 }), fc.nat(), told, (prices, draw, usage) => {
        const keys = prices.map((own, nth) => [`k${nth}`, { ...PRICE, ...own }] as const);
        const models = new Models({
          pools: [{ name: 'pool', choose: 'weighted', keys: keys.map(([name]) => ({ name })) }],
          model: { price: PRICE, poolPrices: [priced('pool', Object.fromEntries(keys))] },
          random: () => Math.imul(draw++, 0x9e37_79b1) >>> 0,
        });
        const plan = models.read(HELLO);
        if ('code' in plan) throw new Error(plan.sentence);
        models.send(plan, new Caller());
        const [call] = models.newCalls();
        if (usage === null) call!.fail();
        else {
          const { input, output, cached } = usage;
          const details = { cached_tokens: Math.min(cached, input) };
          const said = { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: details };
          call!.answer(200, { usage: said });
        }
        const own = Object.fromEntries(keys)[plan.use.key]!;
        const mostOfKey =
          Math.ceil(
            (plan.bounds['input-tokens'] * Math.max(own.inputNano, own.cachedNano) +
              plan.bounds['output-tokens'] * own.outputNano) /
              1_000_000,
          ) + own.requestNano;
        expect(plan.use.costNano).toBeLessThanOrEqual(mostOfKey);
        expect(mostOfKey).toBeLessThanOrEqual(plan.bounds.money);
        if (usage === null) expect(plan.use.costNano).toBe(mostOfKey);
      }),
    );
  });

  it('have no bound of money where the price of one is not known', () => {
    const { plan, call } = only('a', [priced('pool', { a: CHEAP, other: null })]);
    expect([plan.bounds.money, plan.unbounded.money]).toEqual([
      Number.POSITIVE_INFINITY,
      'the price of model "gpt", which is not known',
    ]);
    call.answer(200, USED);
    expect(plan.use.costNano).toBe(12);
  });

  it('take what they cost of what they may spend', () => {
    const perDay = (amount: number) =>
      ({ ...perMinute('cost', amount), kind: 'fixed', windowMs: 86_400_000 }) as const;
    const spendable = 10 * 4 + 400;
    const models = new Models({
      pools: [
        {
          name: 'pool',
          keys: [
            { name: 'dear', limits: [perDay(spendable)] },
            { name: 'cheap', limits: [perDay(spendable)] },
          ],
        },
      ],
      model: { price: PRICE, poolPrices: [priced('pool', { cheap: CHEAP, dear: DEAR })] },
    });
    models.call(HELLO);
    const [call, ...others] = models.newCalls();
    expect([call?.key, others]).toEqual(['secret-of-cheap', []]);
    const lane = models.laneOf('secret-of-cheap');
    const left = (): number => models.registry.lanes.read(lane, models.nowMs).meters[0]!.left;
    expect(left()).toBeGreaterThan(0);
    call!.answer(200, USED);
    expect(left()).toBe(spendable - 12);
  });
});

const FINISHED = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';

describe('a stream that ends cleanly before its last event', () => {
  it.each([
    ['data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n', 'reserve'],
    ['data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\ndata: [DONE]\n\n', 'told'],
    ['data: [DONE]\n\n', 'reserve'],
    [`${FINISHED}data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n`, 'told'],
    [`data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n${FINISHED}`, 'reserve'],
    [FINISHED, 'reserve'],
  ])('%j leaves the %s', (events, charged) => {
    const { plan, call } = sent({ ...HELLO, stream: true });
    call.head(200, events, true, ['content-type', 'text/event-stream']);
    expect(plan.use.charged).toBe(charged);
  });
});

it('a stream of two choices is whole once both are finished', () => {
  const told = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n';
  for (const [events, charged] of [
    [FINISHED + told, 'reserve'],
    [FINISHED + FINISHED + told, 'told'],
  ] as const) {
    const { plan, call } = sent({ ...HELLO, stream: true, n: 2 });
    call.head(200, events, true, ['content-type', 'Text/Event-Stream; charset=utf-8']);
    expect([events, plan.use.charged]).toEqual([events, charged]);
  }
});

describe('a usage of which a half', () => {
  const options = { model: { price: PRICE, contextTokens: 1_000 } };
  const used = (usage: object, more: Partial<ModelsOptions> = options) => {
    const { plan, call } = sent({ ...HELLO, max_tokens: 10 }, more);
    call.answer(200, { usage });
    return { ...plan.use, most: plan.bounds };
  };

  it.each([[null], [undefined], [-1], [1.5], [1e30], ['7']])(
    'is %j counts it as its bound, and says so',
    (untold) => {
      const input = used({ prompt_tokens: untold, completion_tokens: 3 });
      const { most } = input;
      expect(input).toMatchObject({
        charged: 'told',
        usage: { inputTokens: most['input-tokens'], outputTokens: 3, cachedTokens: null, reasoningTokens: 0 },
        costNano: 2 * most['input-tokens'] + 8 * 3 + 7,
        doubt: 'usage_incomplete: the answer tells no input tokens, which count as their bound',
      });
      const output = used({ prompt_tokens: 5, completion_tokens: untold });
      expect(output).toMatchObject({
        usage: { inputTokens: 5, outputTokens: 10, cachedTokens: 0, reasoningTokens: null },
        costNano: 2 * 5 + 8 * 10 + 7,
        doubt: 'usage_incomplete: the answer tells no output tokens, which count as their bound',
      });
    },
  );

  it('has no bound counts it as all that was reserved', () => {
    const uncapped = { model: { price: PRICE } };
    const { plan, call } = sent({ messages: HELLO.messages }, uncapped);
    call.answer(200, { usage: { prompt_tokens: 5 } });
    expect(plan.use).toMatchObject({ usage: { inputTokens: 5, outputTokens: null }, costNano: null });
    expect(actualsOf(plan.use)).toMatchObject({ tokens: null, 'input-tokens': 5, 'output-tokens': null });
  });

  it('is none of its dialect is whole', () => {
    const { models, plan } = planned({ input: 'x' }, 'openai/embeddings', options);
    models.send(plan, new Caller(), 'openai/embeddings');
    models.newCalls()[0]!.answer(200, { usage: { prompt_tokens: 5, total_tokens: 5 } });
    expect(plan.use).toMatchObject({ usage: { inputTokens: 5, outputTokens: 0 }, doubt: '' });
  });

  it('is more than its bound is debt up to what the model takes, and not believed beyond that', () => {
    expect(used({ prompt_tokens: 1_000, completion_tokens: 1_000 })).toMatchObject({
      usage: { inputTokens: 1_000, outputTokens: 1_000 },
      doubt: '',
    });
    const absurd = used({ prompt_tokens: 1_001, completion_tokens: 3, cost: 99 });
    expect(absurd).toMatchObject({
      usage: { inputTokens: absurd.most['input-tokens'], outputTokens: 3 },
      costNano: 2 * absurd.most['input-tokens'] + 8 * 3 + 7,
      doubt: expect.stringMatching(/^usage_unbelievable: the answer tells 1001 input and 3 output tokens/),
    });
    const both = used({ prompt_tokens: 2 ** 53 - 1, completion_tokens: 2 ** 53 - 1 });
    expect(both.costNano).toBe(both.most.money);
    const small = { model: { price: PRICE, contextTokens: 10 } };
    expect(used({ prompt_tokens: 20, completion_tokens: 3 }, small).doubt).toBe('');
    const unknown = { model: { price: PRICE }, limits: { usageTokensMax: 500 } };
    expect(used({ prompt_tokens: 500, completion_tokens: 3 }, unknown).doubt).toBe('');
    expect(used({ prompt_tokens: 501, completion_tokens: 3 }, unknown).doubt).not.toBe('');
  });
});

describe('a provider that fails', () => {
  const pools = [
    { name: 'first', provider: 'one', keys: [{ name: 'a' }] },
    { name: 'second', provider: 'two', keys: [{ name: 'b' }] },
  ];
  const statuses = [408, 500, 502, 503, 504, 529];
  const provider = {
    errors: [{ statuses, codes: [], messageContains: null, means: 'overloaded' as const }],
  };

  it.each([408, 500, 502, 504])(
    'with %i may have worked: nothing is sent again, the reserve is kept',
    (status) => {
      const { plan, call, models, caller } = sent(HELLO, { pools, provider });
      call.answer(status, {});
      expect(models.newCalls()).toEqual([]);
      expect(caller.head!.status).toBe(status);
      expect(plan.use.charged).toBe('reserve');
    },
  );

  it.each([503, 529])('with %i refuses: another pool serves', (status) => {
    const alone = sent(HELLO, { provider });
    alone.call.answer(status, {});
    expect(alone.plan.use.charged).toBe('nothing');
    const { plan, call, models } = sent(HELLO, { pools, provider });
    call.answer(status, {});
    models.newCalls()[0]!.answer(200, ANSWER);
    expect(plan.use).toMatchObject({ charged: 'told', pool: 'second' });
  });
});

describe('a call that goes to another model', () => {
  const body = { max_tokens: 100, messages: HELLO.messages };
  const options = { second: 'mini', model: { price: PRICE, outputTokensMax: 40 } };

  it('leaves as one to that, with no longer an answer than it makes', () => {
    const { models, plan } = planned(body, 'openai/chat', { second: 'mini' });
    const other = models.as(plan, 'mini')!;
    expect([other.model.name, other.facts.model, plan.model.name]).toEqual(['mini', 'gpt', 'gpt']);
    models.send(other, new Caller());
    expect(JSON.parse(models.newCalls()[0]!.body)).toEqual({ ...body, model: 'mini' });
    const short = planned(body, 'openai/chat', options);
    short.models.send(short.models.as(short.plan, 'mini')!, new Caller());
    const sent = JSON.parse(short.models.newCalls()[0]!.body) as Readonly<Record<string, unknown>>;
    expect(Object.values(sent)).toContain(40);
    expect(Object.values(sent)).not.toContain(100);
  });

  it('is none where that leaves no room for what is to be thought', () => {
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    for (const [outputTokensMax, isThere] of [
      [1_024, false],
      [1_025, true],
    ] as const) {
      const models = new Models({
        pools: TWO_KEYS,
        second: 'mini',
        provider: { dialect: 'anthropic' },
        secondModel: { outputTokensMax },
      });
      const plan = models.read({ ...body, model: 'gpt', max_tokens: 4_000, thinking }, 'anthropic/messages');
      if ('code' in plan) throw new Error(plan.sentence);
      expect(models.as(plan, 'mini', 'anthropic/messages') !== null).toBe(isThere);
    }
  });

  it('is bounded, used and capped by itself', () => {
    const { models, plan } = planned(body, 'openai/chat', options);
    const other = models.as(plan, 'mini')!;
    expect(other.bounds).toEqual(plan.bounds);
    other.use.charged = 'told';
    other.relyOnCap = true;
    expect([plan.use.charged, plan.relyOnCap]).toEqual(['nothing', false]);
    expect(models.capped(other, 5, 'openai/chat')).toMatchObject({
      model: { name: 'mini' },
      bounds: { 'output-tokens': 5 },
    });
  });

  it('is none where there is no such model, or its provider speaks another dialect', () => {
    const { models, plan } = planned(body);
    expect(models.as(plan, 'nobody')).toBeNull();
    const foreign = new Models({ pools: TWO_KEYS, provider: { dialect: 'anthropic' } });
    expect(foreign.as(plan, 'gpt')).toBeNull();
  });
});
