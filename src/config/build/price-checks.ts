/** Where a price has to be known, and is not; and where one is said that counts for nothing. */
import { sameValue } from '../../base/same-value.ts';
import {
  type Model,
  type Pool,
  type PoolKey,
  type Prices,
  pricesIn,
  unpricedKeys,
} from '../../model/pools.ts';
import { below, type Here, keyAt, type Report, type Target, valueAt } from '../finding.ts';
import type { NameTable } from './names.ts';
import type { Factor, OwnPricesOfPool } from './own-prices.ts';

export interface PriceCheckContext {
  readonly modelNames: NameTable;
  readonly poolNames: NameTable;
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
    checkCheapest(model, pools, here, context);
  }
  checkDiffer(models, context);
  checkServed(models, context);
}

/** Money that nobody can count would never be short. */
function checkMoney(model: Model, pools: readonly Pool[], here: Here, { report }: PriceCheckContext): void {
  const limited = pools.find(
    (pool) =>
      pool.keys.some(({ limits }) => limits.some(({ unit }) => unit === 'cost')) &&
      neverPriced(model, pool).length > 0,
  );
  if (limited === undefined) return;
  report({
    code: 'PT3214',
    message: `Keys of "${limited.name}" may spend no more than an amount of money, and no price of "${model.name}" is known.`,
    target: keyAt(here),
    help: 'Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens.',
  });
}

/** What files say holds whenever they are read: a price counts as known from the day on that it is from, and before it. */
function neverPriced(model: Model, pool: Pool): readonly PoolKey[] {
  return unpricedKeys(model, pool, Number.POSITIVE_INFINITY);
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
    const unpriced = neverPriced(model, pool).find((key) => factorOf(key.name) !== null);
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

/** Of keys whose price nobody knows none costs least. */
function checkCheapest(
  model: Model,
  pools: readonly Pool[],
  here: Here,
  { poolNames, report }: PriceCheckContext,
): void {
  for (const pool of pools) {
    const unpriced = neverPriced(model, pool);
    const [first] = unpriced;
    if (pool.choose !== 'cheapest' || first === undefined) continue;
    const withIt = unpriced.length === pool.keys.length ? '' : ` with its key "${first.name}"`;
    report({
      code: 'PT3219',
      message: `"${pool.name}" chooses the key with which a call costs least, and nobody knows what "${model.name}" costs${withIt}.`,
      target: keyAt(here),
      help: priceHelp(model),
      related: [{ target: chooseOf(pool, poolNames), message: 'the choice' }],
    });
  }
}

/** Where no key is cheaper than another one, headroom decides, and whoever wrote it thinks otherwise. */
function checkDiffer(
  models: ReadonlyMap<string, Model>,
  { pools, poolNames, report }: PriceCheckContext,
): void {
  for (const pool of pools.values()) {
    const served = [...models.values()].filter((model) => model.pools.includes(pool.name));
    if (pool.choose !== 'cheapest' || pool.keys.length < 2 || served.length === 0) continue;
    if (served.some((model) => costsDiffer(model, pool))) continue;
    report({
      code: 'PT3221',
      message: `With all keys of "${pool.name}" calls cost the same, so that the one with the most headroom is chosen.`,
      target: chooseOf(pool, poolNames),
      help: 'Say at the keys what they cost less (discount: 20%) or more, or what they cost (prices); or remove `choose`.',
    });
  }
}

function costsDiffer(model: Model, pool: Pool): boolean {
  // a price that is not known is told by itself
  if (neverPriced(model, pool).length > 0) return true;
  const prices = pricesIn(model, pool.name);
  const [first, ...others] = pool.keys.map(({ name: key }) => prices(key));
  return others.some((other) => !sameCost(first!, other));
}

function sameCost(one: Prices, other: Prices): boolean {
  const { price, datedPrices } = one;
  return (
    sameValue(price, other.price, WORDS) &&
    datedPrices.length === other.datedPrices.length &&
    datedPrices.every(
      ({ fromMs, price: dated }, nth) =>
        fromMs === other.datedPrices[nth]!.fromMs && sameValue(dated, other.datedPrices[nth]!.price, WORDS),
    )
  );
}
const WORDS: ReadonlySet<string> = new Set(['asOf', 'source']);

function chooseOf({ name }: Pool, { names }: NameTable): Target {
  return valueAt(below(names.get(name)!, 'choose'));
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
