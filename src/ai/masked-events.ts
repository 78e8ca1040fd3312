/**
 * Masks an answer that streams, event by event. Text that may yet become something to be removed is held back: for each text of its
 * own – a choice, a block, the arguments of a tool – apart. What is held when a text ends leaves in an event made for it.
 */
import type { JsonDocument, JsonNode } from '../base/json/document.ts';
import { editJson, type JsonEdit } from '../base/json/edit.ts';
import { scanJson } from '../base/json/scan.ts';
import { jsonText, type TextMask, type Unmaskable } from '../model/masks/json.ts';
import type { MaskedText } from '../model/masks/masker.ts';
import type { OperationName } from '../model/pools.ts';
import { EventStream, eventData } from './event-stream.ts';
import { FRAME_NAMES, maskFrameText, maskMembers, removeLogprobs, unreadableMember } from './masked-json.ts';

export interface StreamMask extends TextMask {
  stream(): MaskedText;
}

export interface MaskedEventsBounds {
  readonly eventBytesMax: number;
  readonly depthMax: number;
  readonly valuesMax: number;
}

/** A text that comes in pieces. */
interface Text {
  /** What it ends with. */
  readonly group: string;
  readonly masked: MaskedText;
  /** The event that carries the rest of it. */
  readonly event: (rest: string) => string;
  /** What is kept to make it. */
  readonly eventBytes: number;
}

interface Piece {
  readonly key: string;
  readonly group: string;
  readonly node: JsonNode;
  readonly event: (rest: string) => string;
  readonly eventBytes: number;
}

/** What one event brings: pieces of texts, edits of all else, and which texts end with it. */
interface Reading {
  readonly pieces: Piece[];
  readonly edits: JsonEdit[];
  /** Groups that have ended, this event's own pieces included; `all`: every one. */
  readonly ended: Set<string> | 'all';
}

export class MaskedEvents {
  readonly #masker: StreamMask;
  readonly #bounds: MaskedEventsBounds;
  readonly #read: ReadEvent;
  readonly #events: EventStream;
  readonly #texts = new Map<string, Text>();
  /** The last event with choices that was passed on, as JSON: the frame of those made here. */
  #frame = '{}';

  constructor(operation: OperationName, masker: StreamMask, bounds: MaskedEventsBounds) {
    this.#masker = masker;
    this.#bounds = bounds;
    this.#events = new EventStream(bounds.eventBytesMax);
    this.#read =
      operation === 'anthropic/messages'
        ? readBlocks
        : operation === 'openai/responses'
          ? readItems
          : readChoices;
  }

