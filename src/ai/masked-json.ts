/** Masks calls to models and their answers: all text in them, and nothing that only says how they are built. */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import type { JsonEdit } from '../base/json/edit.ts';
import {
  jsonText,
  maskText,
  maskTexts,
  type TextMask,
  type Unmaskable,
  unfitName,
} from '../model/masks/json.ts';

/** The edits that mask a call or an answer; or why it may not pass: what it holds can't be read here. */
export function maskModelJson(document: JsonDocument, masker: TextMask): JsonEdit[] | Unmaskable {
  const edits: JsonEdit[] = [];
  return maskMembers(document, document.root, 'frame', masker, edits) ?? edits;
}

/**
 * Where a value stands. `frame`: between what holds text. `content`: in messages and their parts, where whatever is not known to be
 * text is refused. What users and tools say, of any form, is masked whole.
 */
export type Place = 'frame' | 'content';

/** Like `maskModelJson`, from a node on. `except`: members of this node that are left alone. */
export function maskMembers(
  document: JsonDocument,
  node: JsonNode,
  place: Place,
  masker: TextMask,
  edits: JsonEdit[],
  except: ReadonlySet<string> = NO_NAMES,
): Unmaskable | null {
  const type = document.typeOf(node);
  if (type === 'string') maskText(document, node, masker, edits);
  if (type !== 'object' && type !== 'array') return null;
  for (let child = document.first(node); child !== undefined; child = document.next(child)) {
    const fault =
      type === 'array'
        ? maskItem(document, child, place, masker, edits)
        : maskMember(document, child, place, masker, edits, except);
    if (fault !== null) return fault;
  }
  return null;
}

function maskItem(
  document: JsonDocument,
  node: JsonNode,
  place: Place,
  masker: TextMask,
  edits: JsonEdit[],
): Unmaskable | null {
  if (place === 'content' && document.typeOf(node) === 'number') return TOKENS;
  return maskMembers(document, node, place, masker, edits);
}

function maskMember(
  document: JsonDocument,
  member: JsonNode,
  place: Place,
  masker: TextMask,
  edits: JsonEdit[],
  except: ReadonlySet<string>,
): Unmaskable | null {
  const name = document.text(member);
  const value = document.valueOf(member);
  const type = document.typeOf(value);
  if (except.has(name) || type === 'null') return null;
  if (name === 'logprobs') {
    removeLogprobs(document, value, edits);
    return null;
  }
  const unreadable = unreadableMember(document, name, value, place);
  if (unreadable !== null) return unreadable;
  if (type === 'string' && FRAME_NAMES.has(name)) {
    if (name !== 'model' || place !== 'frame') maskFrameText(document, value, masker, edits);
    return null;
  }
  if (FREE_NAMES.has(name) && !(name === 'input' && type === 'array'))
    return maskTexts(document, value, masker, edits);
  return (
    unfitName(document, member, masker) ??
    maskMembers(document, value, CONTENT_NAMES.has(name) ? 'content' : place, masker, edits)
  );
}

/** What holds no text, or text in a form that nobody here reads. */
export function unreadableMember(
  document: JsonDocument,
  name: string,
  value: JsonNode,
  place: Place,
): Unmaskable | null {
  if (MEDIA_NAMES.has(name) || (name === 'audio' && place === 'content'))
    return { why: `\`${name}\` holds what is no text` };
  if (name !== 'type' || place !== 'content' || document.typeOf(value) !== 'string') return null;
  const type = document.text(value);
  return TEXT_TYPES.has(type)
    ? null
    : { why: `a part of the type \`${shown(type)}\` is not known to be text` };
}

/** They tell the answer once more, token by token. An array stays one, for those who go through it. */
export function removeLogprobs(document: JsonDocument, value: JsonNode, edits: JsonEdit[]): void {
  const type = document.typeOf(value);
  if (type === 'null' || type === 'boolean' || type === 'number') return;
  edits.push({ span: document.span(value), replacement: type === 'array' ? NO_ITEMS : NULL });
}

/**
 * A text of the protocol: words of it pass, whatever a pattern would find in them, and so do ids of which only a part looks like what is
 * to be removed – a name with a hole names nothing, and of two calls of tools nobody could tell which one a result is for. Nothing else
 * does: whoever makes a body can write anything anywhere.
 *
 * What is an id: any opaque text that is long, and a short one that begins as the ids of these protocols do and has nothing but letters
 * and digits behind it, so no address and no number in groups. The price: a number of digits alone passes where somebody writes such a
 * beginning before it. Distinct stand-ins would have to be made from what they hide, which of a card few guesses give back, and no
 * provider would know them.
 */
