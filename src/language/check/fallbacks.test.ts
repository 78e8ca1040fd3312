/** What `fall back to model` becomes, and the one text that tells such rules apart. */
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../diagnostics/source.ts';
import { checkPolicies } from '../check.ts';
import type { LimitRule } from '../typed.ts';
import { AI_WORLD } from '../world.cases.ts';

function limitOf(text: string): LimitRule {
  const policy = `language 1\npolicy "p" applies to routes tagged "ai" {\n  ${text}\n}\n`;
  const { policies, diagnostics } = checkPolicies([new SourceText('a.policy', policy)], AI_WORLD);
  expect(diagnostics).toEqual([]);
  return policies.policies[0]!.rules[0] as LimitRule;
}

const OWN = '["p","b","money","fallback","calendar","day","Europe/Berlin",["consumer"],null]';

describe('a limit that sends calls to other models', () => {
  it.each([
    [
      'budget "b" $20 per day  for each consumer  when exhausted fall back to model "mini", "gpt" for at most $5 more',
      {
        models: ['mini', 'gpt'],
        counted: { kind: 'allowance', amount: 5_000_000_000, counterIdentity: OWN },
      },
    ],
    [
      'budget "b" $20 per day  in total  when exhausted fall back to model "mini"',
      { models: ['mini'], counted: { kind: 'again' } },
    ],
    [
      'limit at most 5 requests at once  for each model  when exceeded fall back to model "mini" queue up to 5s',
      { models: ['mini'], counted: { kind: 'again' } },
    ],
    [
      'limit 9 tokens per 1m  in total  when exceeded fall back to model "mini" for any amount',
      { models: ['mini'], counted: { kind: 'nowhere' } },
    ],
    [
      'limit 9 tokens per 1m  when model is not "mini"  in total  when exceeded fall back to model "mini"',
      { models: ['mini'], counted: { kind: 'again' } },
    ],
    ['limit 9 tokens per 1m  in total  when exceeded status 403', null],
  ])('%s', (text, fallback) => {
    expect(limitOf(text).fallback).toEqual(fallback);
  });

  it.each([
    'budget 20 USD per day in UTC  in total  when exhausted fall back to model "mini", "gpt" for at most 5 USD more',
    'budget 20 USD per day in UTC  in total  when exhausted fall back to model "mini" queue up to 5000ms  status 503',
    'limit 9 requests per 60000ms, burst 9  for each model  when exceeded fall back to model "mini" for any amount',
  ])('without a name is known by its text: %s', (text) => {
    expect(limitOf(text).key).toBe(text);
  });

  it('has the counter that it had without', () => {
    const limit = 'limit "l" at most 5 requests in any 1m  for each model';
    expect(limitOf(`${limit}  when exceeded fall back to model "mini"`).counterIdentity).toBe(
      limitOf(limit).counterIdentity,
    );
  });
});
