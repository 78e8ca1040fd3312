/** A call to a model as the rules of its route change it. */
import type { RequestContext } from '../pipeline/context.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import { fromFault, fromUpstream, type Problem } from './problem.ts';
import { transformed } from './transformed-body.ts';

/** The call itself where nothing changes it: read anew costs as much as reading it did. */
export function shapedCall(
  context: RequestContext,
  pipeline: Pick<RoutePipeline, 'maskRequest' | 'requestTransform' | 'outputCap'>,
  models: Pick<ModelService, 'read' | 'capped'>,
  heldBytesMax: number,
): ModelRequest | Problem {
  const shaped = changedCall(context, pipeline, models, heldBytesMax);
  const { outputCap } = pipeline;
  if (outputCap === null || 'status' in shaped) return shaped;
  const most = outputCap(context);
  const isAsWritten = most === (shaped.facts.outputCap ?? Number.POSITIVE_INFINITY);
  return isAsWritten ? shaped : models.capped(shaped, most);
}

function changedCall(
  context: RequestContext,
  { maskRequest, requestTransform }: Pick<RoutePipeline, 'maskRequest' | 'requestTransform'>,
  models: Pick<ModelService, 'read'>,
  heldBytesMax: number,
): ModelRequest | Problem {
  const call = context.call!;
  const { bytes } = call.document!;
  const masked = maskRequest === null ? bytes : maskRequest(context, bytes);
  if (!(masked instanceof Uint8Array)) return fromFault(masked);
  const transform = requestTransform === null ? null : requestTransform(context);
  if (transform === null && masked === bytes) return call;
  const text = transform === null ? masked : transformed(transform, masked, true, heldBytesMax);
  if (!(text instanceof Uint8Array)) return fromFault(text);
  const shaped = models.read(text);
  return 'code' in shaped ? fromUpstream(shaped.code, shaped.sentence, undefined) : shaped;
}
