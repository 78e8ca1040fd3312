/**
 * Calls to the models of a configuration without any key: for who asks what rules would say of them, and what would be sent.
 */
import { OPERATIONS } from '../ai/operations.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/ports.ts';
import type { TokenUsage } from '../model/model-call.ts';
import { type Models, priceAt, pricesIn } from '../model/pools.ts';
import type { CallOperation } from '../model/route-calls.ts';
import type { CountedPrompt, ModelRequest, ModelService } from '../pipeline/model-request.ts';
import { usedNano } from './believed-usage.ts';
import { bodyFor } from './call-body.ts';
import {
  type CallPlan,
  cappedPlan,
  countedPlan,
  offeredModels,
  planAs,
  planCall,
  promptOf,
  type ReadTarget,
} from './call-plan.ts';
import { ModelPrices } from './model-prices.ts';
import type { ReadLimits } from './received-body.ts';

/** One operation on all models. */
export interface CallReader extends Pick<ModelService, 'read' | 'as' | 'capped'> {
  /** The same call, its prompt counted by the tokenizer of its model; null: nobody counts it. */
  counted(call: ModelRequest): ModelRequest | null;
  /** Names of the models that it can be asked of. */
  readonly models: readonly string[];
  /** The pools of a call's model that it can be sent to, whatever rules say, in the order of the model. */
  pools(call: ModelRequest): readonly string[];
  /** Its body as a provider with a key of that pool gets it. */
  outgoing(call: ModelRequest, pool: string): Uint8Array;
  /** What it costs with the first key of that pool where its answer tells that usage, in nano-units; null: no price is known. */
  costNano(call: ModelRequest, pool: string, usage: TokenUsage): number | null;
}

export interface CallReaderParts {
  readonly limits: ReadLimits;
  /** Of the calls: what they cost is of their time. */
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly countPrompt: (prompt: CountedPrompt) => number | null;
}

export function callReader(
  { models, pools, providers }: Models,
  { limits, clock, countPrompt }: CallReaderParts,
): (operation: CallOperation) => CallReader {
  const target = (name: string): ReadTarget => {
    const pool = pools.get(name);
    const provider = providers.get(pool?.provider ?? '');
    assert(
      pool !== undefined && provider !== undefined,
      'pools of models are checked when the files are read',
    );
    return { pool, provider };
  };
  const bound = new Map(
    [...models].map(([name, model]) => {
      const prices = new ModelPrices(model, pools, clock);
      return [name, { model, targets: model.pools.map(target), prices }] as const;
    }),
  );
  return (operation) => {
    const offered = offeredModels(bound, OPERATIONS[operation]);
    return {
      read: (text, boundary = null) => planCall({ text, boundary }, OPERATIONS[operation], offered, limits),
      as: (call, model) => planAs(call as CallPlan<ReadTarget>, model, offered, limits),
      capped: (call, outputTokens) => cappedPlan(call as CallPlan<ReadTarget>, outputTokens),
      counted: (call) => {
        const plan = call as CallPlan<ReadTarget>;
        const prompt = promptOf(plan);
        const tokens = prompt === null ? null : countPrompt(prompt);
        return tokens === null ? null : countedPlan(plan, tokens);
      },
      models: [...offered].flatMap(([name, model]) => (model.targets.length === 0 ? [] : [name])),
      pools: (call) => (call as CallPlan<ReadTarget>).targets.map(({ pool }) => pool.name),
      outgoing: (call, name) => {
        const { provider } = target(name);
        return bodyFor(call as CallPlan<ReadTarget>, provider);
      },
      costNano: (call, name, usage) => {
        const key = target(name).pool.keys[0]?.name ?? '';
        const price = priceAt(pricesIn(call.model, name)(key), clock.wallMs());
        return usedNano(usage, call as CallPlan<ReadTarget>, price);
      },
    };
  };
}
