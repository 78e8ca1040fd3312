import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Model } from '../../model/pools.ts';
import { checkPolicies } from '../check.ts';
import { AI_WORLD } from '../world.cases.ts';

/** What is told of rules where "nano" is as the case has it. */
function told(rules: string, nano: Partial<Model>): readonly string[] {
  const models = new Map(AI_WORLD.models.models);
  models.set('nano', { ...models.get('nano')!, ...nano });
  const world = { ...AI_WORLD, models: { ...AI_WORLD.models, models } };
  const text = `language 1\npolicy "p" applies to routes tagged "ai" {\n${rules}\n}\n`;
  const { diagnostics } = checkPolicies([new SourceText('p.policy', text)], world);
  return diagnostics.map(({ code, severity, message }) => {
    expect([code, severity]).toEqual(['PT2129', 'warning']);
    return message;
  });
}

const UNKNOWN = { price: null, answerTokensMost: null };
const TOKENS = 'limit "l" at most 5 tokens in any 1m  in total';
const BUDGET = 'budget "b" $5 per day  in total';

describe('a limit that a model never fits in', () => {
  it('is told once for each rule: the price first, then the answer', () => {
    expect(told(`${TOKENS}\n${BUDGET}`, UNKNOWN).map((each) => each.slice(0, 44))).toEqual([
      'This limit refuses calls to "nano" that do n',
      'This budget refuses every call to "nano": no',
    ]);
  });

  it.each([
    ['that is known', TOKENS, {}],
    ['whose answer the project bounds', TOKENS, { ...UNKNOWN, outputTokensMax: 5 }],
    ['whose answers are capped', `${TOKENS}\ncap request.output_cap at 500`, UNKNOWN],
    ['that the rule asks for', `${BUDGET} when model is not "nano"`, UNKNOWN],
    ['of which only the prompt counts', 'limit "l" at most 5 input tokens in any 1m  in total', UNKNOWN],
    ['of which requests count', 'limit "l" at most 5 requests in any 1m  in total', UNKNOWN],
  ])('is not one %s', (_what, rules, nano) => {
    expect(told(rules, nano)).toEqual([]);
  });
});
