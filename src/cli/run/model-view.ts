import type { ModelPriceView, ModelView, PricesView } from '../../admin/routes/models.ts';
import { sameValue } from '../../base/same-value.ts';
import { type Model, type ModelPrice, type Models, type Prices, priceAt } from '../../model/pools.ts';

const NANO = 1e9;

/** All models as the admin API and `portunus models` show them at a moment; `currency`: that of the amounts. */
export function modelViews(models: Models, currency: string, wallMs: number): readonly ModelView[] {
  return [...models.models.values()].map((model) => modelView(model, models, currency, wallMs));
}

function modelView(model: Model, { pools, providers }: Models, currency: string, wallMs: number): ModelView {
  const { name, upstreamName, tags, contextTokens, tokenizer, poolPrices, price, datedPrices } = model;
  const view = (prices: Prices): PricesView => pricesView(prices, currency, wallMs);
  const served = model.pools.map((pool) => pools.get(pool)!);
  return {
    name,
    upstreamName,
    tags,
    dialect: providers.get(served[0]!.provider)!.dialect,
    pools: served.map(({ name: pool, provider, keys }) => ({
      name: pool,
      provider,
      region: providers.get(provider)!.region,
      keys: keys.length,
    })),
    contextTokens,
    outputTokensMax: model.outputTokensMax ?? model.answerTokensMost,
    tokenizer,
    ...view(model),
    otherPrices: poolPrices.flatMap(({ pool, keys, ...prices }) => [
      ...(sameValue(prices, { price, datedPrices }) ? [] : [{ pool, key: null, ...view(prices) }]),
      ...keys.map(({ key, ...ofKey }) => ({ pool, key, ...view(ofKey) })),
    ]),
  };
}

function pricesView(prices: Prices, currency: string, wallMs: number): PricesView {
  const price = priceAt(prices, wallMs);
  return {
    price: price === null ? null : priceView(price, currency),
    laterPrices: prices.datedPrices
      .filter(({ fromMs }) => fromMs > wallMs)
      .map(({ price: later }) => priceView(later, currency)),
  };
}

function priceView(
  { inputNano, cachedNano, outputNano, requestNano, asOf, source }: ModelPrice,
  currency: string,
): ModelPriceView {
  return {
    currency,
    input: inputNano / NANO,
    cachedInput: cachedNano / NANO,
    output: outputNano / NANO,
    request: requestNano / NANO,
    asOf,
    source,
  };
}
