import { expect, test } from 'vitest';
import { GRAMMAR } from '../language/random-sentences.ts';
import { diagramsPage } from './diagrams-page.ts';
import { priceCatalogue } from './price-catalogue.ts';
import { shippedProviders } from './shipped-providers.ts';
import { languageConfiguration, textMateGrammar } from './textmate-grammar.ts';

/** Files that are made from others; `npm run generate` writes them. */
const FILES: readonly (readonly [file: string, make: () => string])[] = [
  ['grammar/diagrams.html', () => diagramsPage(GRAMMAR)],
  ['grammar/portunus.tmLanguage.json', textMateGrammar],
  ['grammar/language-configuration.json', languageConfiguration],
  ['providers/all.json', shippedProviders],
  ['providers/prices.json', priceCatalogue],
];

test.each(FILES)('%s is up to date (npm run generate writes it)', async (file, make) => {
  await expect(make()).toMatchFileSnapshot(`../../${file}`);
});

test('the diagrams need nothing from the network', () => {
  expect(diagramsPage(GRAMMAR)).not.toMatch(/<script|<link|src=|url\(|@import|https?:\/\/(?!www\.w3\.org)/);
});

test('every name in a diagram leads to its place on the page', () => {
  const page = diagramsPage(GRAMMAR);
  const places = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  expect(links.length).toBeGreaterThan(GRAMMAR.rules.size);
  expect(links.filter((id) => !places.has(id))).toEqual([]);
});
