/**
 * Reads calls to the models of a configuration without any key: for who asks what rules would say of them. Prompts are bounded by
 * their bytes alone.
 */
import { OPERATIONS } from '../ai/operations.ts';
import { assert } from '../base/assert.ts';
import type { Models } from '../model/pools.ts';
import type { CallOperation } from '../model/route-calls.ts';
import type { ModelService } from '../pipeline/model-request.ts';
import { type CallPlan, cappedPlan, offeredModels, planAs, planCall, type ReadTarget } from './call-plan.ts';
import { ModelPrices } from './model-prices.ts';
import type { ReadLimits } from './received-body.ts';

export function callReader(
  { models, pools, providers }: Models,
  limits: ReadLimits,
): (operation: CallOperation) => Pick<ModelService, 'read' | 'as' | 'capped'> {
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
      const prices = new ModelPrices(model, pools, BEFORE_ALL_DATES);
      return [name, { model, targets: model.pools.map(target), prices }] as const;
    }),
  );
  const uncounted = { ...limits, countedPromptBytes: 0 };
  return (operation) => {
    const offered = offeredModels(bound, OPERATIONS[operation]);
    return {
      read: (text, boundary = null) =>
        planCall({ text, boundary }, OPERATIONS[operation], offered, uncounted),
      as: (call, model) => planAs(call as CallPlan<ReadTarget>, model, offered, uncounted),
      capped: (call, outputTokens) => cappedPlan(call as CallPlan<ReadTarget>, outputTokens),
    };
  };
}

const BEFORE_ALL_DATES = { wallMs: () => Number.NEGATIVE_INFINITY };
