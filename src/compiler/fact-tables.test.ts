import { describe, expect, it } from 'vitest';
import {
  each,
  fact,
  forbid,
  hasRole,
  is,
  limit,
  list,
  memberOf,
  permit,
  policies,
  policy,
  setHeader,
  timeout,
} from '../../test/compiler/ast.ts';
import { identity, requestContext, start, world } from '../../test/compiler/world.ts';
import type { CheckedRule, TypedExpression } from '../language/typed.ts';
import { HeaderEdits } from '../pipeline/context.ts';

const COUNT = 2_000;
const SECOND = { kind: 'window', amount: 1, windowMs: 1_000 } as const;

/** One policy for each of many values, and a permit for all. */
function crowd(scope: (index: number) => TypedExpression, rule: (index: number) => CheckedRule) {
  const many = Array.from({ length: COUNT }, (_, index) =>
    policy(`p${index}`, { scope: scope(index) }, [rule(index)]),
  );
  return start(policies(policy('open', {}, [permit()]), ...many), world(), 'orders');
}

const forTenant = (index: number) => is(fact('tenant'), `t${index}`);
const caller = (tenant: string) => requestContext({ identity: identity({ tenant }) });

describe('thousands of policies, each for another value of one fact', () => {
  it('are one table of rows that share their code', () => {
    const { bundle, diagnostics } = crowd(forTenant, (index) => forbid('f', { because: `no ${index}` }));
    expect(diagnostics).toEqual([]);
    const code = bundle.functions.find((each) => each.includes('runtime.table('))!;
    expect(code.match(/const shape\d+ =/g)).toHaveLength(1);
    expect(code.length).toBeLessThan(2_000);
  });

  it('deny those whom they are for', () => {
    const { pipeline } = crowd(forTenant, (index) => forbid('f', { because: `no ${index}` }));
    expect(pipeline.authorise(caller('t1777'))).toMatchObject({ refusal: { detail: 'no 1777' } });
    expect(pipeline.authorise(caller('t10000')).kind).toBe('continue');
  });

  it('may be limits, although no more than 64 can be taken together', () => {
    const { pipeline, diagnostics } = crowd(forTenant, () =>
      limit('l', { window: SECOND, per: each('consumer') }),
    );
    expect(diagnostics).toEqual([]);
    expect(pipeline.admit(caller('t5')).kind).toBe('continue');
    expect(pipeline.admit(caller('t5'))).toMatchObject({ refusal: { status: 429 } });
    expect(pipeline.admit(caller('t6')).kind).toBe('continue');
  });

  it('may be requirements on a list, of which several rows apply', () => {
    const { pipeline } = crowd(
      (index) => hasRole(`r${index}`),
      (index) => forbid('f', { code: `c${index}` }),
    );
    const context = requestContext({ identity: identity({ roles: ['x', 'r9', 'r3', 'r9'] }) });
    expect(pipeline.authorise(context)).toMatchObject({ refusal: { code: 'c3' } });
    expect(context.alsoDenied).toHaveLength(1);
  });

  it('may set one header to different values, because no request has two of the values', () => {
    const { pipeline, diagnostics } = crowd(forTenant, (index) => setHeader('x-team', `team ${index}`));
    expect(diagnostics).toEqual([]);
    const edits = new HeaderEdits();
    pipeline.shapeRequest(caller('t42'), edits);
    expect(edits.set).toEqual(['x-team', 'team 42']);
  });

  it('may bound time, and name several values', () => {
    const { pipeline } = crowd(
      (index) => memberOf(fact('tenant'), list(`t${index}`, `t${index + 1}`)),
      (index) => timeout(1_000 + index),
    );
    expect(pipeline.totalTimeoutMs(caller('t42'))).toBe(1_041);
    expect(pipeline.totalTimeoutMs(caller('other'))).toBe(Number.POSITIVE_INFINITY);
  });
});
