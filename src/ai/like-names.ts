/**
 * Names of members that some readers take for others: Go's, which many servers of models have, tell no capitals from small letters. What
 * rules and limits read by one name would then be another member to whoever serves the call.
 */

import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import { OUTPUT_CAP_MEMBERS } from '../model/facts.ts';
import type { CallFault } from './call-facts.ts';

/** The first member of the request, or of one of its messages, that is like one that calls are read by; null: there is none. */
export function likeName(document: JsonDocument): CallFault | null {
  const { root } = document;
  const own = likeIn(document, root, READ_OF_CALLS);
  if (own !== null) return own;
  const messages = document.member(root, 'messages');
  if (messages === undefined || document.typeOf(messages) !== 'array') return null;
  for (let message = document.first(messages); message !== undefined; message = document.next(message)) {
    const like = likeIn(document, message, READ_OF_MESSAGES);
    if (like !== null) return like;
  }
  return null;
}

/** Whether a name is this one, in small letters, to readers that don't tell capitals from them. */
export function isLike(document: JsonDocument, member: JsonNode, name: string): boolean {
  const compared = document.compareName(member, name);
  return compared === 'unsure' ? fold(document.text(member)) === name : compared === 'same';
}

/** Most names have small letters alone, and are told from their bytes: nothing is made of them. */
function likeIn(document: JsonDocument, object: JsonNode, read: ReadonlySet<string>): CallFault | null {
  if (document.typeOf(object) !== 'object') return null;
  for (let member = document.first(object); member !== undefined; member = document.next(member)) {
    if (document.isPlainName(member)) continue;
    const name = document.text(member);
    const folded = fold(name);
    if (folded !== name && read.has(folded))
      return { member: name, why: `is read as "${folded}" by some and not by others: write that` };
  }
  return null;
}

/** Also the long s and the Kelvin sign, which `toLowerCase` alone leaves apart from s and k. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

const READ_OF_CALLS: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'input', 'prompt', 'suffix', 'system', 'instructions', 'query', 'documents'],
  ...[...OUTPUT_CAP_MEMBERS, 'n', 'best_of', 'thinking'],
  ...['stream', 'stream_options', 'previous_response_id', 'conversation', 'tools', 'functions'],
  ...['web_search_options', 'mcp_servers', 'container', 'search_parameters', 'plugins'],
  ...['modalities', 'audio', 'service_tier', 'speed', 'inference_geo', 'prediction', 'chat_template'],
]);
const READ_OF_MESSAGES: ReadonlySet<string> = new Set(['role', 'content', 'audio', 'tool_calls']);
