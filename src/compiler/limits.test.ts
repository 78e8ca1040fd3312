/** What callers are told of limits. */
import { describe, expect, it } from 'vitest';
import {
  budget,
  each,
  fact,
  is,
  limit,
  permit,
  policies,
  policy,
  tokenLimit,
} from '../../test/compiler/ast.ts';
import { callTo } from '../../test/compiler/random-world.ts';
import { bind, identity, KeyNames, requestContext, route, start, world } from '../../test/compiler/world.ts';
import type { LimitRule } from '../language/typed.ts';
import { NOBODY_WAITS, type Turns } from '../pipeline/counters.ts';
import { ReferenceCounters } from './reference-counters.ts';

const MINUTE = { kind: 'window', amount: 1, windowMs: 60_000 } as const;
const OPEN = policy('open', {}, [permit()]);

/** Sends `count` requests one second apart, and gives the answer to the last with what its context holds. */
function last(
  count: number,
  rules: readonly LimitRule[],
  prepare: (counters: ReferenceCounters) => void = () => {},
) {
  const { pipeline, counters } = start(policies(OPEN, policy('p', {}, rules)), world(), 'orders');
  prepare(counters);
  const answers = Array.from({ length: count }, (_, at) => {
    const context = requestContext({
      identity: identity(),
      arrivedMonotonicMs: at * 1_000,
      arrivedWallMs: at * 1_000,
    });
    return { outcome: pipeline.admit(context), context };
  });
  return answers.at(-1)!;
}

describe('a limit', () => {
  it('that fits the request is shown when it is kept for the caller', () => {
    const { context } = last(1, [
      limit('pace', { window: { ...MINUTE, amount: 10 }, per: each('consumer') }),
    ]);
    expect(context).toMatchObject({ rateLimit: '"pace";r=9;t=64', rateLimitPolicy: '"pace";q=10;w=60' });
  });

  it('that is not kept for the caller is never shown, not even in its own text', () => {
    const rule = limit('all', {
      window: MINUTE,
      because: '{limit.used} of {limit.amount} until {limit.resets}',
    });
    expect(last(1, [rule]).context).toMatchObject({ rateLimit: '', rateLimitPolicy: '' });
    expect(last(2, [rule]).outcome).toMatchObject({
      refusal: {
        status: 429,
        detail: '(none) of (none) until 1970-01-01T00:01:04Z',
        rateLimit: '',
        retryAfterS: 63,
      },
    });
  });

  it('with the least left is named, and all that apply are listed', () => {
    const { context } = last(1, [
      limit('a', { window: { ...MINUTE, amount: 10 }, per: each('consumer') }),
      limit('b', { window: { kind: 'concurrency', amount: 4 }, per: each('tenant') }),
      limit('c', { window: MINUTE, per: each('tenant'), when: is(fact('tenant.plan'), 'team') }),
      limit('d', {
        window: { kind: 'calendar', amount: 9, period: 'day', zone: 'UTC' },
        per: each('credential'),
      }),
    ]);
    expect(context.rateLimit).toBe('"b";r=3');
    expect(context.rateLimitPolicy).toBe('"a";q=10;w=60, "b";q=4;qu="concurrent-requests", "d";q=9;w=86400');
    expect(context.reservation).not.toBeNull();
  });

  it('whose first possible moment is latest is named, with its own status', () => {
    const { outcome, context } = last(2, [
      limit('minute', { window: MINUTE, per: each('consumer') }),
      limit('day', {
        window: { kind: 'calendar', amount: 1, period: 'day', zone: 'UTC' },
        status: 403,
        code: 'day',
      }),
    ]);
    expect(outcome).toMatchObject({
      refusal: { status: 403, code: 'day', retryAfterS: -1, rateLimit: '"minute";r=0;t=63' },
    });
    expect([context.decidingRule, context.alsoDenied]).toEqual([1, [2]]);
  });

  it('that a request can never fit comes before all others', () => {
    const never = limit('never', { window: { kind: 'pace', amount: 5, periodMs: 1_000, burst: 0 } });
    const { outcome } = last(2, [limit('minute', { window: MINUTE }), never]);
    expect(outcome).toMatchObject({ refusal: { status: 403, code: 'larger_than_limit', retryAfterS: -1 } });
  });

  it('that cannot be counted refuses with 503', () => {
    const { outcome } = last(1, [limit('l', { window: MINUTE })], (counters) =>
      counters.fail('p/l', 'table-full'),
    );
    expect(outcome).toMatchObject({ refusal: { status: 503, code: 'limit_unavailable', retryAfterS: 1 } });
  });

  it('never lets a key share the counter of what stands in for it (language-rules #16)', () => {
    const per = {
      kind: 'each',
      keys: [fact('request.header', 'x-id')],
      otherwise: fact('request.ip'),
    } as const;
    const rules = [limit('one', { window: MINUTE, per })];
    const { pipeline } = start(policies(OPEN, policy('p', {}, rules)), world(), 'orders');
    const admit = (headers: string[]) =>
      pipeline.admit(requestContext({ identity: identity(), ip: '192.0.2.1', headers })).kind;
    expect([admit(['x-id', '192.0.2.1']), admit([]), admit([]), admit(['x-id', '192.0.2.1'])]).toEqual([
      ...['continue', 'continue', 'respond', 'respond'],
    ]);
  });

  it('that needs a lease lets the request wait', () => {
    const { outcome } = last(1, [limit('l', { window: MINUTE })], (counters) => counters.revokeLease('p/l'));
    expect(outcome).toEqual({ kind: 'wait-for-grant' });
  });
});

