import catalogue from '../../../providers/prices.json' with { type: 'json' };
import { assert } from '../../base/assert.ts';
import type { ModelPrice } from '../../model/pools.ts';
import { toldNano } from '../../model/told-amounts.ts';

/** Of each model of a provider one line: four amounts, the size of its context and the names that it goes by (`test/generated/price-catalogue.ts` says how). */
const LINES: Readonly<Record<string, readonly string[]>> = catalogue.providers;
const FALLBACKS: Readonly<Record<string, readonly string[]>> = catalogue.fallbacks;
export const CATALOGUE_CURRENCY = 'USD';

/** Whose prices are known. */
export const CATALOGUE_PROVIDERS: readonly string[] = Object.keys(LINES);

/** What a model costs at a provider of the catalogue, in nano-dollars; null where that is not known. */
export function cataloguePrice(provider: string, model: string): ModelPrice | null {
  return entryOf(provider, model)?.price ?? null;
}

/** How many tokens a prompt and its answer may have together; null where that is not known. */
export function catalogueContext(provider: string, model: string): number | null {
  return entryOf(provider, model)?.contextTokens ?? null;
}

interface Entry {
  readonly names: readonly string[];
  readonly price: ModelPrice | null;
  readonly contextTokens: number | null;
}

function entryOf(provider: string, model: string): Entry | null {
  for (const each of [provider, ...(FALLBACKS[provider] ?? [])]) {
    const found = entriesOf(each).find(({ names }) => names.some((name) => fits(model, name)));
    if (found !== undefined) return found;
  }
  return null;
}

const ENTRIES = new Map<string, readonly Entry[]>();

/** Read when a price of the provider is first asked for. */
function entriesOf(provider: string): readonly Entry[] {
  let entries = ENTRIES.get(provider);
  if (entries === undefined) {
    entries = (LINES[provider] ?? []).map((line) => {
      const [context, ...names] = line.split(' ').slice(AMOUNTS);
      return { names, price: priceIn(line), contextTokens: context === '-' ? null : Number(context) };
    });
    ENTRIES.set(provider, entries);
  }
  return entries;
}

const AMOUNTS = 4;

/** Null for what is not paid by the token. */
function priceIn(line: string): ModelPrice | null {
  const [input, output, cached, request] = line.split(' ', AMOUNTS).map(amountIn);
  if (input == null || output == null) return null;
  return {
    inputNano: input,
    outputNano: output,
    cachedNano: cached ?? input,
    requestNano: request ?? 0,
    asOf: catalogue.asOf,
    source: 'catalogue',
  };
}

function amountIn(text: string): number | null {
  if (text === '-') return null;
  const nano = toldNano(text, CATALOGUE_CURRENCY);
  assert(nano !== null, 'amounts of the catalogue are written plainly');
  return nano;
}

/** Capitals make no difference to names. */
function fits(model: string, name: string): boolean {
  return name.split('&').every((test) => fitsOne(model, test[0]!, test.slice(1)));
}

function fitsOne(model: string, sign: string, text: string): boolean {
  const [name, wanted] = [model.toLowerCase(), text.toLowerCase()];
  switch (sign) {
    case '=':
      return name === wanted;
    case '^':
      return name.startsWith(wanted);
    case '$':
      return name.endsWith(wanted);
    case '~':
      return name.includes(wanted);
    default:
      return new RegExp(text).test(name);
  }
}
