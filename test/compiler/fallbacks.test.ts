/** Calls that limits have no room for and the models that these name (language-rules #5 to #8, #19), compiled and interpreted alike. */
import { describe, expect, it } from 'vitest';
import type { ReferenceCounters } from '../../src/compiler/reference-counters.ts';
import type { CheckedRule, Fallback, FallbackCount, LimitRule } from '../../src/language/typed.ts';
import type { World } from '../../src/model/world.ts';
import { budget, each, fact, forbid, is, limit, not, permit, policies, policy } from './ast.ts';
import { callTo } from './random-world.ts';
import { type Case, compiledJudge, interpretedJudge, type Judge } from './run.ts';
import { identity, KeyNames, route, world } from './world.ts';

const WORLD: World = world({ routes: [route('chat', { service: null, ai: 'openai/chat' })] });
const KEYS = new KeyNames();
const AGAIN: FallbackCount = { kind: 'again' };
const NOWHERE: FallbackCount = { kind: 'nowhere' };
const more = (amount: number): FallbackCount => ({ kind: 'allowance', amount, counterIdentity: '' });
const to = (models: readonly string[], counted: FallbackCount): { readonly fallback: Fallback } => ({
  fallback: { models, counted },
});
const DAY = (amount: number) => ({ kind: 'calendar', amount, period: 'day', zone: 'UTC' }) as const;
const isModel = (name: string) => is(fact('model'), name);
const MINUTE = { kind: 'window', amount: 1, windowMs: 60_000 } as const;

