/** What requests of tests have used, once they have ended. */
import type { CheckedReply } from '../../language/typed-tests.ts';
import { type CallActuals, NOTHING_USED, type TokenUsage } from '../../model/model-call.ts';
import { NOTHING_KNOWN_USED } from '../../pipeline/alerts.ts';
import { actualsOf as toldActuals } from '../../pipeline/call-actuals.ts';
import type { RequestContext } from '../../pipeline/context.ts';
import { CONTINUE, type Outcome } from '../../pipeline/outcome.ts';

export function toldUsage({
  input,
  output,
  cached,
  reasoning,
}: NonNullable<CheckedReply['usage']>): TokenUsage {
  return {
    inputTokens: input,
    outputTokens: output,
    cachedTokens: cached,
    reasoningTokens: reasoning,
    surcharge: 0,
    costNano: null,
  };
}

/**
 * As the record of the request tells it: of a call whose usage nobody tells the most that it can be, and of what was refused that it
 * cost nothing. `costNano`: told, or the price; null: neither.
 */
export function usedBy(
  { shapedCall, call }: RequestContext,
  outcome: Outcome,
  costNano: number | null,
  usage: TokenUsage | null,
) {
  const isPriced = costNano !== null || call !== null;
  if (outcome !== CONTINUE) return { ...NOTHING_KNOWN_USED, costNano: isPriced ? 0 : undefined };
  if (shapedCall === null) return { ...NOTHING_KNOWN_USED, costNano: costNano ?? undefined };
  const { bounds } = shapedCall;
  return {
    inputTokens: usage?.inputTokens ?? finite(bounds['input-tokens']),
    outputTokens: usage?.outputTokens ?? finite(bounds['output-tokens']),
    cachedTokens: usage?.cachedTokens,
    reasoningTokens: usage?.reasoningTokens,
    costNano: costNano ?? (usage === null ? finite(bounds.money) : undefined),
  };
}

function finite(bound: number): number | undefined {
  return Number.isFinite(bound) ? bound : undefined;
}

/** What is settled: of a call whose usage nobody tells, all that was reserved. */
export function actualsOf(
  { shapedCall }: RequestContext,
  costNano: number | null,
  usage: TokenUsage | null,
): CallActuals {
  if (shapedCall === null) return { ...NOTHING_USED, money: costNano ?? 0 };
  if (usage !== null) return toldActuals({ charged: 'told', usage, costNano });
  return { ...shapedCall.bounds, money: costNano ?? shapedCall.bounds.money };
}
