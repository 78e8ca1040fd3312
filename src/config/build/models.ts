import { sameValue } from '../../base/same-value.ts';
import type { Model, Pool, PoolPrices, Prices, Provider } from '../../model/pools.ts';
import type { ModelDocument, ProvidersDocument } from '../documents.ts';
import { below, type Here, valueAt } from '../finding.ts';
import { type CatalogueNames, contextFromCatalogue, priceFromCatalogue } from './catalogue-prices.ts';
import { answerTokensMost, type KnownModels, searches } from './known-models.ts';
import { knownTokenizer } from './known-tokenizers.ts';
import { count } from './literals.ts';
import { checkReference, definitionsOf, type NameTable } from './names.ts';
import { type OwnPricesOfPool, pricesInPool } from './own-prices.ts';
import { buildPrices, type PriceContext } from './prices.ts';
import type { Files } from './sources.ts';

export interface ModelContext extends PriceContext {
  readonly poolNames: NameTable;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly catalogue: CatalogueNames;
  readonly knownModels: KnownModels;
  /** By pool. */
  readonly ownPrices: ReadonlyMap<string, OwnPricesOfPool>;
}

export function buildModels(
  files: Files<ProvidersDocument>,
  names: NameTable,
  context: ModelContext,
): ReadonlyMap<string, Model> {
  const models = new Map<string, Model>();
  for (const { name, here, definition } of definitionsOf(files, 'models', names)) {
    models.set(name, buildModel(name, definition, here, context));
  }
  return models;
}

function buildModel(name: string, document: ModelDocument, here: Here, context: ModelContext): Model {
  const { pools, as: upstreamName = name, tags, price, pricesFrom, outputTokensMax, tokenizer } = document;
  for (const [index, pool] of pools.entries())
    checkReference(pool, context.poolNames, valueAt(below(here, 'pools', index)), context.report);
  checkDialects(name, pools, here, context);
  const known = pools.map((pool) => context.pools.get(pool));
  const [priceAt, pricesFromAt] = [below(here, 'price'), below(here, 'pricesFrom')];
  const written = buildPrices({ price, priceAt, pricesFrom, pricesFromAt }, context);
  const listPrices = (of: readonly (Pool | undefined)[]): Prices =>
    price === undefined
      ? { ...written, price: priceFromCatalogue(upstreamName, of, context.catalogue, context.accounting) }
      : written;
  const prices = listPrices(known);
  const poolPrices = known.flatMap((pool): readonly PoolPrices[] => {
    const own = context.ownPrices.get(pool?.name ?? '');
    if (pool === undefined || own === undefined) return [];
    const inPool = pricesInPool(pool.name, name, listPrices([pool]), own);
    const { price: ofPool, datedPrices, keys } = inPool;
    return keys.length === 0 && sameValue({ price: ofPool, datedPrices }, prices) ? [] : [inPool];
  });
  return {
    name,
    upstreamName,
    pools,
    tags,
    ...prices,
    poolPrices,
    contextTokens: contextFromCatalogue(upstreamName, known, context.catalogue),
    outputTokensMax: outputTokensMax === undefined ? null : count(outputTokensMax),
    answerTokensMost: answerTokensMost(upstreamName, known, context),
    searches: known.some((pool) => searches(upstreamName, pool, context.knownModels)),
    tokenizer:
      tokenizer === undefined
        ? knownTokenizer(upstreamName, known, context.catalogue)
        : tokenizer === 'none'
          ? null
          : tokenizer,
    place: here.file.placeOf(here.path),
  };
}

/** What a call says is passed on as it is, so all that may get it must understand it. */
function checkDialects(
  name: string,
  pools: readonly string[],
  here: Here,
  { pools: known, providers, report }: ModelContext,
): void {
  const dialects = pools.map((pool) => providers.get(known.get(pool)?.provider ?? '')?.dialect);
  const first = dialects.findIndex((dialect) => dialect !== undefined);
  const other = dialects.findIndex((dialect) => dialect !== undefined && dialect !== dialects[first]);
  if (other === -1) return;
  report({
    code: 'PT3211',
    message: `The pools of "${name}" speak different dialects: ${dialects[first]} ("${pools[first]}") and ${dialects[other]} ("${pools[other]}").`,
    target: valueAt(below(here, 'pools', other)),
    help: 'Make a model of another name for them: calls are passed on as they come.',
  });
}
