/**
 * Whether all parts of a prompt are of types whose tokens their bytes bound. Providers take more types than any dialect has, and a part
 * may be a picture or a film by its address: one that is not known has no bound.
 */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import type { Unbounded } from '../model/model-call.ts';

/** Null: they are. */
export function unboundedPart(document: JsonDocument): Unbounded | null {
  const { root } = document;
  return (
    inEach(document, document.member(root, 'messages'), inMessage) ??
    inEach(document, document.member(root, 'input'), inItem) ??
    inEach(document, document.member(root, 'system'), inPart)
  );
}

type Reader = (document: JsonDocument, object: JsonNode) => Unbounded | null;

/** Texts and tokens are bounded, as whatever else is no object. An object in place of a list is nothing that a dialect knows. */
function inEach(document: JsonDocument, list: JsonNode | undefined, read: Reader): Unbounded | null {
  if (list === undefined) return null;
  const type = document.typeOf(list);
  if (type === 'object') return 'unknown_part';
  if (type !== 'array') return null;
  for (let item = document.first(list); item !== undefined; item = document.next(item)) {
    const found = document.typeOf(item) === 'object' ? read(document, item) : null;
    if (found !== null) return found;
  }
  return null;
}

function inMessage(document: JsonDocument, message: JsonNode): Unbounded | null {
  const audio = document.member(message, 'audio');
  if (audio !== undefined && document.typeOf(audio) === 'object') return 'earlier_answer';
  return inEach(document, document.member(message, 'content'), inPart);
}

/** Of `responses`: a message, what was called and answered, or what the provider keeps, by its id. */
function inItem(document: JsonDocument, item: JsonNode): Unbounded | null {
  const type = typeIn(document, item);
  if (type === null)
    return isSaid(document, item, 'role') ? inMessage(document, item) : keptOr(document, item);
  if (document.isText(type, 'message'))
    return isSaid(document, item, 'content') ? inMessage(document, item) : keptOr(document, item);
  if (document.isText(type, 'reasoning'))
    return isSaid(document, item, 'id') && !holdsReasoning(document, item) ? 'earlier_answer' : null;
  // the output of a shell is texts, and whether it ended
  if (isOneOf(document, type, CALLS)) return null;
  if (isOneOf(document, type, OUTPUTS)) return inEach(document, document.member(item, 'output'), inPart);
  return inPart(document, item);
}
const CALLS = [
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
];
const OUTPUTS = [
  'function_call_output',
  'custom_tool_call_output',
  'local_shell_call_output',
  'apply_patch_call_output',
];

/** What it has written out; of what is kept nothing is read where `store` is false. */
function holdsReasoning(document: JsonDocument, item: JsonNode): boolean {
  if (isSaid(document, item, 'encrypted_content')) return true;
  const store = document.member(document.root, 'store');
  if (store === undefined || document.typeOf(store) !== 'boolean' || document.boolean(store)) return false;
  return isFilled(document, item, 'content') || isFilled(document, item, 'summary');
}

function isFilled(document: JsonDocument, object: JsonNode, name: string): boolean {
  const list = document.member(object, name);
  return list !== undefined && document.typeOf(list) === 'array' && document.size(list) > 0;
}

/** SDKs may leave out the type of a reference to an item, or write null. What is embedded may be an object with a text. */
function keptOr(document: JsonDocument, item: JsonNode): Unbounded | null {
  if (document.size(item) === 1 && isSaid(document, item, 'text')) return null;
  return isSaid(document, item, 'id') ? 'earlier_answer' : 'unknown_part';
}

function inPart(document: JsonDocument, part: JsonNode): Unbounded | null {
  const type = typeIn(document, part);
  if (type === null) return 'unknown_part';
  if (isOneOf(document, type, TEXTS)) return null;
  if (isOneOf(document, type, HOLDERS)) return inEach(document, document.member(part, 'content'), inPart);
  if (isOneOf(document, type, IMAGES)) return hasAddress(document, part) ? null : 'unknown_part';
  if (isOneOf(document, type, SOURCED)) return inSource(document, part);
  return 'unknown_part';
}
const TEXTS = [
  ...['text', 'input_text', 'output_text', 'tool_use', 'thinking', 'redacted_thinking', 'refusal'],
  // a tool that a search among the caller's own has found, by its name
  ...['summary_text', 'reasoning_text', 'tool_reference'],
];
const HOLDERS = ['tool_result', 'search_result'];
const IMAGES = ['image_url', 'input_image'];
const SOURCED = ['image', 'document'];

/** What it is of is told where addresses are looked for. */
function hasAddress(document: JsonDocument, part: JsonNode): boolean {
  const image = document.member(part, 'image_url');
  const address =
    image !== undefined && document.typeOf(image) === 'object' ? document.member(image, 'url') : image;
  return (
    (address !== undefined && document.typeOf(address) === 'string') || isSaid(document, part, 'file_id')
  );
}

function inSource(document: JsonDocument, part: JsonNode): Unbounded | null {
  const source = document.member(part, 'source');
  const type = source === undefined ? null : typeIn(document, source);
  if (type === null || !isOneOf(document, type, SOURCES)) return 'unknown_part';
  return inEach(document, document.member(source!, 'content'), inPart);
}
const SOURCES = ['base64', 'text', 'content', 'url', 'file'];

/** Null where it is no text. */
function typeIn(document: JsonDocument, object: JsonNode): JsonNode | null {
  const type = document.member(object, 'type');
  return type !== undefined && document.typeOf(type) === 'string' ? type : null;
}

function isSaid(document: JsonDocument, object: JsonNode, name: string): boolean {
  const member = document.member(object, name);
  return member !== undefined && document.typeOf(member) !== 'null';
}

function isOneOf(document: JsonDocument, value: JsonNode, texts: readonly string[]): boolean {
  for (const text of texts) if (document.isText(value, text)) return true;
  return false;
}
