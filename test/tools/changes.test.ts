import fc from 'fast-check';
import { expect, it } from 'vitest';
import { placedRules } from '../../src/compiler/interpret/placed-rules.ts';
import { traceRequest } from '../../src/compiler/interpret/trace.ts';
import { compileRequestSchema } from '../../src/config/request-schema.ts';
import { isLimitRule } from '../../src/language/limit-rules.ts';
import { whatWouldChange } from '../../src/tools/explain/changes.ts';
import { Choices } from '../compiler/choices.ts';
import { type Case, compiledJudge, randomCase } from '../compiler/run.ts';
import { identity } from '../compiler/world.ts';

const numbers = fc.uint16Array({ minLength: 300, maxLength: 700, size: 'max' });

/** Random policies are worded like canonical text, so spans of their clauses are empty: only the changes are looked at. */
function searched(one: Case) {
  const rules = placedRules(one.policies, one.world);
  const callers = [identity({ subscriptions: [...one.world.routes.keys()] }, one.keys)];
  return one.steps.flatMap((step) => {
    const route = one.world.routes.get(step.route)!;
    const fits = compileRequestSchema(route.requestBody?.schema ?? true, one.world.limits.regexInstructions);
    if (traceRequest(rules, route, step.request, one.keys).stage === 'admit') return [];
    return [
      {
        step,
        found: whatWouldChange(rules, route, step.request, {
          world: one.world,
          callers,
          keys: one.keys,
          fitsSchema: (body) => fits(body) === null,
        }),
      },
    ];
  });
}

it('what is suggested, done, permits the request: the compiled code says so', { timeout: 480_000 }, () => {
  let suggested = 0;
  let several = 0;
  let ofBodies = 0;
  fc.assert(
    fc.property(numbers, (values) => {
      const one = randomCase(new Choices(values));
      for (const { step, found } of searched(one).slice(0, 3)) {
        for (const { changes, request } of found.ways) {
          suggested++;
          if (changes.length > 1) several++;
          if (changes.some(({ fact }) => fact.includes('request.body'))) ofBodies++;
          const observation = compiledJudge(one).judge(step.route, request);
          // what is left are limits, which no fact can promise
          const isLimit = observation.refusal !== null && observation.refusal.ruleIndex !== -1;
          const rule = placedRules(one.policies, one.world)[observation.decidingRule];
          const decidedByLimit = isLimit && rule !== undefined && isLimitRule(rule.rule);
          expect(observation.decision !== 'refused' || decidedByLimit).toBe(true);
        }
      }
    }),
    { numRuns: 800 },
  );
  expect(suggested).toBeGreaterThan(50);
  expect(several).toBeGreaterThan(0);
  expect(ofBodies).toBeGreaterThan(0);
});
