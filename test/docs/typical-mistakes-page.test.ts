import { expect, test } from 'vitest';
import { MISTAKES } from './typical-mistakes.cases.ts';
import { codesFor, typicalMistakesPage } from './typical-mistakes-page.ts';

test('docs/typical-mistakes.md is what both checkers say (npm run generate writes it)', async () => {
  await expect(typicalMistakesPage()).toMatchFileSnapshot('../../docs/typical-mistakes.md');
});

test.each(MISTAKES)('$what: one finding, of the code that is meant', (mistake) => {
  expect(codesFor(mistake)).toEqual([mistake.code]);
});
