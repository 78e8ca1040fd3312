/** Calls to models, by what their answers say of keys. */
import { describe, expect, it } from 'vitest';
import { ANSWER, HELLO, Models, perMinute, type RotatedSecret, TWO_KEYS } from './model-call.cases.ts';

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

  it('is left alone for as long as the words of the refusal say, and is active all the time', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    const message = 'Rate limit reached for gpt-4o on tokens per min (TPM). Please try again in 1.574s.';
    models.newCalls()[0]!.answer(429, { error: { message, type: 'tokens', code: 'rate_limit_exceeded' } });
    models.pass(1_573);
    models.call(HELLO);
    expect(models.newCalls()).toEqual([]);
    expect(models.registry.health.state(0)).toBe('active');
    models.pass(1);
    models.call(HELLO);
    expect(models.newCalls()).toHaveLength(1);
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

describe('a key that is throttled for no time', () => {
  const NO_WAITS: readonly (readonly string[])[] = [
    ['retry-after', '0'],
    ['retry-after-ms', '0'],
    ['retry-after', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ];
  const provider = {
    retryHeaders: [
      { name: 'retry-after-ms', format: 'milliseconds' },
      { name: 'retry-after', format: 'seconds' },
    ],
  } as const;

  it.each(NO_WAITS)('is no key for this call while another has room: %s %s', (...fields) => {
    const pools = [{ ...TWO_KEYS[0]!, choose: 'priority' } as const];
    const models = new Models({ pools, provider });
    const caller = models.call(HELLO);
    const [first] = models.newCalls();
    first!.answer(429, {}, fields);
    const [second] = models.newCalls();
    expect([first!.key, second!.key]).toEqual(['secret-of-a', 'secret-of-b']);
    second!.answer(200, ANSWER);
    expect(caller.head!.status).toBe(200);
  });

  it('stays out for this call, however long others took to refuse it', () => {
    const keys = ['a', 'b', 'c'].map((name, nth) => ({ name, priority: nth + 1 }));
    const models = new Models({ pools: [{ name: 'pool', choose: 'priority', keys }], provider });
    models.call(HELLO);
    const asked: string[] = [];
    for (let nth = 0; nth < 3; nth++) {
      const [call] = models.newCalls();
      asked.push(call!.key);
      models.pass(5_000);
      call!.answer(429, {}, NO_WAITS[0]);
    }
    expect(asked).toEqual(['secret-of-a', 'secret-of-b', 'secret-of-c']);
  });

  it('gives way to the next pool', () => {
    const pools = ['near', 'far'].map((name) => ({ name, keys: [{ name }] }));
    const models = new Models({ pools, provider });
    models.call(HELLO);
    models.newCalls()[0]!.answer(429, {}, NO_WAITS[0]);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-far']);
  });

  it('is asked again from the queue where it is the only one, more and more rarely', () => {
    const queue = { upToMs: 3_000, waiting: 9 };
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a' }] }], provider });
    const sinceMs = models.nowMs;
    const caller = models.call(HELLO);
    const askedMs: number[] = [];
    while (models.nowMs < sinceMs + 4_000) {
      for (const call of models.newCalls()) {
        askedMs.push(models.nowMs - sinceMs);
        call.answer(429, {}, NO_WAITS[0]);
      }
      models.pass(10);
    }
    expect(askedMs).toHaveLength(5);
    for (const [nth, leastMs] of [100, 200, 400, 800].entries())
      expect(askedMs[nth + 1]! - askedMs[nth]!).toBeGreaterThanOrEqual(leastMs);
    expect(caller.error).toMatchObject({ code: 'keys_exhausted', attempts: 5 });
  });
});

describe('refusals that cost nothing', () => {
  it.each([
    [429, ['retry-after', '20']],
    [401, []],
  ])('of %i end with the last key, not with a number of attempts', (status, fields) => {
    const keys = Array.from({ length: 10 }, (_, nth) => ({ name: `k${nth}`, priority: nth + 1 }));
    const models = new Models({ pools: [{ name: 'pool', choose: 'priority', keys }] });
    const caller = models.call(HELLO);
    for (let nth = 0; nth < 9; nth++) models.newCalls()[0]!.answer(status, {}, fields);
    const [last] = models.newCalls();
    expect(last!.key).toBe('secret-of-k9');
    last!.answer(200, ANSWER);
    expect(caller.head).toMatchObject({ status: 200, attempts: 10 });
  });

  it('leave the attempts that a call has for those that may cost something', () => {
    const pools = ['one', 'two', 'three', 'four'].map((name) => ({ name, provider: name, keys: [{ name }] }));
    const models = new Models({ pools, limits: { providerAttempts: 2 } });
    const caller = models.call(HELLO);
    models.newCalls()[0]!.answer(429, {}, ['retry-after', '20']);
    models.newCalls()[0]!.answer(503, {});
    const [third] = models.newCalls();
    expect(third!.key).toBe('secret-of-three');
    third!.answer(503, {});
    expect(models.newCalls()).toEqual([]);
    expect(caller.head!.status).toBe(503);
  });
});

describe('a key that its provider does not know', () => {
  it('is not given up for calls that were under way together', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    for (let nth = 0; nth < 3; nth++) models.call(HELLO);
    for (const call of models.newCalls()) call.answer(401, {});
    expect(models.registry.health.state(0)).toBe('suspect');
  });

  it('is proven by the next call where the proof ended without an answer', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(401, {});
    models.pass(0);
    models.call(HELLO).call.abort();
    expect(models.newCalls()).toHaveLength(1);
    models.call(HELLO);
    expect(models.newCalls()).toHaveLength(1);
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

  it('serves all while the answer of its proof is long in coming, and each of them is one', () => {
    const queue = { upToMs: 60_000, waiting: 9 };
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(401, {});
    models.pass(0);
    for (let nth = 0; nth < 4; nth++) models.call(HELLO);
    expect(models.newCalls()).toHaveLength(1);
    models.pass(1_900);
    expect(models.newCalls()).toEqual([]);
    models.pass(1_200);
    const others = models.newCalls();
    expect(others).toHaveLength(3);
    expect(models.registry.health.state(0)).toBe('suspect');
    others[0]!.answer(401, {});
    expect(models.registry.health.state(0)).toBe('invalid');
  });

  it('is proven by one call though one that went while an earlier proof was long in coming ends only now', () => {
    const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
    const sent = () => {
      models.call(HELLO);
      return models.newCalls();
    };
    sent()[0]!.answer(401, {});
    models.pass(0);
    const [first] = sent();
    models.pass(3_100);
    const [late] = sent();
    first!.answer(500, {});
    models.pass(0);
    const [proof] = sent();
    expect(proof).toBeDefined();
    late!.answer(500, {});
    models.pass(0);
    expect(sent()).toEqual([]);
    proof!.answer(500, {});
    expect(sent()).toHaveLength(1);
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

it.each([
  [200, ANSWER],
  [401, {}],
  [429, {}],
  [500, {}],
])(
  'a key that a person disables while its call is under way stays disabled when that ends with %i',
  (status, body) => {
    const models = new Models({ pools: TWO_KEYS });
    models.call(HELLO);
    models.registry.health.happened(0, 'disable');
    models.newCalls()[0]!.answer(status, body);
    models.pass(60_000);
    expect(models.registry.health.state(0)).toBe('disabled');
    models.newCalls();
    models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-b']);
  },
);

it('a call that went with the secret of before says nothing of a key', () => {
  const models = new Models({ pools: TWO_KEYS });
  models.call(HELLO);
  models.registry.health.renewed(0, 1);
  models.newCalls()[0]!.answer(401, {});
  expect(models.registry.health.state(0)).toBe('active');
});

it('who is sent away while one call goes first is told when others may', () => {
  const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a' }] }] });
  models.call(HELLO);
  models.newCalls()[0]!.answer(429, {}, ['retry-after', '5']);
  models.pass(5_000);
  models.call(HELLO);
  expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 2 });
  models.newCalls()[0]!.answer(401, {});
  models.pass(0);
  models.call(HELLO);
  expect(models.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 2 });
});

describe('a call that waits for a key', () => {
  const queue = { upToMs: 70_000, waiting: 9 };
  const limits = [perMinute('requests', 1)];
  const refusals = [
    ['disabled', (models: Models) => void models.registry.health.happened(0, 'disable')],
    ['invalid', (models: Models) => models.registry.health.begin(0, 'invalid')],
    ['exhausted', (models: Models) => void models.registry.health.happened(0, 'out-of-credit')],
  ] as const;

  it.each(refusals)('that becomes %s ends there and then where it is the last', (_, becomes) => {
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a', limits }] }] });
    models.call(HELLO);
    const callers = [models.call(HELLO), models.call(HELLO)];
    becomes(models);
    models.pass(25);
    for (const { error } of callers) {
      expect(error).toMatchObject({ code: 'no_key_available', attempts: 0 });
      expect(error).not.toHaveProperty('retryAfterS');
    }
    expect(models.waiting).toBe(0);
  });

  it.each(refusals)('that becomes %s waits on where the next pool has another', (_, becomes) => {
    const pools = ['near', 'far'].map((name) => ({ name, queue, keys: [{ name, limits }] }));
    const models = new Models({ pools });
    models.call(HELLO);
    models.call(HELLO);
    const caller = models.call(HELLO);
    models.newCalls();
    becomes(models);
    models.pass(59_000);
    expect(caller.error).toBeNull();
    models.pass(2_000);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['secret-of-far']);
  });

  it('waits on while another call shows whether it is known', () => {
    const models = new Models({ pools: [{ name: 'pool', queue, keys: [{ name: 'a' }] }] });
    models.call(HELLO);
    models.newCalls()[0]!.answer(401, {});
    models.call(HELLO);
    const caller = models.call(HELLO);
    models.pass(100);
    expect(caller.error).toBeNull();
    expect(models.waiting).toBe(1);
    models.newCalls()[0]!.answer(401, {});
    models.pass(25);
    expect(caller.error).toMatchObject({ code: 'no_key_available' });
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

describe('a key whose account has no credit', () => {
  const options = { pools: [{ name: 'pool', keys: [{ name: 'a' }] }] };
  const NO_CREDIT = { error: { code: 'insufficient_quota' } };
  const out = (...fields: string[]) => {
    const models = new Models(options);
    models.call(HELLO);
    models.newCalls()[0]!.answer(429, NO_CREDIT, fields);
    models.pass(0);
    return models;
  };
  const stateOf = (models: Models) => models.registry.inspect(models.models)[0]!.keys[0]!.state;
  const stateIn = (models: Models, ms: number) => {
    models.pass(ms);
    models.registry.tend(models.models);
    return stateOf(models);
  };
  const sent = (models: Models, calls: number) => {
    for (let nth = 0; nth < calls; nth++) models.call(HELLO);
    return models.newCalls();
  };

  it('waits for a person where its provider does not say when there is some', () => {
    expect(stateIn(out(), 40 * 86_400_000)).toBe('exhausted');
  });

  it('is tried by one call at the moment that its provider says, and by all once that is answered', () => {
    const models = out('retry-after', '5');
    expect(stateIn(models, 4_000)).toBe('exhausted');
    expect(sent(models, 3)).toEqual([]);
    expect(stateIn(models, 1_000)).toBe('active');
    const [proof, ...others] = sent(models, 3);
    expect(others).toEqual([]);
    proof!.answer(200, ANSWER);
    expect(sent(models, 3)).toHaveLength(3);
  });

  it('is tried after twice the time where its provider was wrong', () => {
    const models = out('retry-after', '5');
    stateIn(models, 5_000);
    sent(models, 1)[0]!.answer(429, NO_CREDIT, ['retry-after', '5']);
    models.pass(0);
    expect(stateIn(models, 9_000)).toBe('exhausted');
    expect(stateIn(models, 1_000)).toBe('active');
    sent(models, 1)[0]!.answer(200, ANSWER);
    sent(models, 1)[0]!.answer(429, NO_CREDIT, ['retry-after', '5']);
    expect(stateIn(models, 5_000)).toBe('active');
  });

  it('is suspect, not invalid, when calls are refused as unknown that tried it together', () => {
    const models = out('retry-after', '5');
    stateIn(models, 5_000);
    expect(sent(models, 1)).toHaveLength(1);
    models.pass(3_100);
    const [one, other] = sent(models, 2);
    one!.answer(401, {});
    expect(stateOf(models)).toBe('suspect');
    other!.answer(401, {});
    expect(stateOf(models)).toBe('suspect');
    models.pass(0);
    sent(models, 1)[0]!.answer(401, {});
    expect(stateOf(models)).toBe('invalid');
  });

  it('is tried at that moment also after a restart, and by one call only', () => {
    const models = out('retry-after', '500');
    const restarted = (before: Models) => {
      const saved = JSON.parse(JSON.stringify(before.registry.save(before.models)));
      return new Models({ ...options, restores: { saved, shiftMs: 0 }, nowMs: before.nowMs });
    };
    const second = restarted(models);
    expect(stateIn(second, 499_000)).toBe('exhausted');
    expect(stateIn(second, 1_000)).toBe('active');
    const third = restarted(second);
    expect(stateIn(third, 0)).toBe('active');
    expect(sent(third, 3)).toHaveLength(1);
  });

  it('is enabled by a person without any proof', () => {
    const models = out('retry-after', '5');
    models.registry.health.happened(0, 'enable');
    expect(sent(models, 3)).toHaveLength(3);
    expect(stateIn(models, 60_000)).toBe('active');
    expect(sent(models, 3)).toHaveLength(3);
  });
});

it('a key that a person drains is retired with the end of its last call, and no new secret brings it back', () => {
  const models = new Models({ pools: TWO_KEYS });
  models.call(HELLO);
  models.registry.health.happened(0, 'drain');
  models.registry.tend(models.models);
  expect(models.registry.health.state(0)).toBe('draining');
  models.newCalls()[0]!.answer(200, ANSWER);
  models.registry.tend(models.models);
  expect(models.registry.health.state(0)).toBe('retired');
  models.registry.health.renewed(0, 1);
  expect(models.registry.health.state(0)).toBe('retired');
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

  it('lets those who wait go once its proof would have been refused, however long its answer takes', () => {
    const models = closed();
    const key = () => models.registry.inspect(models.models)[0]!.keys[0]!.lanes;
    expect(models.newCalls()).toHaveLength(1);
    expect(key()).toContainEqual(expect.objectContaining({ isProving: true }));
    models.pass(1_800);
    expect(models.newCalls()).toEqual([]);
    models.pass(200);
    expect(models.newCalls()).toHaveLength(3);
    expect(key()).not.toContainEqual(expect.objectContaining({ isProving: true }));
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

it('a key of which one answer tells an absurd use serves again after a minute or two', () => {
  const limits = [perMinute('tokens', 1_000)];
  const models = new Models({ pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }] });
  models.call(HELLO);
  models.newCalls()[0]!.answer(200, { ...ANSWER, usage: { prompt_tokens: 9e6, completion_tokens: 1 } });
  expect(models.registry.inspect(models.models)[0]!.keys[0]).toMatchObject({ state: 'active', doubted: 1 });
  models.call(HELLO);
  expect(models.newCalls()).toEqual([]);
  models.pass(130_000);
  models.call(HELLO);
  expect(models.newCalls()).toHaveLength(1);
});

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
    before.registry.health.begin(0, 'invalid');
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
    expect(after.registry.health.state(0)).toBe('invalid');
    after.call(HELLO);
    expect(after.newCalls()).toHaveLength(0);
    after.pass(1_000);
    after.call(HELLO);
    expect(after.newCalls().map(({ key }) => key)).toEqual(['secret-of-b']);
  });

  it('is not believed beyond what clocks and calls can have brought about', () => {
    const limits = [perMinute('requests', 60)];
    const options = { pools: [{ name: 'pool', keys: [{ name: 'a', limits }] }] };
    const saved = new Models(options).registry.save(new Models(options).models);
    const [lane] = saved.lanes;
    const cells = [...lane!.cells];
    [cells[0], cells[1]] = [1e300, 1];
    cells[8] = -1e9;
    const damaged = { ...saved, lanes: [{ ...lane!, cells }] };
    const after = new Models({ ...options, restores: { saved: damaged, shiftMs: 0 } });
    expect(after.call(HELLO).error).toMatchObject({ code: 'keys_exhausted', retryAfterS: 86_400 });
    after.pass(86_400_000);
    after.call(HELLO);
    expect(after.newCalls()).toHaveLength(1);
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

it('a secret that is not there is told with its place, and what to do', () => {
  const missing = () => new Models({ pools: TWO_KEYS, secretPrefix: null });
  expect(missing).toThrow(
    'The secret of key "a" of pool "pool" can\'t be read: the variable a: it is not set. Set it where the gateway is started.',
  );
});

describe('a key whose secret lies in a file', () => {
  const files = (): Map<string, string> => new Map([['a', 'first']]);
  const ONE = [{ name: 'pool', keys: [{ name: 'a' }] }];

  it('is called with what lies there now, without another version', () => {
    const secrets = files();
    const models = new Models({ pools: ONE, files: secrets });
    models.call(HELLO);
    secrets.set('a', 'second');
    expect(models.renewSecrets()).toMatchObject({
      pools: [{ keys: [{ name: 'a', secretTurn: 1 }] }],
      faults: [],
    });
    models.call(HELLO);
    expect(models.calls.map(({ key }) => key)).toEqual(['first', 'second']);
    expect(models.renewSecrets()).toEqual({ pools: [], faults: [] });
  });

  it('is another key for a call that it refused with the secret of before: while that is with another one, or waits', () => {
    for (const upToMs of [0, 10_000]) {
      const secrets = files();
      const limits = upToMs === 0 ? [] : [perMinute('requests', 10)];
      const keys = [{ name: 'a' }, { name: 'b', limits }];
      const queue = { upToMs, waiting: 9 };
      const models = new Models({
        pools: [{ name: 'pool', choose: 'priority', queue, keys }],
        files: secrets,
      });
      const lane = models.laneOf('secret-of-b');
      const none = { inputTokens: 0, outputTokens: 0, costNano: 0, countedTokens: null };
      for (let nth = 0; nth < (upToMs === 0 ? 0 : 10); nth++)
        models.registry.lanes.take([lane], none, models.nowMs);
      const caller = models.call(HELLO);
      models.newCalls()[0]!.answer(401, {});
      models.pass(0);
      secrets.set('a', 'second');
      models.renewSecrets();
      // it has asked `b`, or waits for that, which is closed for longer than it waits
      if (upToMs === 0) models.newCalls()[0]!.answer(429, {}, ['retry-after', '60']);
      else models.registry.lanes.close(lane, models.nowMs + 60_000, models.nowMs);
      models.pass(upToMs);
      expect([models.newCalls().map(({ key }) => key), caller.error]).toEqual([['second'], null]);
    }
  });

  it('is well again when it was unknown before, and is not judged by calls with the secret of before', () => {
    const secrets = files();
    const models = new Models({ pools: ONE, files: secrets });
    for (let nth = 0; nth < 2; nth++) {
      models.call(HELLO);
      models.newCalls()[0]!.answer(401, {});
      models.pass(0);
    }
    expect(models.registry.health.state(0)).toBe('invalid');
    secrets.set('a', 'second');
    models.renewSecrets();
    expect(models.registry.health.state(0)).toBe('active');
    const caller = models.call(HELLO);
    const [late] = models.newCalls();
    secrets.set('a', 'third');
    models.renewSecrets();
    late!.answer(401, {});
    expect(models.registry.health.state(0)).toBe('active');
    const [again] = models.newCalls();
    expect(again!.key).toBe('third');
    again!.answer(200, ANSWER);
    expect(caller.head!.status).toBe(200);
  });

  it('keeps what was read where nothing can be read now', () => {
    const secrets = files();
    const models = new Models({ pools: ONE, files: secrets });
    for (const bad of ['two words', undefined]) {
      if (bad === undefined) secrets.delete('a');
      else secrets.set('a', bad);
      const { pools, faults } = models.renewSecrets();
      expect(pools).toEqual([]);
      expect(faults).toMatchObject([{ pool: 'pool', key: 'a' }]);
      expect(JSON.stringify(faults)).not.toContain('two words');
      models.call(HELLO);
    }
    expect(models.calls.map(({ key }) => key)).toEqual(['first', 'first']);
  });
});

describe('a key whose secret is replaced with an overlap', () => {
  const DAY_MS = 86_400_000;
  const ONE = [{ name: 'pool', keys: [{ name: 'a' }] }];
  /** Draws that go round evenly. */
  const evenly = (): (() => number) => {
    let nth = 0;
    return () => (nth++ % 20) * (2 ** 30 / 20);
  };

  function rotating(): {
    models: Models;
    rotated: Map<string, RotatedSecret>;
    shares: () => Record<string, number>;
  } {
    const rotated = new Map<string, RotatedSecret>([
      ['a', { present: 'old', former: null, sinceMs: 0, untilMs: 0 }],
    ]);
    const models = new Models({ pools: ONE, rotated, random: evenly() });
    rotated.set('a', {
      present: 'new',
      former: 'old',
      sinceMs: models.nowMs,
      untilMs: models.nowMs + DAY_MS,
    });
    models.renewSecrets();
    const shares = () => {
      for (let nth = 0; nth < 20; nth++) models.call(HELLO);
      const calls = models.newCalls();
      for (const call of calls) call.answer(200, ANSWER);
      return Object.fromEntries(
        ['old', 'new'].map((name) => [name, calls.filter(({ key }) => key === name).length]),
      );
    };
    return { models, rotated, shares };
  }

  it('tries the new one for a growing share of calls, and gives the former one up', () => {
    const { models, rotated, shares } = rotating();
    expect(shares()).toEqual({ new: 2, old: 18 });
    models.pass(DAY_MS / 8);
    expect(models.renewSecrets().pools).toHaveLength(1);
    expect(shares()).toEqual({ new: 10, old: 10 });
    models.pass((DAY_MS * 3) / 8);
    models.renewSecrets();
    expect(shares()).toEqual({ new: 20, old: 0 });
    const rotation = () => models.registry.inspect(models.models)[0]!.keys[0]!.rotation;
    expect(rotation()).toMatchObject({ share: 1, former: 'draining' });
    models.pass(DAY_MS / 2);
    models.renewSecrets();
    models.renewSecrets();
    expect(rotation()).toMatchObject({ former: 'retired' });
    rotated.set('a', { ...rotated.get('a')!, former: null });
    expect(models.renewSecrets().pools).toEqual([]);
    expect(rotation()).toBeNull();
    expect(shares()).toEqual({ new: 20, old: 0 });
  });

  it('lets the former one serve what the new one is refused, and no caller hears of it', () => {
    const { models } = rotating();
    const callers = Array.from({ length: 60 }, () => models.call(HELLO));
    for (;;) {
      const calls = models.newCalls();
      if (calls.length === 0) break;
      for (const call of calls) {
        if (call.key === 'old') call.answer(200, ANSWER);
        else call.answer(401, {});
        models.pass(0);
      }
    }
    for (let nth = 0; nth < 40; nth++) {
      callers.push(models.call(HELLO));
      for (let calls = models.newCalls(); calls.length > 0; calls = models.newCalls())
        for (const call of calls) {
          if (call.key === 'old') call.answer(200, ANSWER);
          else call.answer(401, {});
          models.pass(0);
        }
    }
    expect(
      callers.map(({ head, error }, nth) => [nth, head?.status ?? error]).filter(([, end]) => end !== 200),
    ).toEqual([]);
    expect(models.registry.inspect(models.models)[0]!.keys[0]).toMatchObject({
      state: 'invalid',
      rotation: { former: 'active' },
    });
  });

  it('goes back to the former one without a moment in which a thread has neither', () => {
    const { models, rotated } = rotating();
    const place = models.registry.keyPlace('pool', 'a')!;
    for (const event of ['unauthorised', 'unauthorised'] as const)
      models.registry.health.happened(place, event);
    expect(models.registry.health.state(place)).toBe('invalid');
    rotated.set('a', { present: 'old', former: null, sinceMs: 0, untilMs: 0 });
    const renewed = models.registry.renew(models.models);
    models.tellKeys(renewed);
    // the thread knows the former one alone by now, and the control thread has not said that the key is well
    models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['old']);
    models.registry.renewed(renewed, models.models);
    expect(models.registry.health.state(place)).toBe('active');
    models.call(HELLO);
    expect(models.newCalls().map(({ key }) => key)).toEqual(['old']);
  });

  it.each(['disable', 'drain'] as const)('serves with neither once a person has said %s', (event) => {
    const { models } = rotating();
    const place = models.registry.keyPlace('pool', 'a')!;
    models.registry.health.happened(place, event);
    expect(models.call(HELLO).error).toMatchObject({ code: 'no_key_available', attempts: 0 });
    models.registry.health.happened(place, 'enable');
    models.call(HELLO);
    expect(models.newCalls()).toHaveLength(1);
  });

  it('does not serve where it was disabled before, nor after a restart', () => {
    const rotated = new Map<string, RotatedSecret>([
      ['a', { present: 'old', former: null, sinceMs: 0, untilMs: 0 }],
    ]);
    const models = new Models({ pools: ONE, rotated });
    models.registry.health.happened(models.registry.keyPlace('pool', 'a')!, 'disable');
    rotated.set('a', { present: 'new', former: 'old', sinceMs: models.nowMs, untilMs: DAY_MS });
    models.renewSecrets();
    expect(models.call(HELLO).error).toMatchObject({ code: 'no_key_available', attempts: 0 });
    const saved = models.registry.save(models.models);
    const again = new Models({ pools: ONE, rotated, restores: { saved, shiftMs: 0 }, disabled: ['a'] });
    expect(again.call(HELLO).error).toMatchObject({ code: 'no_key_available', attempts: 0 });
  });

  it('has a former one that serves also where one was given up before', () => {
    const { models, rotated, shares } = rotating();
    const again = rotated.get('a')!;
    rotated.set('a', { ...again, present: 'old', former: null });
    for (let nth = 0; nth < 3; nth++) models.renewSecrets();
    rotated.set('a', { ...again, sinceMs: models.nowMs, untilMs: models.nowMs + DAY_MS });
    models.renewSecrets();
    expect(shares()).toEqual({ new: 2, old: 18 });
  });

  it('takes the new one for all calls where there is no place for the former one, or it is no key', () => {
    for (const [former, poolKeys] of [
      ['old', 1],
      ['two words', 9],
    ] as const) {
      const rotated = new Map<string, RotatedSecret>([
        ['a', { present: 'old', former: null, sinceMs: 0, untilMs: 0 }],
      ]);
      const models = new Models({ pools: ONE, rotated, limits: { poolKeys }, random: evenly() });
      rotated.set('a', { present: 'new', former, sinceMs: models.nowMs, untilMs: models.nowMs + DAY_MS });
      expect(models.renewSecrets().faults).toEqual([]);
      for (let nth = 0; nth < 20; nth++) models.call(HELLO);
      expect(new Set(models.newCalls().map(({ key }) => key))).toEqual(new Set(['new']));
    }
  });

  it('takes the new one for all calls where the former one is known no more', () => {
    const { models } = rotating();
    for (let nth = 0; nth < 10; nth++) {
      const caller = models.call(HELLO);
      for (let calls = models.newCalls(); calls.length > 0; calls = models.newCalls())
        for (const call of calls) {
          if (call.key === 'new') call.answer(200, ANSWER);
          else call.answer(401, {});
          models.pass(0);
        }
      expect(caller.head!.status).toBe(200);
    }
  });
});
