/** What pools and keys say of prices: what they cost less or more than the prices of models, or what they cost whatever those say. */
import type { DatedPrice, ModelPrice, PoolPrices, Prices } from '../../model/pools.ts';
import type { OwnPricesDocument, ProvidersDocument } from '../documents.ts';
import { below, type Here, keyAt, type Report } from '../finding.ts';
import { share } from './literals.ts';
import { checkReference, definitionsOf, type NameTable } from './names.ts';
import { buildPrices, type PriceContext } from './prices.ts';
import type { Files } from './sources.ts';

export interface OwnPrices {
  /** Of the price of a model, so much is paid; null: nothing is said. */
  readonly factor: Factor | null;
  /** By name of the model. */
  readonly models: ReadonlyMap<string, WrittenFor>;
}

export interface Factor {
  /** 0.8 is a discount of 20 %. */
  readonly share: number;
  readonly here: Here;
  readonly word: 'discount' | 'surcharge';
}

interface WrittenFor extends Prices {
  readonly here: Here;
}

export interface OwnPricesOfPool extends OwnPrices {
  readonly keys: ReadonlyMap<string, OwnPrices>;
}

export interface OwnPricesContext extends PriceContext {
  readonly models: NameTable;
}

/** By pool. */
export function buildOwnPrices(
  files: Files<ProvidersDocument>,
  names: NameTable,
  context: OwnPricesContext,
): ReadonlyMap<string, OwnPricesOfPool> {
  const own = new Map<string, OwnPricesOfPool>();
  for (const { name, here, definition } of definitionsOf(files, 'pools', names)) {
    const keys = Object.entries(definition.keys).map(
      ([key, document]) => [key, ownPrices(document, below(here, 'keys', key), context)] as const,
    );
    own.set(name, { ...ownPrices(definition, here, context), keys: new Map(keys) });
  }
  return own;
}

function ownPrices(document: OwnPricesDocument, here: Here, context: OwnPricesContext): OwnPrices {
  const { prices = {}, pricesFrom = {} } = document;
  const models = new Map<string, WrittenFor>();
  for (const model of new Set([...Object.keys(prices), ...Object.keys(pricesFrom)])) {
    const [priceAt, pricesFromAt] = [below(here, 'prices', model), below(here, 'pricesFrom', model)];
    const at = prices[model] === undefined ? pricesFromAt : priceAt;
    checkReference(model, context.models, keyAt(at), context.report);
    const written = { price: prices[model], priceAt, pricesFrom: pricesFrom[model] ?? {}, pricesFromAt };
    models.set(model, { ...buildPrices(written, context), here: at });
  }
  return { factor: factorOf(document, here, context.report), models };
}

function factorOf({ discount, surcharge }: OwnPricesDocument, here: Here, report: Report): Factor | null {
  if (discount !== undefined && surcharge !== undefined)
    report({
      code: 'PT3109',
      message:
        'Calls cost either less than the price of their model, or more: there is a discount and a surcharge.',
      target: keyAt(below(here, 'surcharge')),
      help: 'Keep one of discount and surcharge.',
    });
  if (discount !== undefined)
    return { share: 1 - share(discount), here: below(here, 'discount'), word: 'discount' };
  if (surcharge !== undefined)
    return { share: 1 + share(surcharge), here: below(here, 'surcharge'), word: 'surcharge' };
  return null;
}

/** What a model costs in a pool, where it says what that is besides: what is nearest to a key counts. */
export function pricesInPool(pool: string, model: string, list: Prices, own: OwnPricesOfPool): PoolPrices {
  const ofPool = applied(model, list, list, own);
  const keys = [...own.keys].flatMap(([key, ownOfKey]) => {
    const prices = applied(model, list, ofPool, ownOfKey);
    return prices === ofPool ? [] : [{ key, ...prices }];
  });
  return { pool, ...ofPool, keys };
}

/** `around`: what counts where nothing is said; that itself, where nothing is. */
function applied(model: string, list: Prices, around: Prices, { factor, models }: OwnPrices): Prices {
  const before = factor === null ? around : shareOf(list, factor.share);
  const written = models.get(model);
  if (written === undefined) return before;
  const { price, datedPrices } = written;
  const [first] = datedPrices;
  if (price !== null || first === undefined) return { price, datedPrices };
  const until = before.datedPrices.filter(({ fromMs }) => fromMs < first.fromMs);
  return { price: before.price, datedPrices: [...until, ...datedPrices] };
}

function shareOf({ price, datedPrices }: Prices, share: number): Prices {
  return {
    price: price === null ? null : priceShare(price, share),
    datedPrices: datedPrices.map(
      ({ fromMs, price: dated }): DatedPrice => ({ fromMs, price: priceShare(dated, share) }),
    ),
  };
}

/** To the nearest nano-unit. */
function priceShare(price: ModelPrice, share: number): ModelPrice {
  return {
    ...price,
    inputNano: Math.round(price.inputNano * share),
    outputNano: Math.round(price.outputNano * share),
    cachedNano: Math.round(price.cachedNano * share),
    requestNano: Math.round(price.requestNano * share),
  };
}
