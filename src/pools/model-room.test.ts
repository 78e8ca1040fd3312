/** Calls to models, by the room that keys have for them. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { KeyLimit, Pool } from '../model/pools.ts';
import { ANSWER, HELLO, Models, type ProviderCall, perMinute } from './model-call.cases.ts';

const NO_TOKENS = { inputTokens: 0, outputTokens: 0, costNano: 0, countedTokens: null };

it('a caller can ask for no more than would end all reckoning', () => {
  const models = new Models({
    pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('requests', 60)] }] }],
  });
  models.call({ ...HELLO, max_tokens: 9e15, n: 9e15 });
  models.call({ ...HELLO, max_tokens: 9e15, n: 9e15 });
  expect(models.newCalls()).toHaveLength(2);
});

describe('a route to pools', () => {
  const limits = [perMinute('requests', 1)];
  const pools = ['one', 'two', 'three'].map((name) => ({ name, keys: [{ name, limits }] }));

  it('leaves a call no other, and tries them in its order', () => {
    const models = new Models({ pools });
    const routed = { order: ['three', 'one'], barred: null };
    const errors = [1, 2, 3].map(() => models.call(HELLO, 'openai/chat', {}, routed).error);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-three', 'secret-of-one']);
    expect(errors).toEqual([null, null, expect.objectContaining({ code: 'keys_exhausted' })]);
    models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-two']);
  });

  it('leaves pools out that rules bar, and keeps the order of the others', () => {
    const models = new Models({ pools });
    const some = { order: null, barred: new Set(['one']) };
    for (let call = 0; call < 2; call++) models.call(HELLO, 'openai/chat', {}, some);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-two', 'secret-of-three']);
    const none = { order: ['one'], barred: new Set(['one']) };
    expect(models.call(HELLO, 'openai/chat', {}, none).error).toMatchObject({ code: 'no_pool_for_model' });
  });

  it('that the model has none of refuses the call, and none is sent', () => {
    const models = new Models({ pools });
    const { error } = models.call(HELLO, 'openai/chat', {}, { order: ['four'], barred: null });
    expect(error).toMatchObject({ code: 'no_pool_for_model', unprocessed: true });
    expect(models.calls).toEqual([]);
  });
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
      source: 'project' as const,
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

describe('calls that wait', () => {
  const waiting = () => {
    const keys = [{ name: 'a', limits: [perMinute('requests', 60)] }];
    const models = new Models({ pools: [{ name: 'pool', queue: { upToMs: 60_000, waiting: 500 }, keys }] });
    for (let nth = 0; nth < 60; nth++) models.call(HELLO);
    models.pass(1_000);
    expect(models.newCalls()).toHaveLength(60);
    return models;
  };
  const tenant = (nth: number) => ({ high: nth, low: 2 * nth });

  it('are served in shares of their tenants, whoever has more of them', () => {
    const models = waiting();
    for (let nth = 0; nth < 40; nth++) {
      models.call({ ...HELLO, user: 'one' }, 'openai/chat', { tenant: tenant(1), share: 1 });
      models.call({ ...HELLO, user: 'three' }, 'openai/chat', { tenant: tenant(2), share: 3 });
    }
    models.pass(40_000);
    const bodies = models.newCalls().map(({ body }) => (body.includes('three') ? 3 : 1));
    const ofThree = bodies.filter((share) => share === 3).length;
    expect(bodies).toHaveLength(40);
    expect(Math.abs(ofThree - 30)).toBeLessThanOrEqual(1);
  });

  it('go in the order of their priorities, and in that of their coming within one', () => {
    const models = waiting();
    for (const [nth, priority] of (['low', 'normal', 'high', 'low', 'high', 'normal'] as const).entries())
      models.call({ ...HELLO, user: `${priority} ${nth}` }, 'openai/chat', { tenant: tenant(1), priority });
    models.pass(6_500);
    const users = models.newCalls().map(({ body }) => (JSON.parse(body) as { user: string }).user);
    expect(users).toEqual(['high 2', 'high 4', 'normal 1', 'normal 5', 'low 0', 'low 3']);
  });
});

describe('a call that finds no room in several pools', () => {
  const slot: KeyLimit = { ...perMinute('slots', 1), kind: 'slots', windowMs: 0 };
  const pool = (name: string, limits: readonly KeyLimit[], upToMs = 60_000, waiting = 9) => ({
    name,
    provider: name,
    queue: { upToMs, waiting },
    keys: [{ name: `of-${name}`, limits }],
  });
  const secretOf = (name: string): string => `secret-of-of-${name}`;
  /** Of both pools the room is taken: the slot of the one, and the one request in ten seconds of the other. */
  const full = (paced = pool('paced', [perMinute('requests', 6)]), slots = pool('slots', [slot])): Models => {
    const models = new Models({ pools: [slots, paced] });
    for (let nth = 0; nth < 7; nth++) models.call(HELLO);
    // one of them waits for the 150 ms of refill that are always left to the provider's clock
    models.pass(200);
    expect(models.calls).toHaveLength(7);
    return models;
  };

  it('waits for all of them, and goes to the first that has some', () => {
    for (const [freesAfterMs, served] of [
      [3_000, 'slots'],
      [30_000, 'paced'],
    ] as const) {
      const models = full();
      const [holdsSlot] = models.newCalls();
      expect(holdsSlot!.key).toBe(secretOf('slots'));
      const caller = models.call(HELLO);
      models.pass(Math.min(freesAfterMs, 10_200));
      if (served === 'slots') {
        expect(models.calls).toEqual([]);
        holdsSlot!.answer(200, ANSWER);
      }
      expect(models.newCalls().map(({ key }) => key)).toEqual([secretOf(served)]);
      expect([caller.error, models.waiting]).toEqual([null, 0]);
    }
  });

  it('waits for each as long as that lets it, and not where too many wait', () => {
    const early = full(pool('paced', [perMinute('requests', 6)]), pool('slots', [slot], 2_000));
    const [held] = early.newCalls();
    early.call(HELLO);
    early.pass(5_000);
    expect(early.waiting).toBe(1);
    held!.answer(200, ANSWER);
    expect(early.calls).toEqual([]);
    early.pass(6_000);
    expect(early.newCalls()).toMatchObject([{ provider: 'paced' }]);
    const crowded = full(pool('paced', [perMinute('requests', 6)]), pool('slots', [slot], 60_000, 0));
    crowded.newCalls();
    crowded.call(HELLO);
    expect(crowded.waiting).toBe(1);
  });

  it('is told when the first of all of them will have some', () => {
    const pools = [
      pool('slow', [perMinute('requests', 1)], 5_000),
      pool('fast', [perMinute('requests', 2)], 5_000),
    ];
    const models = new Models({ pools });
    for (let nth = 0; nth < 3; nth++) models.call(HELLO);
    models.pass(200);
    expect(models.newCalls()).toHaveLength(3);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 30 });
  });

  it('stands nowhere any more when its caller has left', () => {
    const models = full();
    const [held] = models.newCalls();
    const caller = models.call(HELLO);
    expect(models.waiting).toBe(2);
    caller.call.abort();
    expect(models.waiting).toBe(0);
    held!.answer(200, ANSWER);
    models.pass(60_000);
    expect(models.calls).toEqual([]);
  });

  it('is served once or refused in time, and leaves nothing behind, whatever comes and goes', () => {
    const event = fc.record({
      kind: fc.constantFrom('call', 'answer', 'throttle', 'leave', 'pass'),
      nth: fc.nat({ max: 9 }),
      ms: fc.nat({ max: 4_000 }),
      tenant: fc.nat({ max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const models = new Models({
          pools: [
            pool('slots', [slot], 5_000, 4),
            pool('paced', [perMinute('requests', 30)], 8_000, 4),
            pool('small', [slot, perMinute('requests', 30)], 0),
          ],
        });
        const callers: (ReturnType<Models['call']> & { hasLeft: boolean })[] = [];
        let open: ProviderCall[] = [];
        const collect = (): void => void open.push(...models.newCalls());
        for (const { kind, nth, ms, tenant } of events) {
          collect();
          const one = open[nth % Math.max(1, open.length)];
          const caller = callers[nth];
          if (kind === 'call') {
            const request = { tenant: { high: tenant, low: tenant } };
            callers.push(Object.assign(models.call(HELLO, 'openai/chat', request), { hasLeft: false }));
          } else if (kind === 'pass') models.pass(ms);
          else if (kind === 'leave' && caller !== undefined && !caller.ended && !caller.hasLeft) {
            caller.hasLeft = true;
            caller.call.abort();
          } else if ((kind === 'answer' || kind === 'throttle') && one !== undefined) {
            open = open.filter((call) => call !== one);
            if (!one.aborted && kind === 'answer') one.answer(200, ANSWER);
            else if (!one.aborted) one.answer(429, {}, ['retry-after', '2']);
          }
          models.pass(0);
        }
        models.pass(8_100);
        collect();
        expect(models.waiting).toBe(0);
        for (const call of open) if (!call.aborted) call.answer(200, ANSWER);
        models.pass(0);
        for (const { ended, hasLeft } of callers) expect(ended).toBe(!hasLeft);
        for (const name of ['slots', 'small']) {
          const { meters } = models.registry.lanes.read(models.laneOf(secretOf(name)), models.nowMs);
          expect(meters.find(({ unit }) => unit === 'slots')!.left).toBe(1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it('keys of one account are one in the draw, though another stands between them in the file', () => {
  const keys = [{ name: 'a1', account: 'a' }, { name: 'b' }, { name: 'a2', account: 'a' }];
  // of two the second, and of three the third
  const models = new Models({ pools: [{ name: 'pool', keys }], random: () => 5 });
  models.call(HELLO);
  expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-b']);
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

describe('a limit of a day', () => {
  const HOUR_MS = 3_600_000;
  const daily: KeyLimit = { ...perMinute('requests', 3), windowMs: 24 * HOUR_MS };
  const modelsOf = (dailyZone: string | null): Models =>
    new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [daily] }] }],
      provider: { dailyZone },
    });
  const serve = (models: Models): void => {
    models.call(HELLO);
    models.newCalls()[0]!.answer(200, ANSWER);
  };

  it("comes back whole at midnight of its provider's zone, and not before", () => {
    const models = modelsOf('America/Los_Angeles');
    for (let nth = 0; nth < 3; nth++) serve(models);
    // The clock began at 16:00:01 there.
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 8 * 3_600 - 1 });
    models.pass(8 * HOUR_MS - 1_001);
    expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 1 });
    models.pass(1);
    for (let nth = 0; nth < 3; nth++) serve(models);
    expect(models.call(HELLO).error).toMatchObject({ retryAfterS: 24 * 3_600 });
  });

  it('comes back bit by bit where the provider says nothing else', () => {
    const models = modelsOf(null);
    for (let nth = 0; nth < 2; nth++) serve(models);
    models.pass(8 * HOUR_MS + 1_000);
    const { meters } = models.registry.lanes.read(0, models.nowMs);
    expect(meters).toMatchObject([{ kind: 'bucket', amount: 3 }]);
    expect(meters[0]!.left).toBeCloseTo(2, 1);
  });

  it('ends by the wall clock of the zone, on days of 23 hours and when the clock is set', () => {
    const models = modelsOf('America/Los_Angeles');
    serve(models);
    const left = (): number => models.registry.lanes.read(0, models.nowMs).meters[0]!.left;
    const endsMs = (): number => models.registry.lanes.read(0, models.nowMs).meters[0]!.endsMs;
    expect(endsMs() - models.nowMs).toBe(8 * HOUR_MS - 1_000);
    // Clocks are an hour ahead: what was used stays used, and the day ends an hour sooner.
    models.wallAheadMs = HOUR_MS;
    models.registry.alignPeriods();
    expect(endsMs() - models.nowMs).toBe(7 * HOUR_MS - 1_000);
    expect(left()).toBe(2);
    // It is another day by now.
    models.wallAheadMs = 8 * HOUR_MS;
    models.registry.alignPeriods();
    expect(left()).toBe(3);
    expect(endsMs() - models.nowMs).toBe(24 * HOUR_MS - 1_000);
  });

  it('ends with its day from when a version declares it; that end is told again only where the clock was set', () => {
    const models = modelsOf('UTC');
    const tell = vi.spyOn(models.registry.lanes, 'alignPeriods');
    models.pass(1_000);
    models.registry.alignPeriods();
    expect(tell).not.toHaveBeenCalled();
    const [[name, pool]] = [...models.models.pools] as [[string, Pool]];
    const keys = pool.keys.map((key) => ({ ...key, limits: [{ ...daily, unit: 'tokens' as const }] }));
    models.registry.activate({ ...models.models, pools: new Map([[name, { ...pool, keys }]]) });
    expect(models.registry.lanes.read(0, models.nowMs).meters).toMatchObject([
      { unit: 'tokens', endsMs: 24 * HOUR_MS },
    ]);
    models.wallAheadMs = 60;
    models.registry.alignPeriods();
    expect(models.registry.lanes.read(0, models.nowMs).meters).toMatchObject([{ endsMs: 24 * HOUR_MS - 60 }]);
  });

  it('that was another kind of limit has an end as soon as it is one', () => {
    const models = modelsOf(null);
    for (let nth = 0; nth < 2; nth++) serve(models);
    const { lanes } = models.registry;
    const declare = lanes.declare.bind(lanes);
    const fitsInMs: number[] = [];
    vi.spyOn(lanes, 'declare').mockImplementation((...told) => {
      declare(...told);
      const call = { inputTokens: 1, outputTokens: 1, costNano: 0, countedTokens: null };
      fitsInMs.push(lanes.fitsAtMs([told[0]], call, models.nowMs) - models.nowMs);
    });
    const [[name, pool]] = [...models.models.pools] as [[string, Pool]];
    const keys = pool.keys.map((key) => ({
      ...key,
      limits: [{ ...daily, amount: 2, kind: 'daily' as const, zone: 'UTC' }],
    }));
    models.registry.activate({ ...models.models, pools: new Map([[name, { ...pool, keys }]]) });
    expect(fitsInMs[0]).toBe(24 * HOUR_MS - 1_000);
  });

  it('gives back to the day alone in which it was taken', () => {
    const own: KeyLimit = { ...perMinute('tokens', 10_000), windowMs: 24 * HOUR_MS };
    const models = new Models({
      pools: [{ name: 'pool', keys: [{ name: 'a', limits: [own] }] }],
      provider: { dailyZone: 'UTC' },
    });
    const left = (): number => models.registry.lanes.read(0, models.nowMs).meters[0]!.left;
    models.call({ ...HELLO, max_tokens: 5_000 });
    const [early] = models.newCalls();
    models.pass(24 * HOUR_MS);
    models.call({ ...HELLO, max_tokens: 3_000 });
    const before = left();
    early!.answer(200, ANSWER);
    expect(left()).toBe(before);
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

  it('is any of those that are equal, and of one account the first', () => {
    let seed = 7;
    // The low bits of such a row come in turns.
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 10;
    };
    const unlimited = keys.map((key) => ({ ...key, limits: [] }));
    const apart = new Models({ pools: [{ name: 'pool', keys: unlimited }], random });
    const counts = { k1: 0, k2: 0, k3: 0 };
    for (let nth = 0; nth < 300; nth++) counts[serve(apart) as keyof typeof counts]++;
    for (const count of Object.values(counts)) expect(Math.abs(count - 100)).toBeLessThan(30);
    const together = unlimited.map((key) => ({ ...key, account: 'org' }));
    const models = new Models({ pools: [{ name: 'pool', keys: together }], random });
    expect(new Set(Array.from({ length: 30 }, () => serve(models)))).toEqual(new Set(['k1']));
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
