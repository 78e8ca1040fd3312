import { expect, test } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import { checkPolicies } from '../../language/check.ts';
import { AI_WORLD } from '../../language/world.cases.ts';
import { ruleInWords } from './rule-in-words.ts';

test.each([
  [
    'budget $20 per day  for each consumer  when exhausted fall back to model "mini", "nano" for at most $5 more',
    'at most $20 per day in Europe/Berlin, for each consumer, else calls go to model "mini", then "nano" for at most $5 more',
  ],
  [
    'limit at most 9 tokens in any 1m  for each model  when exceeded fall back to model "mini" queue up to 5s',
    'at most 9 tokens in any 1m, for each model, else calls go to model "mini", waits up to 5s for room',
  ],
  // a limit that does not count all calls bounds nothing
  [
    'budget $20 per day  in total  when exhausted fall back to model "mini" for any amount',
    'up to $20 per day in Europe/Berlin, all callers together, beyond which calls go to model "mini", uncounted: a threshold, not a ceiling',
  ],
])('%s', (text, words) => {
  const policy = `language 1\npolicy "p" applies to routes tagged "ai" { ${text} }\n`;
  const { policies } = checkPolicies([new SourceText('a.policy', policy)], AI_WORLD).policies;
  expect(policies.flatMap(({ rules }) => rules.map(ruleInWords))).toEqual([words]);
});
