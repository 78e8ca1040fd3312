/** A call with an answer no longer than the rules of its route let it be. */
import type { ModelRequest, ModelService, NoModelRequest } from './model-request.ts';

/** `most`: tokens, by rules and the caller; null or infinite: neither says. */
export function cappedByRules(
  models: Pick<ModelService, 'capped'>,
  call: ModelRequest,
  most: number | null,
): ModelRequest | NoModelRequest {
  if (most === null || !Number.isFinite(most)) return call;
  if (most !== call.facts.outputCap) return models.capped(call, most);
  // by a name that its provider does not know it would be none
  if (call.facts.capByNewName) call.relyOnCap = true;
  return call;
}
