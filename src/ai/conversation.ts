/** What tells conversations apart: how they begin. A provider keeps beginnings in its prompt cache, for each account. */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';

/** Members that hold a conversation, in any of the dialects. */
const PROMPTS = ['messages', 'input', 'prompt'] as const;
/** Beginnings that are the same for so long are taken for the same conversation. */
const BEGINNING_BYTES = 64 * 1_024;

/** FNV-1a, 32 bits, over everything up to the first word of the user; null where there is no prompt. */
export function conversationHash(document: JsonDocument): number | null {
  for (const name of PROMPTS) {
    const prompt = document.member(document.root, name);
    if (prompt === undefined) continue;
    let hash = hashOf(document, document.root, 'system', OFFSET_BASIS);
    hash = hashOf(document, document.root, 'instructions', hash);
    if (document.typeOf(prompt) !== 'array') return hashSpan(document, prompt, hash);
    for (let item = document.first(prompt); item !== undefined; item = document.next(item)) {
      hash = hashSpan(document, item, hash);
      if (isOfUser(document, item)) break;
    }
    return hash;
  }
  return null;
}

function hashOf(document: JsonDocument, object: JsonNode, name: string, hash: number): number {
  const member = document.member(object, name);
  return member === undefined ? hash : hashSpan(document, member, hash);
}

function isOfUser(document: JsonDocument, item: JsonNode): boolean {
  const role = document.member(item, 'role');
  return role === undefined || document.typeOf(role) !== 'string' || document.text(role) === 'user';
}

function hashSpan(document: JsonDocument, node: JsonNode, seed: number): number {
  const { start, end } = document.span(node);
  let hash = seed;
  for (let at = start; at < Math.min(end, start + BEGINNING_BYTES); at++)
    hash = Math.imul(hash ^ document.bytes[at]!, PRIME);
  return hash >>> 0;
}

const OFFSET_BASIS = 0x811c_9dc5;
const PRIME = 0x0100_0193;
