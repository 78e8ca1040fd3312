import { expect, test } from 'vitest';
import { fillFromShipped } from './shipped.ts';

const baseUrlOf = (provider: Readonly<Record<string, unknown>>): unknown => {
  const providers = { p: { extends: 'builtin/mistral', ...provider } };
  fillFromShipped('providers', { providers });
  return (providers.p as Readonly<Record<string, unknown>>).baseUrl;
};

test('a provider is called in its region: at its own address there, then at the shipped one, unless it says another', () => {
  expect(baseUrlOf({})).toBe('https://api.mistral.ai/v1');
  expect(baseUrlOf({ region: 'eu' })).toBe('https://api.eu.mistral.ai/v1');
  const regions = { eu: 'https://own.example/v1' };
  expect(baseUrlOf({ region: 'eu', regions })).toBe('https://own.example/v1');
  const baseUrl = 'https://proxy.example/v1';
  expect(baseUrlOf({ region: 'eu', regions, baseUrl })).toBe(baseUrl);
});
