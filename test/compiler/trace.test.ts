import fc from 'fast-check';
import { expect, it } from 'vitest';
import { placedRules } from '../../src/compiler/interpret/placed-rules.ts';
import { traceRequest } from '../../src/compiler/interpret/trace.ts';
import { Choices } from './choices.ts';
import { compiledJudge, play, randomCase } from './run.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });

/** What rules say they saw must be what the compiled code did, or explanations would be stories. */
it('what the trace says of a request is what the compiled code decides', () => {
  const seen = { match: 0, identify: 0, authorise: 0, body: 0, admit: 0 };
  fc.assert(
    fc.property(numbers, (values) => {
      const one = randomCase(new Choices([...values]));
      const rules = placedRules(one.policies, one.world);
      const observations = play({ ...one, steps: one.steps.map(plain) }, compiledJudge(one));
      for (const [at, step] of one.steps.entries()) {
        const { sights, stage } = traceRequest(
          rules,
          one.world.routes.get(step.route)!,
          step.request,
          one.keys,
        );
        seen[stage]++;
        const observation = observations[at]!;
        const refusing = sights.flatMap(({ effect, placed }) =>
          effect === 'refuses' && placed.mode === 'enforce' ? [placed.index] : [],
        );
        if (stage === 'admit') {
          expect(refusing).toEqual([]);
          expect(observation.decision === 'permitted' || observation.refusal?.ruleIndex !== -1).toBe(true);
        } else {
          const { decidingRule, alsoDenied } = observation;
          expect(observation.decision).toBe('refused');
          const denied = [...(decidingRule === -1 ? [] : [decidingRule]), ...alsoDenied];
          expect(denied.toSorted((a, b) => a - b)).toEqual(refusing);
        }
      }
    }),
    { numRuns: 1_500 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
});

function plain<Step>(step: Step): Step & { trouble: null } {
  return { ...step, trouble: null };
}
