/** Limits for each key or target (language-rules #19): policies as they are written, over pools whose providers are scripted. */
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { checkPolicies } from '../../src/language/check.ts';
import type { EnforcementMode } from '../../src/model/world.ts';
import type { RequestContext } from '../../src/pipeline/context.ts';
import { CONTINUE } from '../../src/pipeline/outcome.ts';
import {
  ANSWER,
  Caller,
  HELLO,
  Models,
  type ModelsOptions,
  perMinute,
  TWO_KEYS,
} from '../../src/pools/model-call.cases.ts';
import { bind, identity, KeyNames, requestContext, route, world } from '../compiler/world.ts';

class Governed {
  readonly models: Models;
  readonly counters = new ReferenceCounters();
  readonly #keys = new KeyNames();
  readonly #pipeline: ReturnType<typeof bind>;

  constructor(rules: string, options: ModelsOptions, mode: EnforcementMode = 'enforce') {
    this.models = new Models(options);
    const chat = route('chat', { service: null, ai: 'openai/chat', tags: ['ai'], auth: 'required' });
    const of = { ...world({ routes: [chat], modes: { limits: mode } }), models: this.models.models };
    const text = `language 1\npolicy "open" { permit }\npolicy "limits" { ${rules} }`;
    const checked = checkPolicies([new SourceText('a.policy', text)], of);
    const errors = checked.diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ message }) => message)).toEqual([]);
    const { bundle } = compileRules(checked.policies, of);
    this.#pipeline = bind(bundle, this.counters, 'chat', this.#keys);
  }

  /** As the exchange does; `context` is null where limits of the request refuse it. */
  call(tenant = 'acme', body: unknown = HELLO): Caller & { readonly context: RequestContext } {
    const { models } = this;
    const plan = models.read(body);
    if ('code' in plan) throw new Error(plan.sentence);
    const context = requestContext({
      identity: identity({ tenant }, this.#keys),
      arrivedMonotonicMs: models.nowMs,
      arrivedWallMs: models.nowMs,
    });
    context.call = context.shapedCall = plan;
    expect(this.#pipeline.authorise(context)).toBe(CONTINUE);
    expect(this.#pipeline.admit(context)).toBe(CONTINUE);
    const caller = Object.assign(new Caller(), { context });
    models.send(plan, caller, 'openai/chat', {}, null, this.#pipeline.targetLimits?.(context) ?? null);
    return caller;
  }

  /** By the secrets that calls have been sent with since the last time. */
  sent(): string[] {
    return this.models.newCalls().map(({ key }) => key.replace('secret-of-', ''));
  }
}

/** What of it the exchange gives back where no key has room. */
function giveBack({ counters }: Governed, context: RequestContext): void {
  const binding = counters.bind([]);
  for (const held of [context.reservation, ...(context.observedReservations ?? [])])
    if (held !== null) binding.cancel(held);
}

describe('a limit of requests', () => {
  const ONE_A_MINUTE = {
    pools: [{ name: 'pool', keys: [{ name: 'a', limits: [perMinute('requests', 1)] }] }],
  };

  it.each(['enforce', 'warn', 'shadow'] as const)(
    'in %s counts nothing of a call that no key has room for',
    (mode) => {
      const governed = new Governed(
        'limit at most 9 requests in any 1m  for each tenant',
        ONE_A_MINUTE,
        mode,
      );
      governed.call();
      const before = governed.counters.contents();
      const refused = governed.call();
      governed.models.pass(0);
      expect(refusalOf(refused)).toEqual({ code: 'keys_exhausted' });
      giveBack(governed, refused.context);
      expect(governed.counters.contents()).toEqual(before);
    },
  );
});

function refusalOf({ error }: Caller) {
  return error === null ? null : { code: error.code, ...error.refusal };
}

describe('a limit for each key', () => {
  it('is counted by key: one without room is passed over, and who finds none is refused in its words', () => {
    const governed = new Governed(
      'limit "gentle" at most 1 requests in any 1m  for each key  when exceeded code "busy" because "One a minute"',
      { pools: TWO_KEYS },
    );
    for (let call = 0; call < 2; call++) governed.call();
    expect(governed.sent().sort()).toEqual(['a', 'b']);
    const before = governed.counters.contents();
    const refused = governed.call();
    governed.models.pass(0);
    expect(governed.sent()).toEqual([]);
    expect(refusalOf(refused)).toMatchObject({
      status: 429,
      code: 'busy',
      detail: 'One a minute',
      retryAfterS: 63,
    });
    expect(refused.error).toMatchObject({ code: 'keys_exhausted', unprocessed: true });
    expect(governed.counters.contents()).toEqual(before);
    governed.models.pass(64_000);
    governed.call();
    expect(governed.sent()).toHaveLength(1);
  });

  it('and tenant is no limit for other tenants', () => {
    const governed = new Governed('limit at most 1 requests in any 1m  for each tenant and key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
    });
    const [first, again, other] = ['acme', 'acme', 'berlin'].map((tenant) => governed.call(tenant));
    governed.models.pass(0);
    expect([first, again, other].map((caller) => caller!.error?.code)).toEqual([
      undefined,
      'keys_exhausted',
      undefined,
    ]);
    expect(governed.sent()).toEqual(['a', 'a']);
  });

  it('is one for all keys of an account, where it says so', () => {
    const keys = [
      { name: 'a', account: 'x' },
      { name: 'b', account: 'x' },
      { name: 'c', account: 'y' },
    ];
    const governed = new Governed('limit at most 1 requests in any 1m  for each key.account', {
      pools: [{ name: 'pool', keys }],
    });
    for (let call = 0; call < 3; call++) governed.call();
    expect(governed.sent()).toEqual(['a', 'c']);
  });

  it('lets a call wait in the queue of its pool, until the moment at which there is room', () => {
    const governed = new Governed('limit at most 1 requests in any 1m  for each key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }], queue: { upToMs: 100_000, waiting: 9 } }],
    });
    governed.call();
    governed.models.newCalls()[0]!.answer(200, ANSWER);
    const waiting = governed.call();
    governed.models.pass(62_000);
    expect(governed.sent()).toEqual([]);
    governed.models.pass(1_000);
    expect([governed.sent(), waiting.error]).toEqual([['a'], null]);
  });

  it('is taken together with the limits of the key, or not at all', () => {
    const keys = [{ name: 'a', limits: [perMinute('requests', 1)] }];
    const governed = new Governed('limit at most 2 requests in any 1m  for each key', {
      pools: [{ name: 'pool', keys }],
    });
    governed.call();
    const before = governed.counters.contents();
    const refused = governed.call();
    governed.models.pass(0);
    expect(refusalOf(refused)).toEqual({ code: 'keys_exhausted' });
    expect(governed.counters.contents()).toEqual(before);
  });

  it('of tokens counts what a call used in the end, and nothing of one that was refused', () => {
    const governed = new Governed('limit at most 300 tokens in any 1m  for each key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
    });
    const used = () => [...governed.counters.contents().values()];
    governed.call();
    const [call] = governed.models.newCalls();
    const reserved = used();
    call!.answer(200, ANSWER);
    const settled = used();
    expect(settled).not.toEqual(reserved);
    governed.call();
    governed.models.newCalls()[0]!.answer(401, {});
    governed.models.pass(0);
    expect(used()).toEqual(settled);
  });

  it.each([
    [504, 'all that was reserved'],
    [500, 'all that was reserved'],
    [503, 'nothing'],
    [400, 'nothing'],
  ])('of tokens counts of a call that ends with %i %s', (status, counts) => {
    const governed = new Governed('limit at most 300 tokens in any 1m  for each key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
    });
    const used = () => [...governed.counters.contents().values()];
    governed.call();
    const reserved = used();
    governed.models.newCalls()[0]!.answer(status, {});
    governed.models.pass(0);
    if (counts === 'nothing') expect(used()).not.toEqual(reserved);
    else expect(used()).toEqual(reserved);
  });

  it('counts each call that is sent with the key, and gives back what was never sent', () => {
    const governed = new Governed('limit at most 2 requests in any 1m  for each key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
    });
    governed.call();
    const unsent = governed.models.newCalls()[0]!;
    unsent.fail({ code: 'upstream_connect_failed', unprocessed: true });
    for (let call = 0; call < 3; call++) governed.call();
    expect(governed.sent()).toEqual(['a', 'a']);
  });

  it('is taken of each key that a call is tried with', () => {
    const governed = new Governed('limit at most 1 requests in any 1m  for each key', { pools: TWO_KEYS });
    const call = governed.call();
    governed.models.newCalls()[0]!.answer(429, {}, ['retry-after', '1']);
    governed.models.pass(0);
    expect([governed.sent(), call.error]).toEqual([['b'], null]);
    governed.models.pass(2_000);
    governed.call();
    governed.models.pass(0);
    expect(governed.sent()).toEqual([]);
  });

  it('frees a slot of `at once` with the end of the call', () => {
    const governed = new Governed('limit at most 1 requests at once  for each key', {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
    });
    governed.call();
    const [call] = governed.models.newCalls();
    const refused = governed.call();
    governed.models.pass(0);
    expect(refusalOf(refused)).toMatchObject({ status: 429, code: 'limit_exceeded' });
    call!.answer(200, ANSWER);
    governed.call();
    expect(governed.sent()).toEqual(['a']);
  });

  it('that a call is larger than is said to be so, unless the key itself is too small for it', () => {
    const rules = 'limit "small" at most 5 tokens in any 1m  for each key';
    const small = new Governed(rules, { pools: TWO_KEYS });
    const refused = small.call();
    small.models.pass(0);
    expect(refusalOf(refused)).toMatchObject({ status: 403, code: 'larger_than_limit', retryAfterS: -1 });
    const keys = [{ name: 'a', limits: [perMinute('tokens', 5)] }];
    const smaller = new Governed(rules, { pools: [{ name: 'pool', keys }] });
    const unfit = smaller.call();
    smaller.models.pass(0);
    expect(refusalOf(unfit)).toEqual({ code: 'request_exceeds_keys' });
    // of two keys the one that is large enough would be, but for the rule
    const both = new Governed(rules, { pools: [{ name: 'pool', keys: [...keys, { name: 'b' }] }] });
    const limited = both.call();
    both.models.pass(0);
    expect(refusalOf(limited)).toMatchObject({ status: 403, code: 'larger_than_limit' });
  });

  it('of tokens has its calls counted where it has no room for their bytes, and takes what was counted', async () => {
    const rules = `limit at most 10_000 tokens in any 1m  for each key
      limit at most 2 requests in any 24h  for each key`;
    const governed = new Governed(rules, {
      pools: [{ name: 'pool', keys: [{ name: 'a' }] }],
      model: { tokenizer: 'o200k_base' },
    });
    const used = () => [...governed.counters.contents().values()];
    const long = { ...HELLO, messages: [{ role: 'user', content: 'x'.repeat(40_000) }] };
    governed.call('acme', long);
    expect(governed.sent()).toEqual([]);
    await governed.models.tellCount(9_000);
    expect(governed.sent()).toEqual(['a']);
    const before = used();
    // nine hundred and ninety are left
    const [refused, larger] = [governed.call('acme', long), governed.call('acme', long)];
    await governed.models.tellCount(981);
    await governed.models.tellCount(10_001);
    expect(governed.sent()).toEqual([]);
    expect([refused, larger].map(refusalOf)).toMatchObject([
      { status: 429, code: 'limit_exceeded', retryAfterS: 63 },
      { status: 403, code: 'larger_than_limit' },
    ]);
    expect(used()).toEqual(before);
    governed.call('acme', long);
    await governed.models.tellCount(980);
    expect(governed.sent()).toEqual(['a']);
  });

  it('of a policy in warn mode tells, once the key is chosen, and refuses nobody', () => {
    const governed = new Governed(
      'limit "gentle" at most 1 requests in any 1m  for each key  when exceeded because "Busy"',
      { pools: [{ name: 'pool', keys: [{ name: 'a' }] }] },
      'warn',
    );
    const [first, second] = [governed.call(), governed.call()];
    expect(governed.sent()).toEqual(['a', 'a']);
    expect([first, second].map(({ context }) => context.warnings?.map(({ detail }) => detail))).toEqual([
      undefined,
      ['Busy'],
    ]);
  });
});

