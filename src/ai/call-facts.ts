/** Reads what a request to a model asks for off its scanned body, once. */
import type { JsonDocument, JsonNode, JsonSpan } from '../base/json/document.ts';
import type { CallFacts, Unbounded } from '../model/model-call.ts';
import { dearerBy } from './dearer-calls.ts';
import { likeName } from './like-names.ts';
import { normalisationGrowth } from './normalisation.ts';
import type { Operation } from './operations.ts';
import { unboundedPart } from './prompt-parts.ts';

/** What is wrong with a request, for an answer of 400: `member` as the caller wrote it. */
export interface CallFault {
  readonly member: string;
  readonly why: string;
}

export function readCall(document: JsonDocument, operation: Operation): CallFacts | CallFault {
  const { root } = document;
  if (document.typeOf(root) !== 'object') return { member: '', why: 'must be an object' };
  const like = likeName(document);
  if (like !== null) return like;
  const model = document.member(root, 'model');
  if (model !== undefined && document.typeOf(model) !== 'string') return wrong('model', 'a text');
  const streams = flagIn(document, root, 'stream');
  if (streams === null) return wrong('stream', 'true or false');
  let outputCap: number | null = null;
  let capsDiffer = false;
  let capByNewName = false;
  for (const name of operation.outputCaps) {
    const cap = countIn(document, root, name, operation.outputCapLeast);
    if (cap === 'wrong') return wrong(name, `a whole number, ${operation.outputCapLeast} or more`);
    if (cap === null) continue;
    capsDiffer ||= outputCap !== null && outputCap !== cap;
    outputCap = outputCap === null ? cap : Math.min(outputCap, cap);
    capByNewName = name !== operation.outputCaps.at(-1);
  }
  const choices = operation.choices === null ? null : countIn(document, root, operation.choices);
  if (choices === 'wrong') return wrong(operation.choices!, 'a whole number, 1 or more');
  // completions are made, and paid, of which only the best is shown
  const bestOf = countIn(document, root, 'best_of');
  if (bestOf === 'wrong') return wrong('best_of', 'a whole number, 1 or more');
  const asks = asksForUsage(document, root);
  if (typeof asks !== 'boolean') return asks;
  const { images, writesCache, unbounded } = beyondBytes(document, root, operation);
  return {
    model: model === undefined ? null : document.text(model),
    streams: operation.streams && streams,
    outputCap,
    capsDiffer,
    capByNewName,
    thinkingTokens: thinkingIn(document, root, operation),
    choices:
      operation.documents === null
        ? Math.max(choices ?? 1, bestOf ?? 1) * promptsIn(document, root, operation.prompts)
        : searchesIn(document, root, operation.documents),
    asksForUsage: asks,
    promptBytes: document.bytes.length + repeatedBytes(document, operation),
    hasTools: hasItems(document, document.member(root, 'tools')),
    images,
    writesCache,
    unbounded,
    dearer: dearerBy(document),
  };
}

function hasItems(document: JsonDocument, list: JsonNode | undefined): boolean {
  return list !== undefined && document.typeOf(list) === 'array' && document.first(list) !== undefined;
}

function wrong(member: string, expected: string): CallFault {
  return { member, why: `must be ${expected}` };
}

/** Null for what is neither there, true, false nor null. */
function flagIn(document: JsonDocument, object: JsonNode, name: string): boolean | null {
  const node = document.member(object, name);
  if (node === undefined || document.typeOf(node) === 'null') return false;
  return document.typeOf(node) === 'boolean' ? document.boolean(node) : null;
}

/** Null where it is not there. */
function countIn(
  document: JsonDocument,
  object: JsonNode,
  name: string,
  least: 0 | 1 = 1,
): number | null | 'wrong' {
  const node = document.member(object, name);
  if (node === undefined || document.typeOf(node) === 'null') return null;
  if (document.typeOf(node) !== 'number') return 'wrong';
  const count = document.number(node);
  return Number.isSafeInteger(count) && count >= least ? count : 'wrong';
}

/** The wish is set where a caller has none: what it wrote in its place is not thrown away for that. */
function asksForUsage(document: JsonDocument, root: JsonNode): boolean | CallFault {
  const options = document.member(root, 'stream_options');
  if (options === undefined || document.typeOf(options) === 'null') return false;
  if (document.typeOf(options) !== 'object') return wrong('stream_options', 'an object');
  return flagIn(document, options, 'include_usage') ?? wrong('stream_options.include_usage', 'true or false');
}

/** What is no such number its provider refuses. */
function thinkingIn(document: JsonDocument, root: JsonNode, { thinking }: Operation): number | null {
  const asked = thinking === null ? undefined : document.member(root, thinking[0]);
  const tokens = asked === undefined ? 'wrong' : countIn(document, asked, thinking![1]);
  return tokens === 'wrong' ? null : tokens;
}

/** An array of texts or of arrays of tokens holds several prompts, an array of tokens is one. */
function promptsIn(document: JsonDocument, root: JsonNode, member: string | null): number {
  const prompts = member === null ? undefined : document.member(root, member);
  if (prompts === undefined || document.typeOf(prompts) !== 'array') return 1;
  for (let item = document.first(prompts); item !== undefined; item = document.next(item))
    if (document.typeOf(item) !== 'number') return document.size(prompts);
  return 1;
}

