/** Which pools of its model rules leave a call: worked out before anything is taken from limits (language-rules #18). */
import type { RequestContext } from './context.ts';
import type { ModelRequest, PoolChoice } from './model-request.ts';
import type { Refusal } from './outcome.ts';
import type { BarredPools, RoutePipeline } from './program.ts';
import type { UpstreamError, UpstreamErrorCode } from './upstream.ts';

export interface CallTargets {
  /** Null: all of the model. */
  readonly choice: PoolChoice | null;
  /** Null: rules leave none out. */
  readonly barred: BarredPools | null;
  /** What the call would have but for `barred`: the pools of its model, as far as rules route it to them. */
  readonly pools: readonly string[];
}

export function callTargets(
  context: RequestContext,
  pipeline: RoutePipeline,
  { model }: Pick<ModelRequest, 'model'>,
): CallTargets {
  const order = pipeline.poolsFor(context);
  const barred = pipeline.barredPools(context);
  const pools = order === null ? model.pools : order.filter((name) => model.pools.includes(name));
  const choice = order === null && barred === null ? null : { order, barred: barred?.pools ?? null };
  return { choice, barred, pools };
}

/** No pool is left, whichever of them are well. */
export function isTargetless({ choice, barred, pools }: CallTargets): boolean {
  return choice !== null && pools.every((name) => barred?.pools.has(name) === true);
}

/** Null unless rules have left out pools that the call would have had, and it failed for want of others. */
export function targetRefusal(
  context: RequestContext,
  { refuseTargets }: RoutePipeline,
  { barred, pools }: CallTargets,
  { code, unprocessed }: Pick<UpstreamError, 'code' | 'unprocessed'>,
): Refusal | null {
  const status = TARGETLESS[code] ?? (unprocessed && UNREACHED.has(code) ? 503 : undefined);
  return barred === null || status === undefined ? null : refuseTargets(context, barred, pools, status);
}

/** No pool is left by configuration, or none of those left is well; one without room is neither. */
const TARGETLESS: Partial<Record<UpstreamErrorCode, number>> = {
  no_pool_for_model: 403,
  no_key_available: 503,
  upstream_none_available: 503,
};
/** It was tried, and found to be away. */
const UNREACHED: ReadonlySet<UpstreamErrorCode> = new Set<UpstreamErrorCode>([
  'upstream_connect_failed',
  'upstream_connect_timeout',
  'upstream_tls_failed',
  'upstream_queue_timeout',
]);