it('slots that a policy in warn mode counts by key are free with the end of the call', () => {
  const governed = new Governed(
    'limit at most 1 requests at once  for each key  when exceeded because "Busy"',
    { pools: [{ name: 'pool', keys: [{ name: 'a' }] }] },
    'warn',
  );
  const first = governed.call();
  const [call] = governed.models.newCalls();
  const second = governed.call();
  governed.models.newCalls()[0]!.answer(200, ANSWER);
  call!.answer(200, ANSWER);
  const third = governed.call();
  expect([first, second, third].map(({ context }) => context.warnings?.length ?? 0)).toEqual([0, 1, 0]);
});

describe('a limit for each target', () => {
  it('sends calls on to the next pool that has room', () => {
    const governed = new Governed('limit at most 1 requests in any 1m  for each target', {
      pools: [
        { name: 'first', keys: [{ name: 'a' }, { name: 'b' }] },
        { name: 'second', keys: [{ name: 'c' }] },
      ],
    });
    for (let call = 0; call < 3; call++) governed.call();
    governed.models.pass(0);
    expect(governed.sent()).toEqual(['a', 'c']);
  });

  it('prefers the key that has more of it left', () => {
    const governed = new Governed('limit at most 4 requests in any 1m  for each tenant and key', {
      pools: TWO_KEYS,
    });
    for (let call = 0; call < 4; call++) governed.call();
    expect(governed.sent()).toEqual(['a', 'b', 'a', 'b']);
  });
});
