/** Prices as files write them: of now, and of days to come. */
import { DAY_MS, localClock } from '../../model/local-time.ts';
import type { DatedPrice, ModelPrice, Prices } from '../../model/pools.ts';
import type { PriceAmountsDocument, PriceDocument } from '../documents.ts';
import { below, type Here, keyAt } from '../finding.ts';
import { type AccountingContext, moneyIn } from './costs.ts';

export interface PriceContext extends AccountingContext {
  /** At whose midnight days begin. */
  readonly zone: string;
}

/** A price, and those that take its place; where they stand. */
export interface WrittenPrices {
  readonly price: PriceDocument | undefined;
  readonly priceAt: Here;
  readonly pricesFrom: Readonly<Record<string, PriceAmountsDocument>>;
  readonly pricesFromAt: Here;
}

/** `price` is null where none is written. */
export function buildPrices(written: WrittenPrices, context: PriceContext): Prices {
  const { price, priceAt, pricesFrom, pricesFromAt } = written;
  return {
    price: price === undefined ? null : buildPrice(price, price.asOf, priceAt, context),
    datedPrices: buildDatedPrices(pricesFrom, price?.asOf ?? null, pricesFromAt, context),
  };
}

function buildDatedPrices(
  prices: Readonly<Record<string, PriceAmountsDocument>>,
  asOf: string | null,
  here: Here,
  context: PriceContext,
): readonly DatedPrice[] {
  const days = localClock(context.zone);
  return Object.entries(prices)
    .map(([day, amounts]): DatedPrice => {
      if (asOf !== null && day <= asOf) reportEarlier(day, asOf, below(here, day), context);
      const price = buildPrice(amounts, day, below(here, day), context);
      return { fromMs: days.startOfDayMs(Date.parse(day) / DAY_MS), price };
    })
    .sort((a, b) => a.fromMs - b.fromMs);
}

function reportEarlier(day: string, asOf: string, here: Here, { report }: PriceContext): void {
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
  context: PriceContext,
): ModelPrice {
  // an amount that can't be taken is reported, and the whole of it never serves
  const amount = (field: 'input' | 'output' | 'cached' | 'request', otherwise: number): number => {
    const written = document[field];
    return (written === undefined ? null : moneyIn(written, below(here, field), context)) ?? otherwise;
  };
  const inputNano = amount('input', 0);
  return {
    inputNano,
    outputNano: amount('output', 0),
    cachedNano: amount('cached', inputNano),
    requestNano: amount('request', 0),
    asOf,
    source: 'project',
  };
}