describe('waiting for room', () => {
  const SECOND = { kind: 'window', amount: 1, windowMs: 1_600 } as const;
  const patient = (name: string, queueMs: number, window: LimitRule['window'] = SECOND) =>
    limit(name, { window, queueMs });
  const sent = (rules: readonly LimitRule[], turns: Turns = NOBODY_WAITS) => {
    const { pipeline, counters } = start(policies(OPEN, policy('p', {}, rules)), world(), 'orders', turns);
    return {
      counters,
      at: (ms: number) => pipeline.admit(requestContext({ arrivedMonotonicMs: ms, arrivedWallMs: ms })),
      admit: pipeline.admit,
    };
  };

  it('lasts until the first moment at which every limit has room, and no longer than the least of them says', () => {
    const { at } = sent([patient('a', 9_000), patient('b', 5_000, { ...SECOND, windowMs: 3_200 })]);
    expect(at(0).kind).toBe('continue');
    expect(at(100)).toMatchObject({
      kind: 'wait',
      atMonotonicMs: 3_400,
      untilMonotonicMs: 5_100,
      room: 'clock',
      counters: [
        { name: 'p/a 0 0', atMs: 1_700, room: 'clock' },
        { name: 'p/b 0 0', atMs: 3_400, room: 'clock' },
      ],
      refusal: { status: 429, retryAfterS: 4 },
    });
  });

  it.each([
    ['one of the limits lets nobody wait', [patient('a', 9_000), limit('b', { window: SECOND })]],
    ['room comes later than it may wait', [patient('a', 9_000), patient('b', 1_000)]],
  ])('is refused where %s', (_, rules) => {
    const { at } = sent(rules);
    expect(at(0).kind).toBe('continue');
    expect(at(100).kind).toBe('respond');
  });

  it('is refused to what is larger than the limit, and where the counter can not be kept', () => {
    const larger = sent([patient('none', 9_000, { kind: 'concurrency', amount: 0 })]);
    expect(larger.at(0)).toMatchObject({ kind: 'respond', refusal: { code: 'larger_than_limit' } });
    const faulty = sent([patient('a', 9_000)]);
    faulty.counters.fail('p/a', 'table-full');
    expect(faulty.at(0)).toMatchObject({ kind: 'respond', refusal: { code: 'limit_unavailable' } });
  });

  it('for a slot looks again now and then: no clock says when one is free', () => {
    const { at } = sent([patient('slots', 9_000, { kind: 'concurrency', amount: 1 })]);
    expect(at(0).kind).toBe('continue');
    expect(at(100)).toMatchObject({
      kind: 'wait',
      room: 'slot',
      counters: [{ atMs: 120, room: 'slot' }],
      atMonotonicMs: 120,
      untilMonotonicMs: 9_100,
    });
  });

  it('knows whose slots it holds: its end is told to those who wait for them', () => {
    const { admit } = sent([
      patient('slots', 9_000, { kind: 'concurrency', amount: 1 }),
      patient('a', 9_000),
    ]);
    const [first, second] = [requestContext(), requestContext()];
    expect([admit(first).kind, admit(second).kind]).toEqual(['continue', 'wait']);
    expect([first.heldSlots, second.heldSlots]).toEqual([['p/slots 0 0'], null]);
  });

  it('does not overtake: where somebody waits for one of the counters, nothing is taken before that one has had its turn', () => {
    let firstAtMs = 700;
    const turns: Turns = {
      get areFree() {
        return firstAtMs === 0;
      },
      firstAtMs: (counter) => (counter === 'p/b 0 0' ? firstAtMs : 0),
    };
    const { at, counters } = sent([patient('a', 9_000), patient('b', 9_000)], turns);
    expect(at(100)).toMatchObject({
      kind: 'wait',
      atMonotonicMs: 700,
      counters: [{ name: 'p/b 0 0', atMs: 700 }],
    });
    expect(counters.contents().size).toBe(0);
    firstAtMs = 0;
    expect(at(100).kind).toBe('continue');
  });
});