  get heldBytes(): number {
    let held = this.#events.heldBytes;
    for (const { masked, eventBytes } of this.#texts.values())
      held += masked.heldUnits * BYTES_PER_UNIT + eventBytes;
    return held;
  }

  push(chunk: Uint8Array, last: boolean): Uint8Array | Unmaskable {
    const events = this.#events.push(chunk);
    if (this.#events.isTooLong) return { why: 'an event of it is too long' };
    const passed: Uint8Array[] = [];
    for (const event of last ? [...events, this.#events.end()] : events) {
      const fault = this.#pass(event, passed);
      if (fault !== null) return fault;
    }
    if (last) this.#end('all', passed);
    return passed.length === 1 ? passed[0]! : Buffer.concat(passed);
  }

  #pass(received: Uint8Array, passed: Uint8Array[]): Unmaskable | null {
    if (received.length === 0) return null;
    // before the first event it may stand, and whoever reads skips it (WHATWG HTML, 9.2.5)
    const event = BOM.every((byte, at) => received[at] === byte) ? received.subarray(BOM.length) : received;
    const data = eventData(event);
    if (data === null || data === DONE) {
      if (data === DONE) this.#end('all', passed);
      const text = UTF_8.decode(event);
      const masked = this.#masker.mask(text);
      passed.push(masked === text ? event : ENCODER.encode(masked));
      return null;
    }
    const bytes = ENCODER.encode(data);
    const { depthMax, valuesMax } = this.#bounds;
    const scanned = scanJson(bytes, {
      depthMax,
      nodesMax: valuesMax,
      membersMax: valuesMax,
      bytesMax: bytes.length,
      stringBytesMax: bytes.length,
      numberBytesMax: bytes.length,
    });
    if (!scanned.ok) return { why: 'an event of it is no JSON' };
    const document = scanned.value;
    const reading = this.#read(document, this.#masker, () => this.#frame);
    if ('why' in reading) return reading;
    this.#pieces(document, reading);
    if (this.#texts.size > valuesMax) return { why: 'it has too many texts at once' };
    // texts that end with this event, and of which it brings nothing more
    this.#end(reading.ended, passed);
    const changed = reading.edits.length === 0 ? data : UTF_8.decode(editJson(bytes, reading.edits));
    if (document.member(document.root, 'choices') !== undefined) this.#frame = changed;
    passed.push(this.#withData(event, changed === data ? null : changed));
    return null;
  }

  /** The event with other data in the place of its own, which may have stood on several lines; null: with the same. */
  #withData(event: Uint8Array, data: string | null): Uint8Array {
    const text = UTF_8.decode(event);
    if (data === null && !OTHER_LINES.test(text)) return event;
    const lines = text.split(/\r\n|\n|\r/);
    const first = lines.findIndex(isData);
    const changed = data?.split('\n').map((line) => `data: ${line}`);
    const written = lines.flatMap((line, at) => {
      if (!isData(line)) return [this.#masker.mask(line)];
      return changed === undefined ? [line] : at === first ? changed : [];
    });
    return ENCODER.encode(written.join('\n'));
  }

  #pieces(document: JsonDocument, { pieces, edits, ended }: Reading): void {
    for (const { key, group, node, event, eventBytes } of pieces) {
      const piece = document.text(node);
      const known = this.#texts.get(key);
      const masked = known?.masked ?? this.#masker.stream();
      const ends = ended === 'all' || ended.has(group);
      const passed = masked.push(piece, ends);
      if (ends) this.#texts.delete(key);
      else if (known === undefined || known.event !== event)
        this.#texts.set(key, { group, masked, event, eventBytes });
      if (passed !== piece) edits.push({ span: document.span(node), replacement: jsonText(passed) });
    }
  }

  #end(ended: Reading['ended'], passed: Uint8Array[]): void {
    for (const [key, { group, masked, event }] of this.#texts) {
      if (ended !== 'all' && !ended.has(group)) continue;
      this.#texts.delete(key);
      const rest = masked.push('', true);
      if (rest !== '') passed.push(ENCODER.encode(event(rest)));
    }
  }
}

type ReadEvent = (document: JsonDocument, masker: TextMask, frame: () => string) => Reading | Unmaskable;

/** Chat completions and completions: texts are in `choices`, each with its own end. */
const readChoices: ReadEvent = (document, masker, frame) => {
  const reading = { pieces: [] as Piece[], edits: [] as JsonEdit[], ended: new Set<string>() };
  const { root } = document;
  const fault = maskMembers(document, root, 'frame', masker, reading.edits, CHOICES);
  if (fault !== null) return fault;
  const error = document.member(root, 'error');
  // nothing follows
  const isLast = error !== undefined && document.typeOf(error) !== 'null';
  const read = isLast ? { ...reading, ended: 'all' as const } : reading;
  const choices = document.member(root, 'choices');
  if (choices === undefined || document.typeOf(choices) === 'null') return read;
  if (document.typeOf(choices) !== 'array') return { why: '`choices` of an event is no list' };
  let at = 0;
  for (let choice = document.first(choices); choice !== undefined; choice = document.next(choice), at++) {
    if (document.typeOf(choice) !== 'object') return { why: 'a choice of an event is no object' };
    const index = numberIn(document, choice, 'index') ?? at;
    const group = String(index);
    // some providers write '' in every event
    if (textIn(document, choice, 'finish_reason') !== '') reading.ended.add(group);
    const unfit = readChoice(document, choice, masker, reading, (path, node) => ({
      key: `${group} ${path.join(' ')}`,
      group,
      node,
      event: (rest) => choiceEvent(frame(), index, path, rest),
      eventBytes: 0,
    }));
    if (unfit !== null) return unfit;
  }
  return read;
};
const CHOICES: ReadonlySet<string> = new Set(['choices']);

/** Names, and numbers of items in arrays. */
type Path = readonly (string | number)[];
type PieceAt = (path: Path, node: JsonNode) => Piece;

function readChoice(
  document: JsonDocument,
  choice: JsonNode,
  masker: TextMask,
  { pieces, edits }: Reading,
  pieceAt: PieceAt,
): Unmaskable | null {
  for (let member = document.first(choice); member !== undefined; member = document.next(member)) {
    const name = document.text(member);
    const value = document.valueOf(member);
    const type = document.typeOf(value);
    if (name === 'logprobs') removeLogprobs(document, value, edits);
    else if (name === 'delta' || (name === 'text' && type === 'string')) {
      const fault = readDelta(document, value, [name], masker, { pieces, edits }, pieceAt);
      if (fault !== null) return fault;
    } else if (FRAME_NAMES.has(name) && type === 'string') {
      maskFrameText(document, value, masker, edits);
    } else {
      const fault = maskMembers(document, value, 'frame', masker, edits);
      if (fault !== null) return fault;
    }
  }
  return null;
}

/** Every text of a delta is a piece of one, whatever its name: providers add names. But for what comes in one. */
function readDelta(
  document: JsonDocument,
  node: JsonNode,
  path: Path,
  masker: TextMask,
  into: Pick<Reading, 'pieces' | 'edits'>,
  pieceAt: PieceAt,
): Unmaskable | null {
  const type = document.typeOf(node);
  if (type === 'string') into.pieces.push(pieceAt(path, node));
  if (type !== 'object' && type !== 'array') return null;
  let at = 0;
  for (let child = document.first(node); child !== undefined; child = document.next(child), at++) {
    const name = type === 'object' ? document.text(child) : (numberIn(document, child, 'index') ?? at);
    const value = type === 'object' ? document.valueOf(child) : child;
    if (typeof name === 'string') {
      if (document.typeOf(value) === 'null') continue;
      const unreadable = unreadableMember(document, name, value, 'content');
      if (unreadable !== null) return unreadable;
      if (FRAME_NAMES.has(name) && document.typeOf(value) === 'string') {
        maskFrameText(document, value, masker, into.edits);
        continue;
      }
      if (WHOLE_NAMES.has(name)) {
        const fault = maskMembers(document, value, 'content', masker, into.edits);
        if (fault !== null) return fault;
        continue;
      }
    }
    const fault = readDelta(document, value, [...path, name], masker, into, pieceAt);
    if (fault !== null) return fault;
  }
  return null;
}

/** Names of tools, and what answers refer to. */
const WHOLE_NAMES: ReadonlySet<string> = new Set(['name', 'annotations', 'citations']);

function choiceEvent(frame: string, index: number, path: Path, rest: string): string {
  const { choices: _choices, usage: _usage, ...others } = JSON.parse(frame) as Record<string, unknown>;
  const choice = { index, ...(nested(path, rest) as object), finish_reason: null };
  return `data: ${JSON.stringify({ ...others, choices: [choice] })}\n\n`;
}

function nested([step, ...others]: Path, text: string): unknown {
  if (step === undefined) return text;
  const inside = nested(others, text);
  if (typeof step === 'string') return { [step]: inside };
  return typeof inside === 'string' ? [inside] : [{ index: step, ...(inside as object) }];
}

/** Anthropic's messages: texts are blocks, which end with an event of their own. */
const readBlocks: ReadEvent = (document, masker) => {
  const reading = { pieces: [] as Piece[], edits: [] as JsonEdit[], ended: new Set<string>() };
  const { root } = document;
  const type = textIn(document, root, 'type');
  const index = numberIn(document, root, 'index') ?? 0;
  const held =
    type === 'content_block_delta' ? 'delta' : type === 'content_block_start' ? 'content_block' : '';
  const fault = maskMembers(document, root, 'frame', masker, reading.edits, new Set([held]));
  if (fault !== null) return fault;
  const block = held === '' ? undefined : document.member(root, held);
  if (block !== undefined && document.typeOf(block) === 'object') {
    const texts = new Set<string>();
    for (const [name, deltaType] of BLOCK_TEXTS) {
      const node = document.member(block, name);
      if (node === undefined || document.typeOf(node) !== 'string') continue;
      texts.add(name);
      const event = (rest: string) => blockEvent(index, { type: deltaType, [name]: rest });
      reading.pieces.push({ key: `${index} ${name}`, group: String(index), node, event, eventBytes: 0 });
    }
    const unfit = maskMembers(document, block, 'content', masker, reading.edits, texts);
    if (unfit !== null) return unfit;
  }
  if (type === 'content_block_stop') reading.ended.add(String(index));
  return BLOCKS_END.has(type) ? { ...reading, ended: 'all' } : reading;
};

function blockEvent(index: number, delta: object): string {
  const data = JSON.stringify({ type: 'content_block_delta', index, delta });
  return `event: content_block_delta\ndata: ${data}\n\n`;
}

const BLOCK_TEXTS = [
  ['text', 'text_delta'],
  ['partial_json', 'input_json_delta'],
  ['thinking', 'thinking_delta'],
] as const;
const BLOCKS_END: ReadonlySet<string> = new Set(['message_delta', 'message_stop', 'error']);

/** Responses: `X.delta` brings a piece, `X.done` ends the text; it and the events after it bring the text once more, whole. */
const readItems: ReadEvent = (document, masker, _frame) => {
  const reading = { pieces: [] as Piece[], edits: [] as JsonEdit[], ended: new Set<string>() };
  const { root } = document;
  const type = textIn(document, root, 'type');
  if (type.endsWith('audio.delta')) return { why: 'it has sound' };
  const delta = document.member(root, 'delta');
  const isPiece = type.endsWith(DELTA) && delta !== undefined && document.typeOf(delta) === 'string';
  const fault = maskMembers(document, root, 'frame', masker, reading.edits, isPiece ? ITEM_DELTA : NO_NAMES);
  if (fault !== null) return fault;
  const at = ITEM_PLACES.map((name) => numberIn(document, root, name) ?? '');
  // some write another id in each event
  const place = at[0] === '' ? [textIn(document, root, 'item_id'), ...at] : at;
  if (isPiece) {
    const group = [type.slice(0, -DELTA.length), ...place].join(' ');
    const others = [...reading.edits];
    const event = (rest: string) => itemEvent(type, editJson(document.bytes, others), rest);
    reading.pieces.push({ key: group, group, node: delta, event, eventBytes: document.bytes.length });
  } else if (type.endsWith(DONE_OF_ITEM))
    reading.ended.add([type.slice(0, -DONE_OF_ITEM.length), ...place].join(' '));
  return ITEMS_END.has(type) ? { ...reading, ended: 'all' } : reading;
};

/** As the last piece passed, but for the text. */
function itemEvent(type: string, passed: Uint8Array, rest: string): string {
  const last = JSON.parse(UTF_8.decode(passed)) as Record<string, unknown>;
  const { logprobs: _logprobs, obfuscation: _obfuscation, ...others } = last;
  const data = JSON.stringify({ ...others, delta: rest, ...('logprobs' in last ? { logprobs: [] } : {}) });
  return `event: ${type}\ndata: ${data}\n\n`;
}

const DELTA = '.delta';
const DONE_OF_ITEM = '.done';
const ITEM_DELTA: ReadonlySet<string> = new Set(['delta']);
const NO_NAMES: ReadonlySet<string> = new Set();
const ITEM_PLACES = ['output_index', 'content_index', 'summary_index'] as const;
const ITEMS_END: ReadonlySet<string> = new Set([
  ...['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled', 'error'],
]);

function numberIn(document: JsonDocument, node: JsonNode, name: string): number | undefined {
  const found = document.member(node, name);
  return found !== undefined && document.typeOf(found) === 'number' ? document.number(found) : undefined;
}

function textIn(document: JsonDocument, node: JsonNode, name: string): string {
  const found = document.member(node, name);
  return found !== undefined && document.typeOf(found) === 'string' ? document.text(found) : '';
}

function isData(line: string): boolean {
  return line === 'data' || line.startsWith('data:');
}

/** Comments, and fields but `data` and `event`: what an answer says may stand there, too. */
const OTHER_LINES = /^(?!data|event:|$)/m;
const BOM = [0xef, 0xbb, 0xbf];
const DONE = '[DONE]';
const ENCODER = new TextEncoder();
const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** In UTF-8. */
const BYTES_PER_UNIT = 3;
