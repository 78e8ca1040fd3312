import { describe, expect, it } from 'vitest';
import {
  each,
  fact,
  forbid,
  is,
  limit,
  list,
  memberOf,
  permit,
  policies,
  policy,
  tagged,
} from '../../test/compiler/ast.ts';
import { identity, requestContext, start, world } from '../../test/compiler/world.ts';
import { CONTINUE } from '../pipeline/outcome.ts';
import { compileRules } from './compile.ts';

const TEAM_POLICY = policy('team', { scope: tagged('api') }, [
  permit({ when: is(fact('tenant.plan'), 'team') }),
  forbid('writes', { when: memberOf(fact('request.method'), list('PUT', 'DELETE')), code: 'read_only' }),
  limit('pace', { window: { kind: 'window', amount: 2, windowMs: 60_000 }, per: each('consumer') }),
]);

describe('compiled rules', () => {
  it('permit what a permit allows, and say what is left', () => {
    const { pipeline } = start(policies(TEAM_POLICY), world(), 'orders');
    const context = requestContext({ identity: identity({ plan: 'team' }) });
    expect(pipeline.match(context)).toBe(CONTINUE);
    expect(pipeline.authorise(context)).toBe(CONTINUE);
    expect(pipeline.admit(context)).toBe(CONTINUE);
    expect(context.rateLimit).toBe('"pace";r=1;t=64');
    expect(context.rateLimitPolicy).toBe('"pace";q=2;w=60');
  });

  it('refuse without permit', () => {
    const { pipeline } = start(policies(TEAM_POLICY), world(), 'orders');
    const context = requestContext({ identity: identity({ plan: 'free' }) });
    expect(pipeline.authorise(context)).toMatchObject({ refusal: { status: 403, code: 'not_permitted' } });
  });

  it('refuse before identity what needs none', () => {
    const { pipeline } = start(policies(TEAM_POLICY), world(), 'orders');
    const context = requestContext({ method: 'DELETE' });
    expect(pipeline.match(context)).toMatchObject({
      refusal: { status: 403, code: 'read_only', detail: 'Forbidden by "writes" of policy "team".' },
    });
  });

  it('refuse the third request of the minute', () => {
    const { pipeline } = start(policies(TEAM_POLICY), world(), 'orders');
    const caller = identity({ plan: 'team' });
    const answers = [1_000, 2_000, 3_000].map((nowMs) =>
      pipeline.admit(requestContext({ identity: caller, arrivedMonotonicMs: nowMs })),
    );
    expect(answers[1]).toBe(CONTINUE);
    expect(answers[2]).toMatchObject({
      kind: 'respond',
      refusal: { status: 429, code: 'limit_exceeded', retryAfterS: 61, rateLimit: '"pace";r=0;t=61' },
    });
  });

  it('are named to callers without the text of what has no name', () => {
    const of = (name: string | null) =>
      policy('p', {}, [limit(name, { window: { kind: 'window', amount: 2, windowMs: 60_000 } })]);
    const shown = (name: string | null) =>
      compileRules(policies(of(name)), world()).bundle.rules.map(({ shownName }) => shownName);
    expect([shown('pace'), shown(null)]).toEqual([['p/pace'], ['p']]);
  });

  it('cost routes nothing that they do not concern', () => {
    const { bundle } = compileRules(policies(TEAM_POLICY), world());
    const other = bundle.routes.find((route) => route.route.name === 'health');
    expect(other?.constants).toEqual([null, [], []]);
  });
});
