import { describe, expect, it, vi } from 'vitest';
import {
  and,
  compare,
  each,
  fact,
  filter,
  forbid,
  hasRole,
  inNetworks,
  is,
  limit,
  list,
  memberOf,
  permit,
  policies,
  policy,
  removeHeader,
  setHeader,
  subscribed,
  tagged,
  textTest,
} from '../../test/compiler/ast.ts';
import { KeyNames, route, world } from '../../test/compiler/world.ts';
import { LIMIT_DEFAULTS } from '../base/limits.ts';
import { RequestContext } from '../pipeline/context.ts';
import { NOBODY_WAITS } from '../pipeline/counters.ts';
import type { BoundRuntime } from '../pipeline/program.ts';
import { compileRules } from './compile.ts';
import { instantiateRoute } from './instantiate.ts';
import { ReferenceCounters } from './reference-counters.ts';

const SECOND = { kind: 'window', amount: 5, windowMs: 1_000 } as const;

describe('routes of equal rules', () => {
  const routes = Array.from({ length: 10_000 }, (_, at) => route(`r${at}`, { tags: [`t${at % 10}`] }));
  const own = routes
    .slice(0, 1_000)
    .map((each, at) =>
      policy(`p${at}`, { scope: is(fact('route'), each.name) }, [
        forbid('f', { when: is(fact('request.method'), `M${at}`), because: `no ${at}` }),
        limit('l', { window: { ...SECOND, amount: at + 1 }, per: each_(at) }),
      ]),
    );
  const { bundle, diagnostics } = compileRules(
    policies(policy('all', {}, [permit({ when: subscribed() })]), ...own),
    world({ routes }),
  );

  it('share a handful of functions, and their constants where they can', () => {
    expect(diagnostics).toEqual([]);
    expect(bundle.functions.length).toBeLessThanOrEqual(3);
    const plain = bundle.routes.filter(
      (program) => !own.some((each) => each.name === `p${program.route.name.slice(1)}`),
    );
    expect(new Set(plain.map((program) => program.constants[1])).size).toBe(1);
  });

  it('share a pipeline when nothing in it is of one route', () => {
    const open = compileRules(policies(policy('all', {}, [permit()])), world({ routes })).bundle;
    const runtime = bound();
    expect(instantiateRoute(open.functions, open.routes[1]!, runtime)).toBe(
      instantiateRoute(open.functions, open.routes[2]!, runtime),
    );
    const names = new Set(
      [0, 1].map((at) => instantiateRoute(bundle.functions, bundle.routes[at]!, runtime)),
    );
    expect(names.size).toBe(2);
  });

  it('share no pools that one rule leaves out elsewhere', () => {
    const barred = [
      { pools: ['second'], when: tagged('t1') },
      { pools: ['first'], when: tagged('t2') },
    ];
    const filtered = compileRules(
      policies(policy('p', {}, [permit(), filter(null, barred)])),
      world({ routes }),
    );
    const runtime = bound();
    const { functions, routes: programs } = filtered.bundle;
    const left = ['r1', 'r2'].map((name) => {
      const program = programs.find((each) => each.route.name === name)!;
      return instantiateRoute(functions, program, runtime).barredPools(new RequestContext())?.pools;
    });
    expect(left).toEqual([new Set(['second']), new Set(['first'])]);
  });

  function each_(at: number) {
    return at % 2 === 0 ? each('consumer') : each('tenant');
  }
});

describe('a changed rule set', () => {
  const make = (amount: number, method: string) =>
    compileRules(
      policies(
        policy('p', {}, [
          permit(),
          forbid('f', { when: is(fact('request.method'), method) }),
          limit('l', { window: { ...SECOND, amount }, per: each('consumer') }),
        ]),
      ),
      world({ routes: [route('one')] }),
    ).bundle;

  it('uses the functions it has in common with the one before, on its own constants', () => {
    const [before, after] = [make(7, 'PUT'), make(8, 'PATCH')];
    expect(after.functions).toEqual(before.functions);
    const compiled = vi.spyOn(globalThis, 'Function');
    const pipelines = [before, after].map((bundle) =>
      instantiateRoute(bundle.functions, bundle.routes[0]!, bound(bundle.counters)),
    );
    expect(compiled).toHaveBeenCalledTimes(1);
    compiled.mockRestore();
    expect(pipelines[0]).not.toBe(pipelines[1]);
  });
});

describe('text of users', () => {
  it('is never part of generated code', () => {
    const text = ['x`"', "'$", '{1}*/});process.exit()//'].join('');
    const bundle = compileRules(
      policies(
        policy(text, { scope: and(tagged(text), textTest('like', fact('request.path'), text)) }, [
          permit({ when: hasRole(text) }),
          forbid(text, {
            when: memberOf(fact('request.method'), list(text, 'GET', 'a', 'b', 'c')),
            code: text,
            because: `${text.replaceAll('{', '').replaceAll('}', '')} {tenant.name}`,
          }),
          forbid('n', { when: inNetworks(fact('request.ip'), '10.0.0.0/8') }),
          forbid('size', { when: compare('gt', fact('tenant.tier'), 123_456) }),
          limit(text, { window: { ...SECOND, amount: 123_456 }, per: each('tenant') }),
          setHeader('x-from-user', text.replaceAll('{', '').replaceAll('}', '')),
          removeHeader('x-gone'),
        ]),
      ),
      world({ routes: [route('brand', { tags: [text] })] }),
    ).bundle;
    for (const code of bundle.functions) {
      for (const part of [text, 'process', 'x-from-user', 'x-gone', '10.0', '123456', 'GET', 'brand']) {
        expect(code.includes(part), part).toBe(false);
      }
    }
    expect(() => instantiateRoute(bundle.functions, bundle.routes[0]!, bound(bundle.counters))).not.toThrow();
  });
});

function bound(specs: Parameters<ReferenceCounters['bind']>[0] = []): BoundRuntime {
  const keys = new KeyNames();
  return {
    counters: new ReferenceCounters().bind(specs),
    turns: NOBODY_WAITS,
    hashKey: keys.hashKey,
    combineKey: keys.combineKey,
    bodies: { compileSchema: () => () => null, limits: LIMIT_DEFAULTS },
    alerts: { matched() {} },
  };
}
