import { calcPrice, findProvider, type MatchLogic } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { CATALOGUE_PROVIDERS, cataloguePrice } from '../../src/config/build/price-catalogue.ts';
import { loadWorld } from '../../src/config/load.ts';
import { SourceText } from '../../src/diagnostics/source.ts';
import { CATALOGUE, PRICED_PROVIDERS, priceOn } from '../generated/price-catalogue.ts';

const DOLLAR = 1_000_000_000;

test('the catalogue is that of the version that is installed', () => {
  expect(manifest.devDependencies['@pydantic/genai-prices']).toBe(CATALOGUE.version);
  expect(CATALOGUE_PROVIDERS).toEqual(PRICED_PROVIDERS);
});

test.each(PRICED_PROVIDERS)('names of models at %s mean what the package takes them for', (id) => {
  const names = findProvider({ providerId: id })!.models.flatMap(({ id, match }) => [id, ...textsIn(match)]);
  expect(names.length).toBeGreaterThan(2);
  for (const name of names) {
    const meant = calcPrice({}, name, { providerId: id })?.model;
    const amounts = meant === undefined ? null : priceOn(CATALOGUE.asOf, meant.prices);
    const price = cataloguePrice(id, name);
    const [input, output, cached, request] = amounts ?? [];
    const expected = amounts && {
      inputNano: nano(input!),
      outputNano: nano(output!),
      cachedNano: nano(cached === '-' ? input! : cached!),
      requestNano: request === '-' ? 0 : nano(request!),
      asOf: CATALOGUE.asOf,
      source: 'catalogue',
    };
    expect([name, price]).toEqual([name, expected]);
  }
});

function nano(dollars: string): number {
  return Math.round(Number(dollars) * DOLLAR);
}

/** Each text of a match, and one that goes on where the model's does. */
function textsIn(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(textsIn);
  if ('and' in match) return match.and.flatMap(textsIn);
  if ('regex' in match) return [];
  const [text] = Object.values(match) as string[];
  return [text!, `${text}-2`];
}

describe('prices', () => {
  test.each([
    ['openai', 'gpt-4o', [2.5, 10, 1.25, 0]],
    ['openai', 'GPT-4o-2024-08-06', [2.5, 10, 1.25, 0]],
    // dearer for long prompts
    ['google', 'gemini-2.5-pro', [2.5, 15, 0.25, 0]],
    // each request beside its tokens
    ['perplexity', 'sonar', [1, 1, 1, 0.012]],
    // what Azure's own list lacks, OpenAI's has
    ['azure', 'gpt-4o', [2.5, 10, 1.25, 0]],
  ])('%s %s', (provider, model, [input, output, cached, request]) => {
    expect(cataloguePrice(provider, model)).toEqual({
      inputNano: input! * DOLLAR,
      outputNano: output! * DOLLAR,
      cachedNano: cached! * DOLLAR,
      requestNano: Math.round(request! * DOLLAR),
      asOf: CATALOGUE.asOf,
      source: 'catalogue',
    });
  });

  test('are not made up', () => {
    expect(cataloguePrice('openai', 'our-own-model')).toBeNull();
    expect(cataloguePrice('nobody', 'gpt-4o')).toBeNull();
  });
});

describe('a model', () => {
  const providers = `providers:
  openai: { extends: builtin/openai }
  groq: { extends: builtin/groq }
  house: { dialect: openai, baseUrl: "http://127.0.0.1:8000/v1" }
pools:
  openai: { provider: openai, keys: { k: { secret: env:A } } }
  groq: { provider: groq, keys: { k: { secret: env:B } } }
  house: { provider: house, keys: { k: { secret: env:C } } }
`;
  function priceOf(model: string, settings = '') {
    const { world, diagnostics } = loadWorld(
      [
        new SourceText('portunus.yaml', `portunus: 1\n${settings}`),
        new SourceText('providers/all.yaml', `${providers}models: { gpt-oss: ${model} }\n`),
      ],
      { projectFolder: '/srv/gateway' },
    );
    expect(diagnostics).toEqual([]);
    return world!.models.models.get('gpt-oss')!.price;
  }

  test('costs what the catalogue says of the name at its provider', () => {
    expect(priceOf('{ pools: [openai], as: gpt-4o }')).toEqual(cataloguePrice('openai', 'gpt-4o'));
  });

  test('costs what its own price says', () => {
    const price = priceOf(
      '{ pools: [openai], as: gpt-4o, price: { input: $1, output: $2, asOf: 2026-11-30 } }',
    );
    expect(price).toEqual({
      inputNano: DOLLAR,
      outputNano: 2 * DOLLAR,
      cachedNano: DOLLAR,
      requestNano: 0,
      asOf: '2026-11-30',
      source: 'project',
    });
  });

  test('of several providers costs what the dearest asks, and is not priced where one is not known', () => {
    const name = 'openai/gpt-oss-20b';
    expect(priceOf(`{ pools: [groq], as: ${name} }`)).not.toBeNull();
    expect(priceOf(`{ pools: [groq, house], as: ${name} }`)).toBeNull();
    expect(priceOf(`{ pools: [house], as: ${name} }`)).toBeNull();
  });

  test('is converted by the rate of the project, and not priced without one', () => {
    const rate = 'rates: { USD: { rate: 0.5, date: 2026-11-01 } }\n';
    expect(priceOf('{ pools: [openai], as: gpt-4o }', `currency: EUR\n${rate}`)?.inputNano).toBe(
      1.25 * DOLLAR,
    );
    expect(priceOf('{ pools: [openai], as: gpt-4o }', 'currency: EUR\n')).toBeNull();
  });
});
