/** What calls cost, by the price of their model. */
import type { Usage } from '../ai/usage.ts';
import type { ModelPrice } from '../model/pools.ts';

/** Prices are for a million tokens. */
const TOKENS_PRICED = 1_000_000;

/** In nano-units, rounded up once; 0 where no price is known. */
export function costNano(price: ModelPrice | null, usage: Omit<Usage, 'reasoningTokens'>): number {
  if (price === null) return 0;
  const { inputTokens, cachedTokens, outputTokens } = usage;
  const tokens =
    (inputTokens - cachedTokens) * price.inputNano +
    cachedTokens * price.cachedNano +
    outputTokens * price.outputNano;
  return Math.ceil(tokens / TOKENS_PRICED) + price.requestNano;
}
