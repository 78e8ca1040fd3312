import type { ModelView } from '../../admin/routes/models.ts';
import type { Model, ModelPrice, Models } from '../../model/pools.ts';

const NANO = 1e9;

/** All models as the admin API and `portunus models` show them; `currency`: that of the amounts. */
export function modelViews(models: Models, currency: string): readonly ModelView[] {
  return [...models.models.values()].map((model) => modelView(model, models, currency));
}

function modelView(model: Model, { pools, providers }: Models, currency: string): ModelView {
  const { name, upstreamName, tags, outputTokensMax, price } = model;
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
    outputTokensMax,
    price: price === null ? null : priceView(price, currency),
  };
}

function priceView(
  { inputNano, cachedNano, outputNano, requestNano, asOf, source }: ModelPrice,
  currency: string,
) {
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