export function maskFrameText(
  document: JsonDocument,
  node: JsonNode,
  masker: TextMask,
  edits: JsonEdit[],
): void {
  const text = document.text(node);
  if (PROTOCOL_WORD.test(text)) return;
  const masked = masker.mask(text);
  if (masked === text || namesWhole(text, masked)) return;
  edits.push({ span: document.span(node), replacement: jsonText(masked) });
}

/** Whether it is an id, and what is to be removed only a part of it. */
function namesWhole(text: string, masked: string): boolean {
  if (OPAQUE.test(text)) return keepsAnEnd(text, masked);
  return SHORT_ID.test(text) && masked.startsWith(text.slice(0, text.indexOf('_') + 1));
}

function keepsAnEnd(text: string, masked: string): boolean {
  return masked.startsWith(text.slice(0, ID_END)) || masked.endsWith(text.slice(-ID_END));
}

/** No number, address or key is written like that. */
const PROTOCOL_WORD = /^[a-z][a-z_./-]{0,39}$/;
/** As providers write ids, signatures and what they have encrypted. */
const OPAQUE = /^[A-Za-z0-9_+/=.:-]{24,}$/;
/** Answers, messages, conversations, calls of tools and other items of OpenAI and Anthropic, and of those who speak as they do. */
const SHORT_ID =
  /^(?:resp|msg|conv|call|fc|fco|ctc|ctco|rs|ws|fs|ci|ig|mcp|mcpl|mcpr|toolu|srvtoolu|req)_[A-Za-z0-9]+$/;
/** What ids begin with is three or more letters and a mark. */
const ID_END = 4;

/** Texts of the protocol: see {@link maskFrameText}. */
export const FRAME_NAMES: ReadonlySet<string> = new Set([
  ...[
    'model',
    'role',
    'type',
    'id',
    'object',
    'status',
    'finish_reason',
    'stop_reason',
    'native_finish_reason',
  ],
  ...['tool_call_id', 'tool_use_id', 'call_id', 'item_id', 'response_id', 'previous_response_id'],
  // named by its id alone, where it is no object
  'conversation',
  ...['signature', 'encrypted_content', 'obfuscation', 'system_fingerprint', 'service_tier'],
  ...['encoding_format', 'embedding', 'effort', 'verbosity', 'media_type', 'format'],
]);
/** Of any form: what tools are called with, and what describes it. */
const FREE_NAMES: ReadonlySet<string> = new Set([
  ...['input', 'arguments', 'parameters', 'input_schema', 'schema', 'metadata'],
]);
const CONTENT_NAMES: ReadonlySet<string> = new Set([
  ...['messages', 'content', 'input', 'output', 'system', 'prompt', 'choices', 'item', 'part', 'delta'],
  ...['content_block', 'instructions'],
]);
const MEDIA_NAMES: ReadonlySet<string> = new Set([
  ...['image_url', 'input_audio', 'file_data', 'file_id', 'file_url', 'b64_json', 'partial_image_b64'],
]);
const TEXT_TYPES: ReadonlySet<string> = new Set([
  ...['text', 'input_text', 'output_text', 'summary_text', 'reasoning_text', 'refusal', 'message', 'content'],
  ...['function', 'custom', 'function_call', 'function_call_output', 'custom_tool_call'],
  ...['custom_tool_call_output', 'reasoning', 'reasoning.text', 'reasoning.summary', 'item_reference'],
  ...['tool_use', 'tool_result', 'thinking', 'redacted_thinking', 'search_result', 'document', 'ephemeral'],
  ...[
    'search',
    'open_page',
    'find',
    'find_in_page',
    'code_interpreter_call',
    'logs',
    'local_shell_call',
    'exec',
  ],
  ...['web_search_call', 'file_search_call', 'mcp_call', 'mcp_list_tools', 'url_citation', 'file_citation'],
  ...['server_tool_use', 'web_search_tool_result', 'web_search_result', 'web_search_result_location'],
  ...['char_location', 'page_location', 'content_block_location', 'search_result_location'],
  ...['text_delta', 'input_json_delta', 'thinking_delta', 'signature_delta', 'citations_delta'],
]);

function shown(type: string): string {
  return type.length <= SHOWN_MOST ? type : `${type.slice(0, SHOWN_MOST)}…`;
}

const SHOWN_MOST = 40;
const NO_NAMES: ReadonlySet<string> = new Set();
const TOKENS: Unmaskable = { why: 'it has numbers of tokens in the place of text' };
const NULL = new TextEncoder().encode('null');
const NO_ITEMS = new TextEncoder().encode('[]');
