import { expect, it } from 'vitest';
import type { Pool } from '../../model/pools.ts';
import { knownTokenizer } from './known-tokenizers.ts';

const CATALOGUE = new Map([
  ['openai', 'openai'],
  ['router', 'openrouter'],
  ['fast', 'groq'],
]);
const at = (...providers: readonly string[]) => providers.map((provider) => ({ provider }) as Pool);

it.each([
  ['gpt-4o', 'o200k_base'],
  ['gpt-4o-mini-2024-07-18', 'o200k_base'],
  ['ft:gpt-4o-2024-08-06:acme::x', 'o200k_base'],
  ['openai/gpt-4.1-nano', 'o200k_base'],
  ['o1-mini', 'o200k_base'],
  ['gpt-4', 'cl100k_base'],
  ['gpt-4-turbo', 'cl100k_base'],
  ['text-embedding-3-small', 'cl100k_base'],
  // what is newer may have another one
  ['gpt-5.9', null],
  ['gpt-4.2', null],
  ['gpt-40', null],
  // prompts of these have more than the text of the caller
  ['gpt-4o-audio-preview', null],
  ['gpt-4o-search-preview', null],
  ['llama-3.3-70b', null],
  // open weights: the same wherever they are
  ['openai/gpt-oss-20b', 'o200k_harmony'],
] as const)('the tokenizer of %s is %s', (name, tokenizer) => {
  expect(knownTokenizer(name, at('openai', 'router'), CATALOGUE)).toBe(tokenizer);
});

it('is known of OpenAI and of those that resell it alone', () => {
  expect(knownTokenizer('gpt-4o', at('openai', 'fast'), CATALOGUE)).toBe(null);
  expect(knownTokenizer('gpt-4o', at('own'), CATALOGUE)).toBe(null);
  expect(knownTokenizer('gpt-oss-120b', at('own'), CATALOGUE)).toBe('o200k_harmony');
});
