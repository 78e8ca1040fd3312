import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import { CompileMemory } from '../../src/compiler/compile-memory.ts';
import { canonicalJson } from '../../src/compiler/digests.ts';
import type { CheckedPolicies, CheckedPolicy, CheckedRule } from '../../src/language/typed.ts';
import type { Route, World } from '../../src/model/world.ts';
import { and, fact, forbid, is, member, permit, policies, policy, present } from './ast.ts';
import { OPEN_BODY } from './bodies.ts';
import { Choices } from './choices.ts';
import { randomCase } from './run.ts';
import { route, world } from './world.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });
/** Which policies and routes are there, whose first rule is not, whose last header is another, and which routes are others; bit by bit. */
const edit = fc.record({
  policies: fc.nat(255),
  withoutRule: fc.nat(255),
  reshaped: fc.nat(255),
  routes: fc.nat(255),
  otherRoutes: fc.nat(255),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

/** Kinds of rules that decide nothing. */
const SHAPING: ReadonlySet<string> = new Set([
  ...['set-header', 'remove-header', 'cap', 'default', 'timeout', 'cache', 'route-to', 'filter', 'mask'],
  ...['deprecate', 'alert'],
]);

/** In the place of a rule that shapes: one of its kind, or none. */
function other(rule: CheckedRule): CheckedRule[] {
  if (rule.kind === 'set-header') return [{ ...rule, value: { parts: ['another'] } }];
  return rule.kind === 'timeout' ? [{ ...rule, totalMs: rule.totalMs + 1 }] : [];
}

function isLong(constants: unknown): boolean {
  return Array.isArray(constants) && constants.length > 0;
}

function has(bits: number, at: number): boolean {
  return ((bits >> (at % 8)) & 1) === 1;
}

/** Policies and routes that are the same are the same objects, as they are in a project of which one file changes. */
function edited(policies: CheckedPolicies, world: World) {
  const without = policies.policies.map(
    (policy): CheckedPolicy => ({ ...policy, rules: policy.rules.slice(1) }),
  );
  const reshaped = policies.policies.map((policy): CheckedPolicy => {
    const last = policy.rules.findLastIndex(({ kind }) => SHAPING.has(kind));
    return { ...policy, rules: policy.rules.flatMap((rule, at) => (at === last ? other(rule) : [rule])) };
  });
  const variant = (change: Edit, at: number): CheckedPolicy => {
    if (has(change.withoutRule, at)) return without[at]!;
    return has(change.reshaped, at) ? reshaped[at]! : policies.policies[at]!;
  };
  const routes = [...world.routes.values()];
  // what another route has beside its name: other tags, services, paths and bodies
  const others = routes.map(
    (route, at): Route => ({ ...routes[(at + 1) % routes.length]!, name: route.name, place: route.place }),
  );
  return (change: Edit): { readonly policies: CheckedPolicies; readonly world: World } => ({
    policies: {
      policies: policies.policies.flatMap((_, at) => (has(change.policies, at) ? [variant(change, at)] : [])),
    },
    world: {
      ...world,
      routes: new Map(
        routes.flatMap((route, at) => {
          const there = has(change.otherRoutes, at) ? others[at]! : route;
          return has(change.routes, at) ? [[route.name, there]] : [];
        }),
      ),
    },
  });
}

describe('a compilation with the memory of earlier ones', () => {
  it('makes what one without makes, after any edits', () => {
    let functions = 0;
    const contents = new Map<string, string>();
    const hashes = new Map<string, string>();
    fc.assert(
      fc.property(numbers, fc.array(edit, { minLength: 2, maxLength: 6 }), (values, edits) => {
        const { policies, world } = randomCase(new Choices(values));
        const make = edited(policies, world);
        const memory = new CompileMemory();
        for (const change of edits) {
          const project = make(change);
          const warm = compileRules(project.policies, project.world, () => null, memory);
          const cold = compileRules(project.policies, project.world);
          expect(warm.diagnostics).toEqual(cold.diagnostics);
          expect(warm.bundle).toEqual(cold.bundle);
          functions += warm.bundle.functions.length;
          // one name for one content, although numbers have no part in it
          const { hash, ...content } = warm.bundle;
          const text = canonicalJson(content);
          expect(contents.get(hash) ?? text).toBe(text);
          expect(hashes.get(text) ?? hash).toBe(hash);
          contents.set(hash, text);
          hashes.set(text, hash);
        }
      }),
      { numRuns: 150 },
    );
    expect(functions).toBeGreaterThan(200);
    expect(hashes.size).toBeGreaterThan(100);
  });

  it('makes only what shapes anew where nothing else has changed', () => {
    let kept = 0;
    fc.assert(
      fc.property(numbers, fc.nat(255), (values, reshaped) => {
        const { policies, world } = randomCase(new Choices(values));
        const make = edited(policies, world);
        const all = { policies: 255, withoutRule: 0, reshaped, routes: 255, otherRoutes: 0 };
        const memory = new CompileMemory();
        const first = compileRules(policies, world, () => null, memory).bundle;
        const project = make(all);
        const warm = compileRules(project.policies, project.world, () => null, memory).bundle;
        expect(warm).toEqual(compileRules(project.policies, project.world).bundle);
        // numbers of rules are in the constants of what decides: where they stay, these do
        for (const [at, { constants }] of warm.routes.entries()) {
          const [, decisions, shaping] = first.routes[at]!.constants;
          if (isLong(constants[1]) && constants[1] === decisions && constants[2] !== shaping) kept++;
        }
      }),
      { numRuns: 200 },
    );
    // none where everything is made anew; random projects keep some 30
    expect(kept).toBeGreaterThan(10);
  });

  it('reads bodies anew where what shapes moves the places of what decides', () => {
    const note = fact('request.body.note');
    const deciding = [permit({}, 'all'), forbid('red', { when: and(present(note), is(note, 'red')) })];
    const capped = [...deciding, member('cap', 'request.body.amount', 5)];
    const of = world({ routes: [route('orders', { requestBody: OPEN_BODY })] });
    const memory = new CompileMemory();
    for (const rules of [capped, deciding, capped]) {
      const checked = policies(policy('p', {}, rules));
      const { bundle } = compileRules(checked, of, () => null, memory);
      expect(bundle).toEqual(compileRules(checked, of).bundle);
    }
  });

  it('keeps the programs of routes whose rules are the same', () => {
    const { policies, world } = randomCase(
      new Choices(Uint16Array.from({ length: 500 }, (_, at) => at * 7_919)),
    );
    const memory = new CompileMemory();
    const first = compileRules(policies, world, () => null, memory).bundle;
    const second = compileRules(policies, { ...world }, () => null, memory).bundle;
    expect(first.routes.length).toBeGreaterThan(0);
    for (const [at, program] of second.routes.entries()) expect(program).toBe(first.routes[at]);
  });

  it('forgets when most of what it holds is of no use', () => {
    const memory = new CompileMemory();
    const kept = new Set<unknown>();
    for (let at = 0; at < 400; at++) {
      const values = Uint16Array.from({ length: 700 }, (_, index) => (at + 1) * 104_729 + index * 7_919);
      const { policies, world } = randomCase(new Choices(values));
      compileRules(policies, world, () => null, memory);
      kept.add(memory.begin().conditions);
    }
    expect(kept.size).toBeGreaterThan(1);
  });
});
