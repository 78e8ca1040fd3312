/** What is to be called: the model and its pools, and what the call may take of their limits. */
import { readCall } from '../ai/call-facts.ts';
import { conversationHash } from '../ai/conversation.ts';
import type { Operation } from '../ai/operations.ts';
import { scanJson } from '../base/json/scan.ts';
import type { CallFacts } from '../model/model-call.ts';
import type { Model } from '../model/pools.ts';
import type { CallAmounts } from '../pipeline/key-pool.ts';
import type { ModelRequest, NoModelRequest } from '../pipeline/model-request.ts';
import { costNano } from './call-cost.ts';
import type { BoundModel, ModelThread, Target } from './model-services.ts';

export interface CallPlan extends ModelRequest {
  readonly operation: Operation;
  readonly targets: readonly Target[];
  /** See `conversationHash`; null where no pool asks for it. */
  readonly conversation: number | null;
}

export function planCall(
  body: Uint8Array,
  operation: Operation,
  models: ReadonlyMap<string, BoundModel>,
  { limits }: Pick<ModelThread, 'limits'>,
): CallPlan | NoModelRequest {
  const scanned = scanJson(body, {
    bytesMax: limits.requestBodyBufferedBytes,
    depthMax: limits.requestJsonDepth,
    nodesMax: limits.requestJsonValues,
    membersMax: limits.requestJsonValues,
    stringBytesMax: limits.requestBodyBufferedBytes,
    numberBytesMax: NUMBER_BYTES_MAX,
  });
  if (!scanned.ok) {
    const { why, offset } = scanned.error;
    return {
      code: 'model_request_malformed',
      sentence: `The body is not sound JSON: ${why}, at byte ${offset}.`,
    };
  }
  const facts = readCall(scanned.value, operation);
  if ('why' in facts) {
    const { member, why } = facts;
    const subject = member === '' ? 'The body' : `"${member}"`;
    return { code: 'model_request_malformed', sentence: `${subject} ${why}.` };
  }
  if (facts.model === null)
    return { code: 'model_required', sentence: 'The request names no model: "model" is missing.' };
  const bound = models.get(facts.model);
  if (bound === undefined)
    return { code: 'model_not_found', sentence: `There is no model "${shown(facts.model)}" here.` };
  const targets = bound.targets.filter(({ provider }) => provider.dialect === operation.dialect);
  if (targets.length === 0)
    return {
      code: 'model_not_found',
      sentence: `The model "${shown(facts.model)}" is not offered by this API: its provider speaks another dialect.`,
    };
  return {
    document: scanned.value,
    operation,
    facts,
    model: bound.model,
    targets,
    conversation: targets.some(({ pool }) => pool.sticky !== null) ? conversationHash(scanned.value) : null,
    amounts: amountsOf(facts, operation, bound.model),
  };
}

/** A sound bound: no tokenizer makes more tokens of a text than it has bytes. */
function amountsOf(facts: CallFacts, operation: Operation, { outputTokensMax, price }: Model): CallAmounts {
  const cap = facts.outputCap ?? outputTokensMax ?? OUTPUT_TOKENS_UNTOLD;
  const inputTokens = facts.promptBytes;
  const outputTokens = operation.answersInTokens ? Math.min(TOKENS_MAX, cap * facts.choices) : 0;
  return {
    inputTokens,
    outputTokens,
    costNano: costNano(price, { inputTokens, outputTokens, cachedTokens: 0 }),
  };
}

function shown(name: string): string {
  return name.length <= SHOWN_MAX ? name : `${name.slice(0, SHOWN_MAX)}…`;
}

/** More than any answer has. */
const TOKENS_MAX = 1_000_000_000;
const SHOWN_MAX = 100;
const NUMBER_BYTES_MAX = 1_000;
/** Where neither the caller nor the description of the model bounds an answer. */
const OUTPUT_TOKENS_UNTOLD = 4_096;