/**
 * The most that is paid for: one for a hundred documents, and a document counts once for each part of it that fits 500 tokens together
 * with the query (Cohere, "How does pricing work"). No text has more tokens than bytes.
 */
function searchesIn(document: JsonDocument, root: JsonNode, member: string): number {
  const documents = document.member(root, member);
  const query = document.member(root, 'query');
  const span = query === undefined ? null : document.span(query);
  const room = Math.max(1, RANKED_TOKENS_MAX - (span === null ? 0 : span.end - span.start));
  const count =
    documents !== undefined && document.typeOf(documents) === 'array' ? document.size(documents) : 1;
  return Math.ceil((count + document.bytes.length / room) / RANKED_PER_SEARCH);
}
const RANKED_TOKENS_MAX = 500;
const RANKED_PER_SEARCH = 100;

/** What the model reads of the body beyond its bytes: a query again with each document, and the marks that stand between both. */
function repeatedBytes(document: JsonDocument, operation: Operation): number {
  const ranked = rankedIn(document, operation);
  return ranked === null ? 0 : ranked.documents * (ranked.query.end - ranked.query.start + PAIR_MARKS);
}

/** What normalisation can add to the prompt, of what the model reads more than once each time. */
export function promptGrowth(document: JsonDocument, operation: Operation): number {
  if (document.isAscii) return 0;
  const { bytes } = document;
  const ranked = rankedIn(document, operation);
  const whole = normalisationGrowth(bytes);
  if (ranked === null) return whole;
  const { start, end } = ranked.query;
  return whole + ranked.documents * normalisationGrowth(bytes.subarray(start, end));
}

function rankedIn(
  document: JsonDocument,
  operation: Operation,
): { readonly documents: number; readonly query: JsonSpan } | null {
  if (operation.documents === null) return null;
  const query = document.member(document.root, 'query');
  const documents = document.member(document.root, operation.documents);
  if (query === undefined || documents === undefined || document.typeOf(documents) !== 'array') return null;
  return { documents: document.size(documents), query: document.span(query) };
}

/** BERT and its kin write `[CLS] query [SEP] document [SEP]`, RoBERTa's `<s> query </s></s> document </s>`. */
const PAIR_MARKS = 4;

/** What its bytes don't bound, of the whole of a prompt. */
interface Beyond {
  images: number;
  writesCache: boolean;
  unbounded: Unbounded | null;
}

function beyondBytes(document: JsonDocument, root: JsonNode, { files, documents }: Operation): Beyond {
  const found: Beyond = {
    images: 0,
    writesCache: false,
    unbounded: files === 'sound' ? 'sound_inside' : null,
  };
  const earlier = document.member(root, 'previous_response_id') ?? document.member(root, 'conversation');
  if (earlier !== undefined && document.typeOf(earlier) !== 'null') found.unbounded = 'earlier_answer';
  const tools = document.member(root, 'tools');
  if (tools !== undefined) found.unbounded ??= unboundedTool(document, tools);
  for (const name of SERVER_TOOLS) if (asksFor(document, root, name)) found.unbounded ??= 'server_tools';
  // what is ranked stands there, too
  if (isSaid(document, root, 'chat_template') || (documents === null && isSaid(document, root, 'documents')))
    found.unbounded ??= 'template';
  const prompt = document.member(root, 'prompt');
  if (prompt !== undefined && document.typeOf(prompt) === 'object') found.unbounded ??= 'stored_prompt';
  lookInto(document, root, found);
  found.unbounded ??= unboundedPart(document);
  return found;
}

function isSaid(document: JsonDocument, object: JsonNode, name: string): boolean {
  const member = document.member(object, name);
  return member !== undefined && document.typeOf(member) !== 'null';
}

/** Members beside `tools` by which a provider runs something. */
const SERVER_TOOLS = [
  'web_search_options',
  'mcp_servers',
  'container',
  'search_parameters',
  'plugins',
] as const;

/** An empty list asks for nothing, nor does a search that is off (xAI, "Live Search"). */
function asksFor(document: JsonDocument, root: JsonNode, name: string): boolean {
  const member = document.member(root, name);
  if (member === undefined || document.typeOf(member) === 'null') return false;
  if (document.typeOf(member) === 'array') return document.size(member) > 0;
  return name !== 'search_parameters' || textMember(document, member, 'mode') !== 'off';
}

/**
 * The caller's own tools have a schema; those that the provider runs are named by their type alone, as are some that it describes and the
 * caller runs.
 */
