/** A call to a model as the rules of its route change it. */
import type { MaskSet } from '../model/masks/mask-set.ts';
import type { RequestContext } from '../pipeline/context.ts';
import type { ModelRequest, ModelService } from '../pipeline/model-request.ts';
import type { RoutePipeline } from '../pipeline/program.ts';
import { cappedByRules } from '../pipeline/rule-caps.ts';
import { fromFault, fromUpstream, type Problem } from './problem.ts';
import { transformed } from './transformed-body.ts';

type Shapers = Pick<
  RoutePipeline,
  'requestMasks' | 'responseMasks' | 'maskRequest' | 'requestTransform' | 'outputCap'
>;

/** A call as it was shaped, and by what. */
export interface ShapedCall {
  readonly call: ModelRequest;
  /** As it was written. */
  readonly written: ModelRequest;
  readonly requestMasks: MaskSet | null;
  readonly responseMasks: MaskSet | null;
  /** Null: no rule says. */
  readonly outputTokensMost: number | null;
}

/**
 * The call itself where nothing changes it: read anew costs as much as reading it did. `last`: of the try before, whose call it is again
 * where the same would shape it; null for the first.
 */
export function shapedCall(
  context: RequestContext,
  pipeline: Shapers,
  models: Pick<ModelService, 'read' | 'as' | 'capped'>,
  heldBytesMax: number,
  last: ShapedCall | null,
): ShapedCall | Problem {
  const by = {
    call: context.call!,
    written: context.call!,
    requestMasks: pipeline.requestMasks?.(context) ?? null,
    responseMasks: pipeline.responseMasks?.(context) ?? null,
    outputTokensMost: pipeline.outputCap?.(context) ?? null,
  };
  if (last !== null && pipeline.requestTransform === null && isShapedBy(last, by)) {
    // limits say so anew
    last.call.relyOnCap = by.outputTokensMost !== null && last.call.facts.capByNewName;
    return last;
  }
  const shaped = changedCall(context, pipeline, models, heldBytesMax);
  if ('status' in shaped) return shaped;
  const capped = cappedByRules(models, shaped, by.outputTokensMost);
  if ('code' in capped) return fromUpstream(capped.code, capped.sentence, undefined);
  by.call = capped;
  return by;
}

function isShapedBy(shaped: ShapedCall, by: Omit<ShapedCall, 'call'>): boolean {
  return (
    shaped.written === by.written &&
    shaped.requestMasks === by.requestMasks &&
    shaped.responseMasks === by.responseMasks &&
    shaped.outputTokensMost === by.outputTokensMost
  );
}

function changedCall(
  context: RequestContext,
  { maskRequest, requestTransform }: Pick<RoutePipeline, 'maskRequest' | 'requestTransform'>,
  models: Pick<ModelService, 'read' | 'as'>,
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
  if ('code' in shaped) return fromUpstream(shaped.code, shaped.sentence, undefined);
  // what the text names is the model that was asked for
  return context.fallen === null ? shaped : models.as(shaped, call.model.name)!;
}