describe('limits without room for a call', () => {
  const AI = world({ routes: [route('chat', { service: null, ai: 'openai/chat' })] });
  const checkedOf = (rules: readonly LimitRule[]) => policies(OPEN, policy('p', {}, rules));
  const window = (amount: number) => ({ window: { ...MINUTE, amount } });
  const tokens = (kind: Parameters<typeof tokenLimit>[0], amount: number) =>
    tokenLimit(kind, `${kind} ${amount}`, window(amount));
  const contextOf = (output: number, prompt: 'bytes' | 'countable' = 'countable') => {
    const call = { ...callTo('gpt', { input: 50, output, outputCap: output, money: 600 }), prompt };
    return Object.assign(requestContext({ identity: identity() }), { call, shapedCall: call });
  };
  /** Of a call of 50 tokens in and 10 out. */
  const isShort = (rules: readonly LimitRule[], output = 10) => {
    const { pipeline } = start(checkedOf(rules), AI, 'chat');
    const context = contextOf(output);
    expect(pipeline.admit(context).kind).toBe('respond');
    return context.isShortOfPrompt;
  };

  it('say whether fewer tokens of its prompt may be all that it needs', () => {
    for (const kind of ['tokens', 'input-tokens', 'cached-tokens'] as const)
      expect(isShort([tokens(kind, 20)]), kind).toBe(true);
    expect(isShort([budget('b', window(100))])).toBe(true);
    expect(isShort([tokens('tokens', 20), tokens('input-tokens', 1)])).toBe(true);
    // for the output alone there is no room, or none beside it
    expect(isShort([tokens('output-tokens', 9)])).toBe(false);
    expect(isShort([tokens('tokens', 10)])).toBe(false);
    expect(isShort([tokens('tokens', 20)], Number.POSITIVE_INFINITY)).toBe(false);
    expect(isShort([limit('requests', window(0))])).toBe(false);
    expect(isShort([tokens('tokens', 20), limit('requests', window(0))])).toBe(false);
  });

  it('that may have it once its prompt is counted are only tried: no counter is exhausted by that, but by those that watch', () => {
    const seen: boolean[] = [];
    const counters = new ReferenceCounters();
    const { bundle } = start(
      policies(OPEN, policy('p', {}, [tokens('input-tokens', 90)]), policy('w', {}, [tokens('tokens', 90)])),
      world({ routes: [...AI.routes.values()], modes: { w: 'shadow' } }),
      'chat',
    );
    const pipeline = bind(
      bundle,
      {
        bind: (specs) => {
          const binding = counters.bind(specs);
          const take = binding.take.bind(binding);
          binding.take = (batch, ...moment) => {
            seen.push(batch.isTrial);
            return take(batch, ...moment);
          };
          return binding;
        },
      },
      'chat',
      new KeyNames(),
    );
    for (const prompt of ['countable', 'bytes'] as const) pipeline.admit(contextOf(10, prompt));
    expect(seen).toEqual([true, false, false]);
  });
});
