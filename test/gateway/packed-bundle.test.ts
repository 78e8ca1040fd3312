import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AS_THE_DIALECT } from '../../src/ai/usage-fields.cases.ts';
import { compileRules } from '../../src/compiler/compile.ts';
import { BundlePacker, type PackedBundle, unpackBundle } from '../../src/gateway/packed-bundle.ts';
import { createMatcher, NO_ROUTE } from '../../src/gateway/route-matcher.ts';
import type { ServedRules } from '../../src/gateway/served-rules.ts';
import type { Model, Models, Pool, Provider } from '../../src/model/pools.ts';
import type { ProgramConstant, RouteProgram, RuleBundle, RuleInfo } from '../../src/pipeline/program.ts';
import { each, fact, forbid, is, limit, permit, policies, policy, subscribed } from '../compiler/ast.ts';
import { route, world } from '../compiler/world.ts';
import { packed } from '../gateway/gateway.ts';

function unpack(packed: PackedBundle): RuleBundle {
  const steps = unpackBundle(packed);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return asSent(step.value);
  }
}

function asSent(served: ServedRules): RuleBundle {
  const { hash, services, models, functions, counters, routeCount } = served;
  const routes = Array.from({ length: routeCount }, (_, index) => served.program(index));
  const rules: RuleInfo[] = [];
  for (let rule = served.rule(0); rule !== null; rule = served.rule(rules.length)) rules.push(rule);
  return {
    hash,
    routes,
    services,
    models,
    functions,
    rules,
    counters,
    alerts: [],
    poolRules: { alerts: [], rotations: [] },
  };
}

/** With what routes share in it once, so that it can be compared in bearable time. */
function once({ routes, ...rest }: RuleBundle) {
  const lists = [...new Set(routes.flatMap(({ constants }) => constants).filter(Array.isArray))];
  const numbers = new Map<unknown, number>(lists.map((list, number) => [list, number]));
  const programs = routes.map(({ constants, ...program }) => ({
    ...program,
    constants: constants.map((constant) => numbers.get(constant) ?? constant),
  }));
  return { ...rest, lists, routes: programs };
}

const PROVIDERS = Array.from(
  { length: 100 },
  (_, at): Provider => ({
    name: `provider-${at}`,
    dialect: 'openai',
    service: { ...world().services.get('backend')!, name: `provider-${at}` },
    region: null,
    auth: { header: 'authorization', prefix: 'Bearer ' },
    headers: [],
    limitHeaders: [],
    retryHeaders: [],
    errors: [{ statuses: [429], codes: [], messageContains: null, means: 'throttled' }],
    tokensCounted: 'used',
    dailyZone: null,
    outputCapMember: 'max_tokens',
    modelMembers: ['models'],
    streamUsage: 'asked',
    usage: AS_THE_DIALECT,
    place: 'providers/all.yaml:2:3',
  }),
);
const POOLS = PROVIDERS.map(
  ({ name }, at): Pool => ({
    name: `pool-${at}`,
    provider: name,
    choose: 'headroom',
    rotationHook: null,
    sticky: null,
    queue: { upToMs: 0, waiting: 0 },
    keys: [],
    place: 'providers/all.yaml:4:3',
  }),
);
const MODEL_LIST = POOLS.map(
  ({ name }, at): Model => ({
    name: `model-${at}`,
    upstreamName: `model-${at}`,
    pools: [name],
    tags: [],
    price: null,
    datedPrices: [],
    poolPrices: [],
    contextTokens: null,
    outputTokensMax: null,
    answerTokensMost: null,
    searches: false,
    tokenizer: null,
    place: 'providers/all.yaml:6:3',
  }),
);
const byName = <Item extends { readonly name: string }>(items: readonly Item[]) =>
  new Map(items.map((item) => [item.name, item]));
const MODELS: Models = {
  providers: byName(PROVIDERS),
  pools: byName(POOLS),
  models: byName(MODEL_LIST),
};

