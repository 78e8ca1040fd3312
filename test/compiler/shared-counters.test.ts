import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules } from '../../src/compiler/compile.ts';
import type { Counters } from '../../src/pipeline/counters.ts';
import type { RuleBundle } from '../../src/pipeline/program.ts';
import { createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';
import { Choices } from './choices.ts';
import { bundleJudge, type Case, interpretedJudge, type Observation, play, randomCase } from './run.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });

describe('compiled code over shared memory', () => {
  it('decides as the interpreter does over the reference model', () => {
    fc.assert(
      fc.property(numbers, (drawn) => {
        const one = withoutTrouble(randomCase(new Choices(drawn)));
        const { bundle } = compileRules(one.policies, one.world);
        const shared = play(one, bundleJudge(bundle, one.keys, sharedCounters(bundle)));
        expect(shared.map(decision)).toEqual(play(one, interpretedJudge(one)).map(decision));
      }),
      { numRuns: 400 },
    );
  });
});

/** What happens at a full table or without a lease is each implementation's own; the rest must agree. */
function withoutTrouble(one: Case): Case {
  const policies = one.policies.policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => ('maxKeys' in rule ? { ...rule, maxKeys: 64 } : rule)),
  }));
  return { ...one, policies: { policies }, steps: one.steps.map((step) => ({ ...step, trouble: null })) };
}

/** Every binding is to the counters of the bundle: the judge binds once more to release. */
function sharedCounters(bundle: RuleBundle): Counters {
  const counters = createSharedCounters(createCounterRegistry().prepare(bundle.counters));
  return { bind: () => counters.bind(bundle.counters) };
}

function decision({ counters: _counters, ...rest }: Observation): unknown {
  return rest;
}
