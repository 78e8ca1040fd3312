import { describe, expect, it } from 'vitest';
import type { Pool } from '../../model/pools.ts';
import { answerTokensMost, searches } from './known-models.ts';

const pool = (provider: string): Pool => ({ provider }) as Pool;
const knownModels = new Map([
  [
    'openai',
    [
      { names: ['gpt-4o', 'gpt-4o-*'], outputTokens: '16_384', searches: false },
      { names: ['gpt-4o-long*'], outputTokens: 64_000, searches: false },
      { names: ['*-search-*', 'a*b*c'], searches: true },
    ],
  ],
  ['house', []],
]);
const catalogue = new Map([['openai', 'openai']]);
const most = (name: string, ...providers: readonly string[]) =>
  answerTokensMost(name, providers.map(pool), { knownModels, catalogue });

describe('the most tokens of an answer', () => {
  it.each([
    ['gpt-4o', 16_384],
    ['GPT-4o-2024-08-06', 16_384],
    ['gpt-4o-long-output-alpha', 64_000],
    // of its context, as nothing else is known
    ['gpt-4', 8_192],
    ['nobody-knows', null],
  ])('of %s are %s', (name, tokens) => {
    expect(most(name, 'openai')).toBe(tokens);
  });

  it('are not known where one of its providers does not tell them', () => {
    expect(most('gpt-4o', 'openai', 'house')).toBe(null);
    expect(most('gpt-4o', 'unknown')).toBe(null);
    expect(most('gpt-4o')).toBe(null);
  });
});

it.each([
  ['gpt-4o-search-preview', true],
  ['gpt-4o-search', false],
  ['a-b-c', true],
  ['abc', true],
  ['acb', false],
  ['ab', false],
])('%s searches by itself: %s', (name, expected) => {
  expect(searches(name, pool('openai'), knownModels)).toBe(expected);
  expect(searches(name, pool('house'), knownModels)).toBe(false);
});
