import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import type { CheckedPolicy } from '../../src/language/typed.ts';
import type { Counters } from '../../src/pipeline/counters.ts';
import type { RuleBundle } from '../../src/pipeline/program.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { policy } from './ast.ts';
import { Choices } from './choices.ts';
import { randomRule } from './random-policies.ts';
import { refusedAsSoon } from './refused-sooner.ts';
import { bundleJudge, type Case, interpretedJudge, type Observation, play, randomCase } from './run.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });
const NUM_RUNS = 500;

describe('compiled code over shared memory', () => {
  it('decides as the interpreter does over the reference model', () => {
    let [permitted, limited] = [0, 0];
    fc.assert(
      fc.property(numbers, (drawn) => {
        const one = withoutTrouble(randomCase(new Choices(drawn)));
        const { bundle } = compileRules(one.policies, one.world);
        const shared = play(one, bundleJudge(bundle, one.keys, sharedCounters(bundle)));
        const expected = play(one, interpretedJudge(one)).map((each, step) =>
          refusedAsSoon(each, shared[step]),
        );
        expect(shared.map(decision)).toEqual(expected.map(decision));
        for (const { refusal } of shared) {
          if (refusal === null) permitted++;
          else if (refusal.retryAfterS !== -1) limited++;
        }
      }),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    // else both could agree on nothing: three to fifteen refusals by limits are usual
    expect(permitted).toBeGreaterThan(NUM_RUNS);
    expect(limited).toBeGreaterThan(0);
  });
});

describe('a decision over shared memory', () => {
  it('that refuses takes nothing: the next one is as if it had not been asked', () => {
    let [refused, permitted] = [0, 0];
    fc.assert(
      fc.property(numbers, (drawn) => {
        const one = withoutTrouble(randomCase(new Choices(drawn)));
        const { bundle } = compileRules(one.policies, one.world);
        const steps = one.steps.map((step) => ({ ...step, releasesEarlier: false }));
        const all = play({ ...one, steps }, bundleJudge(bundle, one.keys, sharedCounters(bundle)));
        const isPermitted = (_: unknown, at: number) => all[at]!.decision === 'permitted';
        const others = { ...one, steps: steps.filter(isPermitted) };
        const again = play(others, bundleJudge(bundle, one.keys, sharedCounters(bundle)));
        expect(again.map(decision)).toEqual(all.filter(isPermitted).map(decision));
        permitted += again.length;
        refused += all.length - again.length;
      }),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    expect(permitted).toBeGreaterThan(NUM_RUNS);
    expect(refused).toBeGreaterThan(NUM_RUNS);
  });

  it('never permits more when a limit, a forbid or a require is added', () => {
    const seen = { permitted: 0, refusedByIt: 0, refusedBefore: 0 };
    fc.assert(
      fc.property(numbers, numbers, fc.constantFrom('limit', 'forbid', 'require'), (drawn, added, kind) => {
        const one = withoutTrouble(randomCase(new Choices(drawn)));
        const rule = randomRule(kind, 'added', new Choices(added), new Set());
        const zeta = policy('zeta', {}, [rule]);
        const more = { ...one.policies, policies: [...one.policies.policies, zeta] };
        const before = compileRules(one.policies, one.world).bundle;
        const after = compileRules(more, one.world).bundle;
        const last = one.steps.at(-1)!;
        const judgedBy = (bundle: RuleBundle) => {
          // Counters keep their identity over a reload: both versions find what the first one left.
          const registry = createCounterRegistry();
          const history = { ...one, steps: one.steps.slice(0, -1) };
          play(history, bundleJudge(before, one.keys, sharedCounters(before, registry)));
          const judge = bundleJudge(bundle, one.keys, sharedCounters(bundle, registry));
          return judge.judge(last.route, last.request).decision;
        };
        const isPermitted = judgedBy(after) === 'permitted';
        const wasPermitted = judgedBy(before) === 'permitted';
        if (isPermitted) expect(wasPermitted).toBe(true);
        if (isPermitted) seen.permitted++;
        else if (wasPermitted) seen.refusedByIt++;
        else seen.refusedBefore++;
      }),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    // else the property could hold of nothing
    expect(seen.permitted).toBeGreaterThan(NUM_RUNS * 0.15);
    expect(seen.refusedByIt).toBeGreaterThan(NUM_RUNS * 0.1);
    expect(seen.refusedBefore).toBeGreaterThan(NUM_RUNS * 0.2);
  });
});

/** What happens at a full table or without a lease is each implementation's own; the rest must agree. */
function withoutTrouble(one: Case): Case {
  const roomy = (policy: CheckedPolicy): CheckedPolicy => ({
    ...policy,
    rules: policy.rules.map((rule) => ('maxKeys' in rule ? { ...rule, maxKeys: 64 } : rule)),
  });
  const { policies, replaced } = one.policies;
  const all = { policies: policies.map(roomy), ...(replaced && { replaced: replaced.map(roomy) }) };
  return { ...one, policies: all, steps: one.steps.map((step) => ({ ...step, trouble: null })) };
}

/** Every binding is to the counters of the bundle: the judge binds once more to release. */
function sharedCounters(bundle: RuleBundle, registry = createCounterRegistry()): Counters {
  const counters = createSharedCounters(registry.prepare(bundle.counters), null);
  return { bind: () => counters.bind(bundle.counters) };
}

/** Shared memory counts time in parts of a millisecond, the model in fractions: a wait ends in the same millisecond. */
function decision({ counters: _counters, wait, targets, ...rest }: Observation): unknown {
  return {
    ...rest,
    wait: wait && { ...wait, atMonotonicMs: Math.ceil(wait.atMonotonicMs) },
    targets: targets?.map((seen) => seen.with(FITS_AT, Math.ceil(seen[FITS_AT] as number))),
  };
}
/** What is seen of a target: its headroom, when it fits, the refusal, and whether it was taken. */
const FITS_AT = 1;