function unboundedTool(document: JsonDocument, tools: JsonNode): Unbounded | null {
  // in place of a list it is nothing that a dialect knows, and may be what some provider runs
  if (document.typeOf(tools) === 'object') return 'server_tools';
  if (document.typeOf(tools) !== 'array') return null;
  let isDescribed = false;
  for (let tool = document.first(tools); tool !== undefined; tool = document.next(tool)) {
    const type = textMember(document, tool, 'type');
    if (type !== null && !OWN_TOOLS.has(type)) {
      if (!DESCRIBED_TOOLS.test(type)) return 'server_tools';
      isDescribed = true;
    } else if (type === null && document.typeOf(tool) === 'object' && document.size(tool) > 0)
      if (!isSaid(document, tool, 'name') && !isSaid(document, tool, 'function')) return 'server_tools';
  }
  return isDescribed ? 'described_tools' : null;
}
/** Anthropic's, with the date of their version; "Bash tool", "Pricing", tells other numbers of tokens for newer models. */
const DESCRIBED_TOOLS = /^(?:bash|text_editor|memory|computer)_\d{8}$/;
const OWN_TOOLS: ReadonlySet<string> = new Set(['function', 'custom']);

/** Depth is bounded by the scanner. */
function lookInto(document: JsonDocument, node: JsonNode, found: Beyond): void {
  const type = document.typeOf(node);
  if (type !== 'object' && type !== 'array') return;
  for (let child = document.first(node); child !== undefined; child = document.next(child)) {
    const value = type === 'object' ? document.valueOf(child) : child;
    if (type === 'object') {
      if (isOfTheCaller(document, node, child)) continue;
      noteMember(document, child, value, found);
    }
    lookInto(document, value, found);
  }
}

/** What a tool was called with, and what the caller notes of the call, is text to the model, or nothing. */
function isOfTheCaller(document: JsonDocument, object: JsonNode, name: JsonNode): boolean {
  if (object === document.root) return document.isText(name, 'metadata');
  if (!document.isText(name, 'input')) return false;
  const type = document.member(object, 'type');
  return type !== undefined && document.typeOf(type) === 'string' && document.isText(type, 'tool_use');
}

/** Names are compared as they are written: to decode each of them was most of reading a call. */
function noteMember(document: JsonDocument, name: JsonNode, value: JsonNode, found: Beyond): void {
  if (document.isText(name, 'cache_control')) found.writesCache = true;
  else if (document.isText(name, 'type')) {
    if (document.typeOf(value) === 'string' && document.isText(value, 'item_reference'))
      found.unbounded ??= 'earlier_answer';
  } else if (document.isText(name, 'source')) noteSource(document, value, found);
  else if (document.isText(name, 'input_audio') && document.typeOf(value) === 'object')
    found.unbounded ??= 'sound_inside';
  else noteReference(document, name, value, found);
}

function noteReference(document: JsonDocument, name: JsonNode, value: JsonNode, found: Beyond): void {
  for (const { member, unbounded } of REFERENCES) {
    if (!document.isText(name, member)) continue;
    const url = document.typeOf(value) === 'object' ? document.member(value, 'url') : value;
    if (url === undefined || document.typeOf(url) !== 'string') return;
    if (member === 'image_url' && isImageInside(document, url)) found.images++;
    else found.unbounded ??= unbounded;
    return;
  }
}

/** Some take files and films by such an address, too. Megabytes of an image are not decoded for that. */
function isImageInside(document: JsonDocument, url: JsonNode): boolean {
  const first = document.span(url).start + 1;
  for (let at = 0; at < IMAGE_INSIDE.length; at++)
    if (document.bytes[first + at] !== IMAGE_INSIDE.charCodeAt(at))
      return document.text(url).slice(0, IMAGE_INSIDE.length).toLowerCase() === IMAGE_INSIDE;
  return true;
}
const IMAGE_INSIDE = 'data:image/';

const REFERENCES: readonly { readonly member: string; readonly unbounded: Unbounded }[] = [
  { member: 'image_url', unbounded: 'image_by_url' },
  { member: 'file_id', unbounded: 'file_by_reference' },
  { member: 'file_url', unbounded: 'file_by_reference' },
  { member: 'video_url', unbounded: 'file_by_reference' },
  { member: 'audio_url', unbounded: 'file_by_reference' },
  { member: 'document_url', unbounded: 'file_by_reference' },
  { member: 'file_data', unbounded: 'file_inside' },
  { member: 'cached_content', unbounded: 'stored_prompt' },
];

/** Anthropic's images and documents: `{"type":"url"}` or `{"type":"file"}`; `base64` and `text` are in the prompt. */
function noteSource(document: JsonDocument, value: JsonNode, found: Beyond): void {
  const type = textMember(document, value, 'type');
  if (type === 'url' || type === 'file') found.unbounded ??= 'image_by_url';
  else if (type === 'base64') {
    // one that is not said is that of an image
    const media = textMember(document, value, 'media_type') ?? IMAGE_MEDIA;
    if (media.trimStart().toLowerCase().startsWith(IMAGE_MEDIA)) found.images++;
    else found.unbounded ??= 'file_inside';
  }
}

const IMAGE_MEDIA = 'image/';

function textMember(document: JsonDocument, object: JsonNode, name: string): string | null {
  const node = document.typeOf(object) === 'object' ? document.member(object, name) : undefined;
  return node !== undefined && document.typeOf(node) === 'string' ? document.text(node) : null;
}
