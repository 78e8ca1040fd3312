/** What calls cost, by the price of their model. */
import type { TokenUsage } from '../model/model-call.ts';
import type { ModelPrice } from '../model/pools.ts';
import type { AskedAmounts } from '../pipeline/key-pool.ts';

/** What a call is reckoned to take before it is sent, whichever key it goes to. */
export interface CallEstimate extends AskedAmounts {
  /** How often the price for a request is paid. */
  readonly requests: number;
  /** Of the keys, by `Candidate.pricePlace`; null: not known. */
  readonly prices: readonly (ModelPrice | null)[];
}

/** Prices are for a million tokens. */
const TOKENS_PRICED = 1_000_000;

/**
 * The most that a call can cost; infinite where its price or one of its amounts is not known. What costs nothing needs no bound.
 * `requests`: how often the price for a request is paid.
 */
export function costBoundNano(
  price: ModelPrice | null,
  { inputTokens, outputTokens, cache }: CostBound,
  requests: number,
): number {
  if (price === null) return Number.POSITIVE_INFINITY;
  // a prompt may lie in the cache of its provider or not, whichever is dearer
  const inputNano = Math.max(
    price.inputNano * (cache === 'writes' ? CACHE_WRITE_TIMES_MAX : 1),
    price.cachedNano,
  );
  const tokens = times(inputTokens, inputNano) + times(outputTokens, price.outputNano);
  return Math.ceil(tokens / TOKENS_PRICED) + requests * price.requestNano;
}

export interface CostBound {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cache: 'writes' | 'reads';
}

/** See `surcharged` of operations. */
const CACHE_WRITE_TIMES_MAX = 2;

function times(tokens: number, nano: number): number {
  return nano === 0 ? 0 : tokens * nano;
}

/** What a call is reckoned to cost, in nano-units; 0 where no price is known. */
export function estimateNano(
  price: ModelPrice | null,
  inputTokens: number,
  outputTokens: number,
  requests: number,
): number {
  if (price === null) return 0;
  const tokens = inputTokens * price.inputNano + outputTokens * price.outputNano;
  return Math.ceil(tokens / TOKENS_PRICED) + requests * price.requestNano;
}

/** What a call takes of a key, at the price of that. The object is used again for the next one: nobody may keep it. */
export function takenOf({ pricePlace }: { readonly pricePlace: number }, call: CallEstimate): AskedAmounts {
  const { prices, inputTokens, countedTokens, outputTokens, requests } = call;
  if (prices.length <= 1) return call;
  TAKEN.inputTokens = inputTokens;
  TAKEN.outputTokens = outputTokens;
  TAKEN.countedTokens = countedTokens;
  TAKEN.costNano = estimateNano(prices[pricePlace]!, countedTokens ?? inputTokens, outputTokens, requests);
  return TAKEN;
}
/** An object for each key that is looked at would be most of what a choice costs. */
const TAKEN = { inputTokens: 0, outputTokens: 0, countedTokens: null as number | null, costNano: 0 };

export interface PricedTokens extends Pick<TokenUsage, 'cachedTokens' | 'surcharge'> {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** In nano-units, rounded up once; 0 where no price is known. */
export function costNano(price: ModelPrice | null, usage: PricedTokens, requests: number): number {
  if (price === null) return 0;
  const { inputTokens, cachedTokens, outputTokens, surcharge } = usage;
  const tokens =
    (inputTokens - cachedTokens + surcharge) * price.inputNano +
    cachedTokens * price.cachedNano +
    outputTokens * price.outputNano;
  return Math.ceil(tokens / TOKENS_PRICED) + requests * price.requestNano;
}
