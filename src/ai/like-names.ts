/**
 * Names of members that some readers take for others: Go's, which many servers of models have, tell no capitals from small letters. What
 * rules and limits read by one name would then be another member to whoever serves the call.
 */

import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import { OUTPUT_CAP_MEMBERS } from '../model/facts.ts';
import type { CallFault } from './call-facts.ts';

/** The first member of the request, or of its messages, their parts and its tools, that is like one that calls are read by; null: there is none. */
export function likeName(document: JsonDocument): CallFault | null {
  const { root } = document;
  return (
    likeIn(document, root, READ_OF_CALLS) ??
    likeInEach(document, document.member(root, 'messages'), likeInMessage) ??
    likeInEach(document, document.member(root, 'input'), likeInPart) ??
    likeInEach(document, document.member(root, 'system'), likeInPart) ??
    likeInEach(document, document.member(root, 'tools'), likeInTool)
  );
}

type Reader = (document: JsonDocument, node: JsonNode) => CallFault | null;

/** An object in place of a list is read as the one that it holds. */
function likeInEach(document: JsonDocument, list: JsonNode | undefined, likeInOne: Reader): CallFault | null {
  if (list === undefined) return null;
  if (document.typeOf(list) !== 'array') return likeInOne(document, list);
  for (let item = document.first(list); item !== undefined; item = document.next(item)) {
    const like = likeInOne(document, item);
    if (like !== null) return like;
  }
  return null;
}

function likeInMessage(document: JsonDocument, message: JsonNode): CallFault | null {
  return (
    likeIn(document, message, READ_OF_MESSAGES) ??
    likeInEach(document, document.member(message, 'content'), likeInPart)
  );
}

function likeInTool(document: JsonDocument, tool: JsonNode): CallFault | null {
  return likeIn(document, tool, READ_OF_TOOLS);
}

/** Also in what it holds: a part may have parts, and an address or a source of its own. Depth is bounded by the scanner. */
function likeInPart(document: JsonDocument, part: JsonNode): CallFault | null {
  if (document.typeOf(part) !== 'object') return null;
  const own = likeIn(document, part, READ_OF_PARTS);
  if (own !== null) return own;
  for (let member = document.first(part); member !== undefined; member = document.next(member)) {
    const value = document.valueOf(member);
    const type = document.typeOf(value);
    if (type !== 'object' && type !== 'array') continue;
    for (const name of HELD_BY_PARTS) {
      if (!document.isText(member, name)) continue;
      const like = likeInEach(document, value, likeInPart);
      if (like !== null) return like;
    }
  }
  return null;
}
const HELD_BY_PARTS = ['content', 'output', 'source', 'image_url', 'file', 'input_audio'] as const;

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
const READ_OF_TOOLS: ReadonlySet<string> = new Set(['type', 'name', 'function']);
const READ_OF_PARTS: ReadonlySet<string> = new Set([
  ...['type', 'role', 'id', 'text', 'content', 'output', 'source', 'media_type', 'url', 'data', 'audio'],
  ...['image_url', 'file_id', 'file_url', 'file_data', 'file', 'video_url', 'audio_url', 'document_url'],
  ...['input_audio', 'encrypted_content', 'cache_control'],
]);
