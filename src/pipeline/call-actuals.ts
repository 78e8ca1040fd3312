import { type CallActuals, NOTHING_USED } from '../model/model-call.ts';
import type { CallUse } from './model-request.ts';

/** What is settled of a call; null of what nobody has told: there all that was reserved is spent. */
export function actualsOf({
  charged,
  usage,
  costNano,
}: Pick<CallUse, 'charged' | 'usage' | 'costNano'>): CallActuals {
  if (charged === 'nothing') return NOTHING_USED;
  // of a call that is paid by the search, money alone is told
  if (usage === null) return { ...NOTHING_TOLD, money: costNano };
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens } = usage;
  return {
    tokens: inputTokens === null || outputTokens === null ? null : inputTokens + outputTokens,
    'input-tokens': inputTokens,
    'output-tokens': outputTokens,
    'cached-tokens': cachedTokens,
    'reasoning-tokens': reasoningTokens,
    money: costNano,
  };
}

const NOTHING_TOLD: CallActuals = {
  tokens: null,
  'input-tokens': null,
  'output-tokens': null,
  'cached-tokens': null,
  'reasoning-tokens': null,
  money: null,
};
