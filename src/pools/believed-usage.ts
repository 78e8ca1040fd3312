/** What is believed of the usage that an answer tells: a half that is not told, or that the call can't have had, counts as its bound. */
import type { TokenUsage } from '../model/model-call.ts';
import type { Model, ModelPrice } from '../model/pools.ts';
import type { UsedTokens } from '../pipeline/model-request.ts';
import { costBoundNano, costNano } from './call-cost.ts';
import type { CallPlan } from './call-plan.ts';
import { timesPaid } from './call-plan.ts';

export type BelievedCall = Pick<CallPlan, 'bounds' | 'facts' | 'model' | 'operation'>;

export interface BelievedUsage {
  /** Null halves are those that are not believed. */
  readonly told: TokenUsage;
  /** Why not all of it is believed, for the record; '': all is. */
  readonly doubt: string;
}

/** `tokensMax`: of a half whose bound nobody knows. */
export function believed(usage: TokenUsage, call: BelievedCall, tokensMax: number): BelievedUsage {
  const { bounds, model } = call;
  const input = isBelieved(usage.inputTokens, bounds['input-tokens'], model, tokensMax);
  const output = isBelieved(usage.outputTokens, bounds['output-tokens'], model, tokensMax);
  if (input && output) return { told: usage, doubt: '' };
  const told: TokenUsage = {
    inputTokens: input ? usage.inputTokens : null,
    outputTokens: output ? usage.outputTokens : null,
    cachedTokens: input ? usage.cachedTokens : 0,
    reasoningTokens: output ? usage.reasoningTokens : 0,
    surcharge: input ? usage.surcharge : 0,
    costNano: isUnbelievable(usage, { input, output }) ? null : usage.costNano,
  };
  return { told, doubt: doubtOf(usage, { input, output }) };
}

/** What becomes of limits: what is not told counts as its bound, and as all that was reserved (null) where there is none. */
export function usedTokens(told: TokenUsage, { bounds }: BelievedCall): UsedTokens {
  const { inputTokens, outputTokens } = told;
  return {
    inputTokens: inputTokens ?? finite(bounds['input-tokens']),
    outputTokens: outputTokens ?? finite(bounds['output-tokens']),
    cachedTokens: inputTokens === null ? null : told.cachedTokens,
    reasoningTokens: outputTokens === null ? null : told.reasoningTokens,
  };
}

/** In nano-units: as the provider says, or else by the price of the key; null where neither is known, or the call has no bound. */
export function usedNano(
  told: TokenUsage,
  { bounds, facts, operation }: BelievedCall,
  price: ModelPrice | null,
): number | null {
  if (told.costNano !== null) return told.costNano;
  if (price === null) return null;
  const { inputTokens } = told;
  const outputTokens = told.outputTokens ?? bounds['output-tokens'];
  const requests = timesPaid(facts, operation);
  if (inputTokens !== null && Number.isFinite(outputTokens))
    return costNano(price, { ...told, inputTokens, outputTokens }, requests);
  const cache = facts.writesCache ? 'writes' : 'reads';
  const most = { inputTokens: inputTokens ?? bounds['input-tokens'], outputTokens, cache } as const;
  return finite(costBoundNano(price, most, requests));
}

/**
 * More than its bound it may have been: bounds can be wrong, and what was used above them is debt. But no call has more than its model
 * takes; of what was read from elsewhere while the model worked, nobody knows the most.
 */
function isBelieved(
  told: number | null,
  bound: number,
  { contextTokens }: Pick<Model, 'contextTokens'>,
  tokensMax: number,
): boolean {
  if (told === null) return false;
  if (!Number.isFinite(bound)) return told <= tokensMax;
  return told <= bound || told <= (contextTokens ?? tokensMax);
}

interface Halves {
  readonly input: boolean;
  readonly output: boolean;
}

function isUnbelievable({ inputTokens, outputTokens }: TokenUsage, { input, output }: Halves): boolean {
  return (inputTokens !== null && !input) || (outputTokens !== null && !output);
}

function doubtOf(usage: TokenUsage, halves: Halves): string {
  const { inputTokens, outputTokens } = usage;
  const half = halves.input ? 'output' : halves.output ? 'input' : 'input and output';
  return isUnbelievable(usage, halves)
    ? `usage_unbelievable: the answer tells ${inputTokens ?? 'no'} input and ${outputTokens ?? 'no'} output tokens, which the call can't have had: the ${half} counts as its bound`
    : `usage_incomplete: the answer tells no ${half} tokens, which count as their bound`;
}

function finite(bound: number): number | null {
  return Number.isFinite(bound) ? bound : null;
}
