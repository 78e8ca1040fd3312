import { placeOf } from '../../diagnostics/source.ts';
import type { CheckedPolicies } from '../../language/typed.ts';
import type { CheckedTest } from '../../language/typed-tests.ts';
import type { World } from '../../model/world.ts';
import type { TestPorts } from './ports.ts';
import { TestRunner } from './run.ts';

/** A rule that could be deleted without any test failing. */
export interface UntestedRule {
  readonly policy: string;
  /** Null: the author gave none. */
  readonly rule: string | null;
  readonly kind: string;
  readonly place: string;
}

/**
 * Leaves out each rule in turn and runs all tests: those whose absence none notices. Costs a compilation for each rule,
 * and a run of the tests up to the first that fails.
 */
export function untestedRules(
  checked: CheckedPolicies,
  world: World,
  tests: readonly CheckedTest[],
  ports: TestPorts,
): UntestedRule[] {
  return checked.policies.flatMap((policy) =>
    policy.rules.flatMap((rule) => {
      const without = {
        policies: checked.policies.map((each) =>
          each === policy ? { ...policy, rules: policy.rules.filter((one) => one !== rule) } : each,
        ),
      };
      const runner = new TestRunner(without, world, ports);
      const noticed = tests.some((test) => runner.run(test).failures.length > 0);
      return noticed
        ? []
        : [{ policy: policy.name, rule: rule.name, kind: rule.kind, place: placeOf(rule.span) }];
    }),
  );
}
