import { expect, it } from 'vitest';
import type { CountedPrompt } from '../../pipeline/model-request.ts';
import { PromptTables } from './prompt-tables.ts';

const prompt = (encoding: CountedPrompt['encoding']): CountedPrompt => ({
  encoding,
  texts: ['Hello'],
  beside: 3,
});

it('judges until every table is there, also one that is asked for only when another has counted', async () => {
  const tables = new PromptTables();
  let runs = 0;
  const judged = await tables.judged(() => {
    runs++;
    const first = tables.count(prompt('o200k_base'));
    return [first, first === null ? null : tables.count(prompt('cl100k_base'))];
  });
  expect(judged).toEqual([4, 4]);
  expect(runs).toBe(3);
});
