/** Where a price has to be known, and is not; and where one is said that counts for nothing. */
import { type Model, type Pool, type PoolKey, pricesIn } from '../../model/pools.ts';
import { type Here, keyAt, type Report, valueAt } from '../finding.ts';
import type { NameTable } from './names.ts';
import type { Factor, OwnPricesOfPool } from './own-prices.ts';

export interface PriceCheckContext {
  readonly modelNames: NameTable;
  readonly pools: ReadonlyMap<string, Pool>;
  /** By pool. */
  readonly ownPrices: ReadonlyMap<string, OwnPricesOfPool>;
  readonly report: Report;
}

export function checkPrices(models: ReadonlyMap<string, Model>, context: PriceCheckContext): void {
  for (const model of models.values()) {
    const here = context.modelNames.names.get(model.name)!;
    const pools = model.pools.flatMap((name) => context.pools.get(name) ?? []);
    checkMoney(model, pools, here, context);
    checkFactors(model, pools, here, context);
  }
  checkServed(models, context);
}

/** Money that nobody can count would never be short. */
function checkMoney(model: Model, pools: readonly Pool[], here: Here, { report }: PriceCheckContext): void {
  const limited = pools.find(
    (pool) =>
      pool.keys.some(({ limits }) => limits.some(({ unit }) => unit === 'cost')) &&
      unpricedKeys(model, pool).length > 0,
  );
  if (limited === undefined) return;
  report({
    code: 'PT3214',
    message: `Keys of "${limited.name}" may spend no more than an amount of money, and no price of "${model.name}" is known.`,
    target: keyAt(here),
    help: 'Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens.',
  });
}

/** Those with which nobody knows what a call costs now. */
function unpricedKeys(model: Model, { name, keys }: Pool): readonly PoolKey[] {
  const prices = pricesIn(model, name);
  return keys.filter((key) => prices(key.name).price === null);
}

/** A share of a price that nobody knows is none. */
function checkFactors(
  model: Model,
  pools: readonly Pool[],
  here: Here,
  { ownPrices, report }: PriceCheckContext,
): void {
  for (const pool of pools) {
    const own = ownPrices.get(pool.name);
    const factorOf = (key: string): Factor | null => own?.keys.get(key)?.factor ?? own?.factor ?? null;
    const unpriced = unpricedKeys(model, pool).find((key) => factorOf(key.name) !== null);
    if (unpriced === undefined) continue;
    const factor = factorOf(unpriced.name)!;
    report({
      code: 'PT3219',
      message: `"${unpriced.name}" of "${pool.name}" has a ${factor.word}, and no price of "${model.name}" is known that it could be of.`,
      target: keyAt(here),
      help: priceHelp(model),
      related: [{ target: valueAt(factor.here), message: `the ${factor.word}` }],
    });
  }
}

function priceHelp({ name }: Model): string {
  return `Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens; or at the pool or key, prices: { ${name}: … }.`;
}

/** A price of a model that the pool does not serve would count for nothing. */
function checkServed(models: ReadonlyMap<string, Model>, { ownPrices, report }: PriceCheckContext): void {
  for (const [pool, own] of ownPrices)
    for (const { models: written } of [own, ...own.keys.values()])
      for (const [name, { here }] of written) {
        const model = models.get(name);
        if (model === undefined || model.pools.includes(pool)) continue;
        report({
          code: 'PT3220',
          message: `"${pool}" does not serve "${name}", so what it costs there counts for nothing.`,
          target: keyAt(here),
          help: `Remove the price, or let the pool serve the model: pools: [${[...model.pools, pool].join(', ')}].`,
        });
      }
}