const routes = Array.from({ length: 2_000 }, (_, at) => route(`r${at}`, { tags: [`t${at % 10}`] }));
const own = Array.from({ length: 1_000 }, (_, at) =>
  policy(`p${at}`, { scope: is(fact('tenant'), `tenant-${at}`) }, [
    forbid('f', { when: is(fact('request.method'), 'PUT'), because: `no ${at}` }),
    limit('l', { window: { kind: 'window', amount: at + 1, windowMs: 1_000 }, per: each('consumer') }),
  ]),
);
const { bundle } = compileRules(policies(policy('all', {}, [permit({ when: subscribed() })]), ...own), {
  ...world({ routes }),
  models: MODELS,
});

test('a large rule set arrives as it was, and its routes share what they shared', () => {
  const read = unpack(packed(bundle));
  expect(isDeepStrictEqual(once(read), once(bundle))).toBe(true);
  for (const shared of [
    (program: RouteProgram): unknown => program.constants,
    (program: RouteProgram): unknown => program.constants[1],
    (program: RouteProgram): unknown => (program.constants[1] as readonly ProgramConstant[])[0],
  ])
    expect(new Set(read.routes.map(shared)).size).toBe(new Set(bundle.routes.map(shared)).size);
});

test('no part is long enough to be felt', () => {
  const { partEnds } = packed(bundle);
  const sizes = partEnds.map((end, at) => end - (partEnds[at - 1] ?? 0));
  expect(partEnds.length).toBeGreaterThan(20);
  // About 2 ms of reading on a slow core.
  expect(Math.max(...sizes)).toBeLessThan(128 * 1024);
});

test('what is read when a version is prepared does not grow with the routes', () => {
  const many = Array.from({ length: 20 }, () => bundle.routes).flat();
  expect(packed({ ...bundle, routes: many }).shared.byteLength).toBe(packed(bundle).shared.byteLength);
});

test('routes that stayed the same objects are not packed again', () => {
  const packer = new BundlePacker();
  const first = packed(bundle, packer);
  const second = packed({ ...bundle, hash: 'second' }, packer);
  const reversed = { ...bundle, routes: bundle.routes.toReversed() };
  const other = packed(reversed, packer);
  expect(second.routes.bytes).toBe(first.routes.bytes);
  expect(second.matcher.nodes).toBe(first.matcher.nodes);
  expect(isDeepStrictEqual(once(unpack(second)), once({ ...bundle, hash: 'second' }))).toBe(true);
  expect(isDeepStrictEqual(once(unpack(other)), once(reversed))).toBe(true);
});

test('drafts are not served, retired routes are found', () => {
  const states = ['draft', 'retired'] as const;
  const [base] = bundle.routes as [RouteProgram];
  const sent = states.map((state) => ({ ...base, route: route(state, { state }) }));
  const matcher = createMatcher(packed({ ...bundle, routes: sent }).matcher);
  expect(matcher.match('GET', 'h', '/draft/1', [])).toBe(NO_ROUTE);
  expect(matcher.match('GET', 'h', '/retired/1', [])).toBe(1);
});

test('a route that can’t be matched is said, and the next set of routes is packed', () => {
  const packer = new BundlePacker();
  const [base] = bundle.routes as [RouteProgram];
  const bad = { ...base, route: route('bad', { match: { ...base.route.match, path: 'no-slash' } }) };
  expect(packer.pack({ ...bundle, routes: [bad] })).toMatchObject({
    ok: false,
    error: expect.stringContaining('route "bad"'),
  });
  expect(packer.pack(bundle).ok).toBe(true);
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
      const sent = { ...bundle, rules: [], counters: [], alerts: [], routes: programs };
      expect(isDeepStrictEqual(unpack(packed(sent)), sent)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('tells how much memory was made for a version: none for routes that stayed', () => {
  const packer = new BundlePacker();
  const first = packed(bundle, packer);
  const { nodes, candidates, edges, text, methodSets, conditionLists } = first.matcher;
  const lists = [first.routes, methodSets, conditionLists].flatMap(({ bytes, ends }) => [bytes, ends]);
  const ofRoutes = [nodes, candidates, edges, text, ...lists].reduce((sum, part) => sum + part.byteLength, 0);
  expect(packed({ ...bundle, hash: 'another' }, packer).ownBytes).toBe(first.ownBytes - ofRoutes);
  expect(first.ownBytes).toBeGreaterThan(ofRoutes + first.shared.byteLength);
});