describe.each([
  ['compiled', compiledJudge],
  ['interpreted', interpretedJudge],
] as const)('%s', (_, judgeOf: (one: Case) => Judge) => {
  function judge(...rules: readonly CheckedRule[]) {
    const all = policies(policy('open', {}, [permit({}, 'all')]), policy('p', {}, rules));
    const made = judgeOf({ world: WORLD, policies: all, steps: [], keys: KEYS });
    const call = (model: string, money = 2) => {
      const {
        decision,
        model: used,
        refusal,
      } = made.judge('chat', {
        ...REQUEST,
        call: callTo(model, { input: 1, output: 1, outputCap: 1, money }),
      });
      return decision === 'permitted' ? used : decision === 'refused' ? refusal!.code : decision;
    };
    const counters = made.counters as ReferenceCounters;
    return { call, counters, contents: () => [...counters.contents()] };
  }

  it('all limits without room name the model that is used, in the order of the first of them', () => {
    const offers = (...lists: readonly (readonly string[])[]) => {
      const limits = lists.map((models, at) => limit(`${at}`, { window: MINUTE, ...to(models, NOWHERE) }));
      const { call } = judge(...limits);
      call('gpt');
      return call('gpt');
    };
    expect(offers(['b', 'a'])).toBe('b');
    expect(offers(['b', 'a', 'c'], ['a', 'b'])).toBe('b');
    expect(offers(['b', 'a'], ['a', 'c'])).toBe('a');
    expect(offers(['b'], ['a'])).toBe('limit_exceeded');
    const { call } = judge(
      limit('0', { window: MINUTE, ...to(['b'], NOWHERE) }),
      limit('1', { window: MINUTE }),
    );
    expect([call('gpt'), call('gpt')]).toEqual(['gpt', 'limit_exceeded']);
  });

  it('a limit that has room does not send calls elsewhere, whatever it names', () => {
    const { call } = judge(
      limit('full', { window: MINUTE, when: isModel('gpt'), ...to(['b'], AGAIN) }),
      limit('roomy', { window: { ...MINUTE, amount: 9 }, ...to(['a'], NOWHERE) }),
    );
    expect([call('gpt'), call('gpt')]).toEqual(['gpt', 'b']);
  });

  it('a counter that can not be kept sends nobody elsewhere', () => {
    const { call, counters } = judge(limit('l', { window: MINUTE, ...to(['b'], NOWHERE) }));
    counters.fail('p/l', 'table-full');
    expect(call('gpt')).toBe('limit_unavailable');
  });

  it('spends no more than the amount and what is allowed more, and the model itself goes there, too', () => {
    const { call } = judge(budget('b', { window: DAY(5), ...to(['mini'], more(3)) }));
    // a call that falls back takes 1, any other 2: of the last unit of the budget none has the use
    expect([1, 2, 3, 4, 5].map((nth) => call(nth === 4 ? 'mini' : 'gpt'))).toEqual([
      ...['gpt', 'gpt', 'mini', 'mini', 'mini'],
    ]);
    expect([call('gpt'), call('mini')]).toEqual(['budget_exhausted', 'budget_exhausted']);
  });

  it('counts the other model again where nothing is said: by its own key, or because it costs less', () => {
    const byModel = judge(limit('l', { window: MINUTE, per: each('model'), ...to(['a', 'b'], AGAIN) }));
    expect(['gpt', 'gpt', 'gpt', 'gpt', 'b'].map((model) => byModel.call(model))).toEqual([
      ...['gpt', 'a', 'b', 'limit_exceeded', 'limit_exceeded'],
    ]);
    const byPrice = judge(budget('b', { window: DAY(3), ...to(['mini'], AGAIN) }));
    expect([1, 2, 3].map(() => byPrice.call('gpt'))).toEqual(['gpt', 'mini', 'budget_exhausted']);
  });

  it('counts it nowhere where any amount is allowed', () => {
    const { call, contents } = judge(budget('b', { window: DAY(2), ...to(['mini'], NOWHERE) }));
    call('gpt');
    const before = contents();
    expect([1, 2, 3].map(() => call('gpt'))).toEqual(['mini', 'mini', 'mini']);
    expect(contents()).toEqual(before);
  });

  it('asks all rules and limits of the other model, and opens no further ones', () => {
    const spent = limit('spent', { window: MINUTE, when: isModel('gpt'), ...to(['a', 'b', 'c'], AGAIN) });
    const { call } = judge(
      spent,
      forbid('not a', { when: isModel('a') }),
      limit('none of b', {
        window: { ...MINUTE, amount: 0 },
        when: isModel('b'),
        ...to(['d'], NOWHERE),
      }),
      limit('one', { window: { ...MINUTE, amount: 2 }, when: not(isModel('d')) }),
    );
    expect([1, 2, 3].map(() => call('gpt'))).toEqual(['gpt', 'c', 'limit_exceeded']);
  });

  it('a rule about what the caller wrote sees that, whichever model is used', () => {
    const { call } = judge(
      limit('l', { window: MINUTE, per: each('model'), ...to(['a'], AGAIN) }),
      forbid('a', { when: is(fact('request.model'), 'a') }),
    );
    expect([call('a'), call('gpt'), call('gpt')]).toEqual(['forbidden', 'gpt', 'a']);
  });

  it('a call that none can have leaves every counter as it was, and is refused as it was asked for', () => {
    const limits: LimitRule[] = [
      limit('first', { window: MINUTE, code: 'of_the_first', ...to(['a', 'b'], NOWHERE) }),
      limit('others', { window: { ...MINUTE, amount: 1 }, code: 'of_others' }),
      budget('money', { window: DAY(9), ...to(['a'], more(1)) }),
    ];
    const { call, contents } = judge(...limits);
    call('gpt');
    const before = contents();
    expect(call('gpt')).toBe('of_the_first');
    expect(contents()).toEqual(before);
  });

  it('waits where no other model can have it, and all limits without room say so', () => {
    const full = { window: MINUTE, queueMs: 600_000 };
    const { call } = judge(
      limit('l', { ...full, ...to(['a'], NOWHERE) }),
      limit('a', { ...full, when: isModel('a') }),
    );
    expect([call('gpt'), call('gpt'), call('gpt')]).toEqual(['gpt', 'a', 'waiting']);
  });
});

const REQUEST = {
  id: { high: 1, low: 1 },
  method: 'POST',
  path: '/chat/1',
  query: '',
  host: 'api.example',
  ip: '192.0.2.1',
  bodyBytes: 2,
  headers: [],
  parameters: ['1'],
  identity: identity({}, KEYS),
  body: null,
  countedTokens: null,
  isKept: false,
  arrivedMonotonicMs: 1_000,
  arrivedWallMs: Date.UTC(2026, 10, 30),
};
