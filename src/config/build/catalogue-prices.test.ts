import { describe, expect, it } from 'vitest';
import type { Accounting } from '../../model/money.ts';
import type { Pool } from '../../model/pools.ts';
import { contextFromCatalogue, priceFromCatalogue } from './catalogue-prices.ts';
import { catalogueContext, cataloguePrice } from './price-catalogue.ts';

const CATALOGUE = new Map(['openrouter', 'groq', 'novita', 'anthropic'].map((name) => [name, name]));
const at = (...providers: readonly string[]) => providers.map((provider) => ({ provider }) as Pool);
const DOLLARS: Accounting = { currency: 'USD', rates: {} };

describe('what is known of a model that several providers have', () => {
  it('is the dearest of each of its prices, whichever comes first', () => {
    const [router, groq] = ['openrouter', 'groq'].map((name) => cataloguePrice(name, 'qwen/qwen3-32b')!);
    expect(groq!.outputNano).toBeGreaterThan(router!.outputNano);
    for (const providers of [at('openrouter', 'groq'), at('groq', 'openrouter')])
      expect(priceFromCatalogue('qwen/qwen3-32b', providers, CATALOGUE, DOLLARS)).toMatchObject({
        inputNano: Math.max(groq!.inputNano, router!.inputNano),
        outputNano: groq!.outputNano,
      });
    expect(priceFromCatalogue('qwen/qwen3-32b', at('groq', 'elsewhere'), CATALOGUE, DOLLARS)).toBe(null);
  });

  it('is the least context of those that say one', () => {
    const model = 'meta-llama/llama-3.2-1b-instruct';
    const [novita, router] = ['novita', 'openrouter'].map((name) => catalogueContext(name, model)!);
    expect(novita).toBeGreaterThan(router!);
    for (const providers of [at('novita', 'openrouter'), at('openrouter', 'novita', 'elsewhere')])
      expect(contextFromCatalogue(model, providers, CATALOGUE)).toBe(router);
    expect(contextFromCatalogue('claude-v1', at('anthropic'), CATALOGUE)).toBe(null);
  });
});
