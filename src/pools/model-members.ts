/** Members by which a provider would take other models than the one that a call names: no rule, limit or price would see them. */
import { isLike } from '../ai/like-names.ts';
import { JsonDocument } from '../base/json/document.ts';
import type { ModelRequest, NoModelRequest } from '../pipeline/model-request.ts';
import type { ReadTarget } from './call-plan.ts';

/** Null: the call has none that one of its providers knows. */
export function namesModels(
  document: ModelRequest['document'],
  targets: readonly Pick<ReadTarget, 'provider'>[],
): NoModelRequest | null {
  if (!(document instanceof JsonDocument)) return null;
  for (const { provider } of targets) {
    if (provider.modelMembers.length === 0) continue;
    const { root } = document;
    for (let member = document.first(root); member !== undefined; member = document.next(member))
      for (const name of provider.modelMembers)
        if (isLike(document, member, name) && document.typeOf(document.valueOf(member)) !== 'null')
          return refusal(name);
  }
  return null;
}

function refusal(member: string): NoModelRequest {
  const sentence = `"${member}" may have other models serve the call, which the rules of the gateway would not see: name one in "model".`;
  return { code: 'model_request_malformed', sentence };
}
