import { DAY_MS, localClock } from '../../model/local-time.ts';
import type { DatedPrice, Model, ModelPrice, Pool, Provider } from '../../model/pools.ts';
import type { ModelDocument, PriceAmountsDocument, ProvidersDocument } from '../documents.ts';
import { below, type Here, keyAt, valueAt } from '../finding.ts';
import { type CatalogueNames, contextFromCatalogue, priceFromCatalogue } from './catalogue-prices.ts';
import { type AccountingContext, moneyIn } from './costs.ts';
import { knownTokenizer } from './known-tokenizers.ts';
import { count } from './literals.ts';
import { checkReference, definitionsOf, type NameTable } from './names.ts';
import type { Files } from './sources.ts';

export interface ModelContext extends AccountingContext {
  readonly poolNames: NameTable;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly catalogue: CatalogueNames;
  /** At whose midnight days begin. */
  readonly zone: string;
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
  const found =
    price === undefined
      ? priceFromCatalogue(upstreamName, known, context.catalogue, context.accounting)
      : buildPrice(price, price.asOf, below(here, 'price'), context);
  if (found === null && price === undefined) checkMoney(name, known, here, context);
  return {
    name,
    upstreamName,
    pools,
    tags,
    price: found,
    datedPrices: buildDatedPrices(pricesFrom, price?.asOf ?? null, below(here, 'pricesFrom'), context),
    contextTokens: contextFromCatalogue(upstreamName, known, context.catalogue),
    outputTokensMax: outputTokensMax === undefined ? null : count(outputTokensMax),
    tokenizer:
      tokenizer === undefined
        ? knownTokenizer(upstreamName, known, context.catalogue)
        : tokenizer === 'none'
          ? null
          : tokenizer,
    place: here.file.placeOf(here.path),
  };
}

/** Money that nobody can count would never be short. */
function checkMoney(
  name: string,
  pools: readonly (Pool | undefined)[],
  here: Here,
  { report }: ModelContext,
): void {
  const limited = pools.find((pool) =>
    pool?.keys.some(({ limits }) => limits.some(({ unit }) => unit === 'cost')),
  );
  if (limited === undefined) return;
  report({
    code: 'PT3214',
    message: `Keys of "${limited.name}" may spend no more than an amount of money, and no price of "${name}" is known.`,
    target: keyAt(here),
    help: 'Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens.',
  });
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

function buildDatedPrices(
  prices: Readonly<Record<string, PriceAmountsDocument>>,
  asOf: string | null,
  here: Here,
  context: ModelContext,
): readonly DatedPrice[] {
  const days = localClock(context.zone);
  return Object.entries(prices)
    .flatMap(([day, amounts]): DatedPrice[] => {
      if (asOf !== null && day <= asOf) reportEarlier(day, asOf, below(here, day), context);
      const price = buildPrice(amounts, day, below(here, day), context);
      return price === null ? [] : [{ fromMs: days.startOfDayMs(Date.parse(day) / DAY_MS), price }];
    })
    .sort((a, b) => a.fromMs - b.fromMs);
}

function reportEarlier(day: string, asOf: string, here: Here, { report }: ModelContext): void {
  report({
    code: 'PT3218',
    message: `The price from ${day} on would take the place of one that is from ${asOf}.`,
    target: keyAt(here),
    help: 'Remove it, or say that price under pricesFrom as well.',
  });
}

function buildPrice(
  document: PriceAmountsDocument,
  asOf: string,
  here: Here,
  context: ModelContext,
): ModelPrice | null {
  const amount = (field: 'input' | 'output' | 'cached' | 'request'): number | null => {
    const written = document[field];
    return written === undefined ? null : moneyIn(written, below(here, field), context);
  };
  const [input, output] = [amount('input'), amount('output')];
  if (input === null || output === null) return null;
  return {
    inputNano: input,
    outputNano: output,
    cachedNano: amount('cached') ?? input,
    requestNano: amount('request') ?? 0,
    asOf,
    source: 'project',
  };
}
