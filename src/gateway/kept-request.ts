/** What the cache has to know of a request whose answer rules let be kept. */

import type { CallTargets } from '../pipeline/call-targets.ts';
import type { HeaderEdits, RequestContext } from '../pipeline/context.ts';
import type { UpstreamRequest } from '../pipeline/upstream.ts';
import { placeOf } from './answer-cache.ts';
import type { Keeping } from './answer-keeping.ts';
import { cacheKey, type KeptCall } from './cache-key.ts';
import type { CacheWishes } from './cacheable.ts';

/** What was asked for, and of whom. */
export interface AskedFor {
  readonly context: RequestContext;
  readonly route: string;
  /** Null where it goes to a service. */
  readonly targets: CallTargets | null;
}

export interface ShapedRequest {
  /** As it leaves. */
  readonly request: UpstreamRequest;
  readonly edits: HeaderEdits;
  readonly wishes: CacheWishes;
  /** How long rules let its answer be kept. */
  readonly forMs: number;
}

export function keepingOf(
  { context, route, targets }: AskedFor,
  { request, edits, wishes, forMs }: ShapedRequest,
): Keeping {
  const { method, host, identity, shapedCall } = context;
  const { target, fieldLines } = request;
  const fieldsSet = new Set(edits.set.filter((_, index) => index % 2 === 0));
  const call = keptCall(context, targets);
  // One that a rule sets is the gateway's own, and tells keys apart.
  const isAuthorized = AUTHORIZATION.test(fieldLines) && !fieldsSet.has('authorization');
  return {
    key: cacheKey({ route, identity, method, host, target, fieldLines, fieldsSet, call }),
    place: placeOf(context),
    wishes,
    asked: { forMs, isCall: call !== null, isAuthorized, fieldsSet },
    call: shapedCall,
  };
}

function keptCall({ shapedCall }: RequestContext, targets: CallTargets | null): KeptCall | null {
  if (shapedCall === null || targets === null) return null;
  const { model, bounds, document } = shapedCall;
  return {
    model: model.name,
    pools: targets.pools,
    outputTokens: bounds['output-tokens'],
    body: document!.bytes,
  };
}

const AUTHORIZATION = /^authorization:/im;
