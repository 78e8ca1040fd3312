import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import type { Model } from '../../model/pools.ts';
import { checkPolicies } from '../check.ts';
import { AI_WORLD } from '../world.cases.ts';

/** What is told of rules where "nano" is as the case has it. */
function told(
  rules: string,
  nano: Partial<Model>,
  today: number | null = null,
  others = AI_WORLD.models.models,
): readonly string[] {
  const models = new Map(others);
  models.set('nano', { ...models.get('nano')!, ...nano });
  const world = { ...AI_WORLD, models: { ...AI_WORLD.models, models } };
  const text = `language 1\npolicy "p" applies to routes tagged "ai" {\n${rules}\n}\n`;
  const { diagnostics } = checkPolicies([new SourceText('p.policy', text)], world, today);
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

  it('is told with the number of the others like it', () => {
    const models = new Map(AI_WORLD.models.models);
    for (const name of ['nano', 'mini']) models.set(name, { ...models.get(name)!, ...UNKNOWN });
    expect(told(BUDGET, UNKNOWN, null, models)).toEqual([
      'This budget refuses every call to "mini" and 1 more: no price of "mini" is known (providers/openai.yaml:10:3).',
    ]);
    expect(told(TOKENS, UNKNOWN, null, models)).toEqual([
      'This limit refuses calls to "mini" and 1 more that do not say how long their answer may be: nothing is known of "mini" (providers/openai.yaml:10:3).',
    ]);
  });

  it.each(['  in total', '  for each model'])('is a budget where one of its pools has no price%s', (per) => {
    const { name: pool } = AI_WORLD.models.pools.get(AI_WORLD.models.models.get('nano')!.pools[0]!)!;
    const { price } = AI_WORLD.models.models.get('nano')!;
    const other = [...AI_WORLD.models.pools.keys()].find((name) => name !== pool)!;
    const poolPrices = [{ pool, price, datedPrices: [], keys: [] }];
    const [message] = told(`budget "b" $5 per day${per}`, { price: null, pools: [pool, other], poolPrices });
    expect(message).toContain(
      `This budget refuses every call to "nano": no price of it is known in pool "${other}"`,
    );
  });

  it('is a budget until the day that its price is from', () => {
    const price = AI_WORLD.models.models.get('nano')!.price!;
    const nano = { price: null, datedPrices: [{ fromMs: 10 * 86_400_000, price }] };
    expect([9, 10].map((today) => told(BUDGET, nano, today).length)).toEqual([1, 0]);
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
