import { expect, test } from 'vitest';
import { CATALOGUE } from '../../src/diagnostics/catalogue.ts';
import { diagnosticsPage } from './diagnostics-page.ts';

test('docs/diagnostics.md is what the catalogue and the cases say (npm run generate writes it)', async () => {
  await expect(diagnosticsPage()).toMatchFileSnapshot('../../docs/diagnostics.md');
});

test('every code has one section, in a group', () => {
  const sections = [...diagnosticsPage().matchAll(/^### (PT\d{4})$/gm)].map(([, code]) => code);
  expect(sections.toSorted()).toEqual(Object.keys(CATALOGUE).sort());
});
