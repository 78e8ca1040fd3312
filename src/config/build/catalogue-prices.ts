import { type Accounting, inAccounting } from '../../model/money.ts';
import { dearerPrice, type ModelPrice, type Pool } from '../../model/pools.ts';
import type { ProvidersDocument } from '../documents.ts';
import { below, type Report, valueAt } from '../finding.ts';
import { checkReference, definitionsOf, type KnownNames, type NameTable } from './names.ts';
import {
  CATALOGUE_CURRENCY,
  CATALOGUE_PROVIDERS,
  catalogueContext,
  cataloguePrice,
} from './price-catalogue.ts';
import type { Files } from './sources.ts';

const CATALOGUE: KnownNames = {
  what: 'provider in the catalogue of prices',
  names: new Set(CATALOGUE_PROVIDERS),
  complete: true,
};

/** By provider of the project, under which name the catalogue has it. */
export type CatalogueNames = ReadonlyMap<string, string>;

export function catalogueNames(
  files: Files<ProvidersDocument>,
  names: NameTable,
  report: Report,
): CatalogueNames {
  const known = new Map<string, string>();
  for (const { name, here, definition } of definitionsOf(files, 'providers', names)) {
    const { prices } = definition;
    if (prices === undefined) continue;
    checkReference(prices, CATALOGUE, valueAt(below(here, 'prices')), report);
    known.set(name, prices);
  }
  return known;
}

/**
 * What a model costs that says no price of its own: of several providers the dearest of each kind, and nothing where one of them
 * is not in the catalogue, or the amounts are in a currency without a rate.
 */
export function priceFromCatalogue(
  upstreamName: string,
  pools: readonly (Pool | undefined)[],
  catalogue: CatalogueNames,
  accounting: Accounting | null,
): ModelPrice | null {
  const prices = pools.map((pool) => {
    const name = catalogue.get(pool?.provider ?? '');
    return name === undefined ? null : cataloguePrice(name, upstreamName);
  });
  const [first, ...others] = prices;
  if (first === null || first === undefined || accounting === null) return null;
  let dearest = first;
  for (const other of others) {
    if (other === null) return null;
    dearest = dearerPrice(dearest, other);
  }
  return converted(dearest, accounting);
}

/** The least that a prompt and its answer may have at any of the providers that the catalogue has; null where it has none. */
export function contextFromCatalogue(
  upstreamName: string,
  pools: readonly (Pool | undefined)[],
  catalogue: CatalogueNames,
): number | null {
  let least: number | null = null;
  for (const pool of pools) {
    const name = catalogue.get(pool?.provider ?? '');
    const context = name === undefined ? null : catalogueContext(name, upstreamName);
    if (context !== null) least = Math.min(context, least ?? context);
  }
  return least;
}

function converted(price: ModelPrice, accounting: Accounting): ModelPrice | null {
  const amount = (nano: number): number => {
    const own = inAccounting(nano, CATALOGUE_CURRENCY, accounting);
    return own.ok ? own.value : Number.NaN;
  };
  const own = {
    inputNano: amount(price.inputNano),
    outputNano: amount(price.outputNano),
    cachedNano: amount(price.cachedNano),
    requestNano: amount(price.requestNano),
  };
  return Object.values(own).some(Number.isNaN) ? null : { ...own, asOf: price.asOf, source: price.source };
}
