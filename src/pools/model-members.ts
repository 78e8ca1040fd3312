/** Members by which a provider would take other models than the one that a call names: no rule, limit or price would see them. */
import { isLike } from '../ai/like-names.ts';
import { JsonDocument, type JsonNode } from '../base/json/document.ts';
import type { Model } from '../model/pools.ts';
import type { ModelRequest, NoModelRequest } from '../pipeline/model-request.ts';
import type { ReadTarget } from './call-plan.ts';

/** Null: the call has none that one of its providers knows. */
export function namesModels(
  document: ModelRequest['document'],
  targets: readonly Pick<ReadTarget, 'provider'>[],
  { upstreamName }: Pick<Model, 'upstreamName'>,
): NoModelRequest | null {
  if (!(document instanceof JsonDocument)) return null;
  for (const { provider } of targets) {
    if (provider.modelMembers.length === 0) continue;
    const { root } = document;
    for (let member = document.first(root); member !== undefined; member = document.next(member))
      for (const name of provider.modelMembers)
        if (isLike(document, member, name) && !namesNoOther(document, document.valueOf(member), upstreamName))
          return refusal(name);
  }
  return null;
}

/** Nothing, a list of nothing, of the model itself, as its provider knows it, or of plugins that choose none. */
function namesNoOther(document: JsonDocument, value: JsonNode, upstreamName: string): boolean {
  const type = document.typeOf(value);
  if (type !== 'array') return type === 'null';
  for (let item = document.first(value); item !== undefined; item = document.next(item))
    if (!isTheModel(document, item, upstreamName) && !choosesNone(document, item)) return false;
  return true;
}

function isTheModel(document: JsonDocument, item: JsonNode, upstreamName: string): boolean {
  return document.typeOf(item) === 'string' && document.isText(item, upstreamName);
}

/** A plugin has its id once, however it is written: one that only some readers see might be another. */
function choosesNone(document: JsonDocument, plugin: JsonNode): boolean {
  if (document.typeOf(plugin) !== 'object') return false;
  let id: JsonNode | null = null;
  for (let member = document.first(plugin); member !== undefined; member = document.next(member)) {
    // an entry of a list of models has that
    if (isLike(document, member, 'model')) return false;
    if (!isLike(document, member, 'id')) continue;
    if (id !== null) return false;
    id = document.valueOf(member);
  }
  return id !== null && document.typeOf(id) === 'string' && PLUGINS_THAT_CHOOSE_NONE.has(document.text(id));
}

/** OpenRouter, "Plugins": the others are routers among models, or ask a panel of them, and so may be those that are not known. */
const PLUGINS_THAT_CHOOSE_NONE: ReadonlySet<string> = new Set([
  ...['web', 'web-fetch', 'file-parser', 'response-healing', 'context-compression', 'moderation'],
]);

function refusal(member: string): NoModelRequest {
  const sentence = `"${member}" may have other models serve the call, which the rules of the gateway would not see: name one in "model".`;
  return { code: 'model_request_malformed', sentence };
}
