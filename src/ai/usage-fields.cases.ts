import type { UsageFields } from '../model/pools.ts';

/** Of a provider that tells what was used as its dialect does. */
export const AS_THE_DIALECT: UsageFields = {
  inStreams: [],
  input: null,
  output: null,
  total: null,
  cached: null,
  reasoning: null,
  cost: null,
};
