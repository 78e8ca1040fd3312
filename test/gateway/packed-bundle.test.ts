import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { type PackedBundle, packBundle, unpackBundle } from '../../src/gateway/packed-bundle.ts';
import type { ProgramConstant, RouteProgram, RuleBundle } from '../../src/pipeline/program.ts';
import { each, fact, forbid, is, limit, permit, policies, policy, subscribed } from '../compiler/ast.ts';
import { route, world } from '../compiler/world.ts';

function unpack(packed: PackedBundle): RuleBundle {
  const steps = unpackBundle(packed);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const routes = Array.from({ length: 2_000 }, (_, at) => route(`r${at}`, { tags: [`t${at % 10}`] }));
const own = Array.from({ length: 1_000 }, (_, at) =>
  policy(`p${at}`, { scope: is(fact('tenant'), `tenant-${at}`) }, [
    forbid('f', { when: is(fact('request.method'), 'PUT'), because: `no ${at}` }),
    limit('l', { window: { kind: 'window', amount: at + 1, windowMs: 1_000 }, per: each('consumer') }),
  ]),
);
const { bundle } = compileRules(
  policies(policy('all', {}, [permit({ when: subscribed() })]), ...own),
  world({ routes }),
);

test('a large rule set arrives as it was, and its routes share what they shared', () => {
  const read = unpack(packBundle(bundle));
  expect(isDeepStrictEqual(read, bundle)).toBe(true);
  for (const shared of [
    (program: RouteProgram): unknown => program.constants,
    (program: RouteProgram): unknown => program.constants[1],
    (program: RouteProgram): unknown => (program.constants[1] as readonly ProgramConstant[])[0],
  ])
    expect(new Set(read.routes.map(shared)).size).toBe(new Set(bundle.routes.map(shared)).size);
});

test('no part is long enough to be felt', () => {
  const { partEnds } = packBundle(bundle);
  const sizes = partEnds.map((end, at) => end - (partEnds[at - 1] ?? 0));
  expect(partEnds.length).toBeGreaterThan(bundle.routes.length / 100);
  // About 2 ms of reading on a slow core.
  expect(Math.max(...sizes)).toBeLessThan(128 * 1024);
});

const constant = fc.letrec<{ value: ProgramConstant }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<ProgramConstant>(null, true, 1.5, 'text'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'length'), tie('value'), { noNullPrototype: true }),
    fc
      .constantFrom<ProgramConstant>(null, 'text')
      .map((value) => new Array<ProgramConstant>(300).fill(value)),
  ),
})).value;

test('whatever constants are, they arrive as they were', () => {
  const base = bundle.routes[0]!;
  fc.assert(
    fc.property(fc.array(fc.array(constant, { maxLength: 3 }), { maxLength: 3 }), (lists) => {
      const programs = lists.flatMap((constants, at) => [
        { ...base, constants },
        { ...base, constants: [`r${at}`, lists[0]!, constants] },
      ]);
      const sent = { ...bundle, rules: [], counters: [], routes: programs };
      expect(isDeepStrictEqual(unpack(packBundle(sent)), sent)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
