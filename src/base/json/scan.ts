/**
 * The strict JSON scanner of bodies that policies read. Bytes are passed on as they came, so a text that gateway and
 * upstream might read differently must not pass at all (RFC 8259, and I-JSON, RFC 7493).
 */

import { assert } from '../assert.ts';
import { err, ok, type Result } from '../result.ts';
import { JsonDocument } from './document.ts';
import { DuplicateNames, NO_DUPLICATE } from './duplicate-names.ts';
import { JSON_FAULTS, type JsonFault } from './faults.ts';
import { takeNumber } from './numbers.ts';
import { type JsonBounds, NO_BYTE, ReadingHead } from './reading-head.ts';
import { takeString } from './strings.ts';
import { KIND, type Kind, NO_PARENT, Tape } from './tape.ts';

/**
 * Reads one JSON text. Of several faults the one the scanner meets first is told: that is the order of the text, but for
 * duplicate names, which are looked for where their object closes.
 *
 * Unicode noncharacters (U+FFFE and the like) do pass, though RFC 7493 section 2.1 bars them: all readers read them alike,
 * and Unicode's Corrigendum 9 allows their interchange.
 *
 * The document reads `bytes` in place: they must not change, nor be detached, while it is used.
 */
export function scanJson(bytes: Uint8Array, bounds: JsonBounds): Result<JsonDocument, JsonFault> {
  assert(bounds.bytesMax <= 0x7fff_ffff, 'offsets into a JSON text are kept in 32 bits');
  const head = new ReadingHead(bytes, bounds);
  const scan = new Scan(head);
  if (scan.run()) {
    scan.tape.keep();
    return ok(new JsonDocument(bytes, scan.tape, head.isAscii));
  }
  scan.tape.drop();
  const code = head.fault;
  assert(code !== undefined, 'a scan that stops says why');
  return err({ code, offset: head.faultAt, why: JSON_FAULTS[code].why });
}

/** What may come next. The stack is the chain of parents on the tape, so that depth costs no calls. */
const STEP = { value: 0, firstItem: 1, firstName: 2, name: 3, after: 4, end: 5, refused: 6 } as const;
type Step = (typeof STEP)[keyof typeof STEP];

class Scan {
  readonly tape = new Tape();
  readonly #head: ReadingHead;
  readonly #duplicates: DuplicateNames;
  /** The object, array or name that the next node belongs to. */
  #parent = NO_PARENT;
  #depth = 0;

  constructor(head: ReadingHead) {
    this.#head = head;
    this.#duplicates = new DuplicateNames(head.bytes, this.tape);
  }

  run(): boolean {
    let step: Step = this.#begins() ? STEP.value : STEP.refused;
    while (step < STEP.end) {
      this.#head.skipWhiteSpace();
      step = this.#take(step);
    }
    return step === STEP.end;
  }

  #begins(): boolean {
    const head = this.#head;
    const { bytes } = head;
    if (bytes.length > head.bounds.bytesMax) return head.refuse('too_many_bytes', head.bounds.bytesMax);
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return head.refuse('byte_order_mark', 0);
    head.skipWhiteSpace();
    return head.peek() !== NO_BYTE || head.refuse('empty', head.at);
  }

  #take(step: Step): Step {
    const byte = this.#head.peek();
    switch (step) {
      case STEP.firstItem:
        return byte === CLOSE_ARRAY ? this.#close() : this.#value(byte);
      case STEP.firstName:
        return byte === CLOSE_OBJECT ? this.#close() : this.#name(byte);
      case STEP.name:
        return this.#name(byte);
      case STEP.after:
        return this.#after(byte);
      default:
        return this.#value(byte);
    }
  }

  #value(byte: number): Step {
    const head = this.#head;
    const start = head.at;
    if (byte === QUOTE) return this.#string();
    if (byte === OPEN_OBJECT) return this.#open(KIND.object, STEP.firstName);
    if (byte === OPEN_ARRAY) return this.#open(KIND.array, STEP.firstItem);
    if (byte === MINUS || (byte >= DIGIT_0 && byte <= DIGIT_9)) {
      return takeNumber(head) ? this.#leaf(KIND.number, start) : STEP.refused;
    }
    if (isLetter(byte)) return this.#literal();
    head.refuse(byte === NO_BYTE ? 'cut_short' : 'value_expected', start);
    return STEP.refused;
  }

  #string(): Step {
    const start = this.#head.at;
    const form = takeString(this.#head);
    if (form === 'refused') return STEP.refused;
    const step = this.#leaf(KIND.string, start);
    if (form === 'escaped' && step !== STEP.refused) this.tape.markEscaped(this.tape.length - 1);
    return step;
  }

  /** A whole word at a time, so that `nullx` and `NaN` are told as words rather than as something trailing. */
  #literal(): Step {
    const head = this.#head;
    const start = head.at;
    let at = start;
    while (at < head.bytes.length && isLetter(head.bytes[at]!)) at++;
    head.at = at;
    for (const literal of LITERALS) {
      if (isWord(head.bytes, start, at, literal.word)) return this.#leaf(literal.kind, start);
    }
    head.refuse('unknown_literal', start);
    return STEP.refused;
  }

  #leaf(kind: Kind, start: number): Step {
    if (this.#append(kind, start) === NO_NODE) return STEP.refused;
    return this.#complete();
  }

  #open(kind: Kind, inside: Step): Step {
    const head = this.#head;
    if (this.#depth === head.bounds.depthMax) {
      head.refuse('too_deep', head.at);
      return STEP.refused;
    }
    const node = this.#append(kind, head.at);
    if (node === NO_NODE) return STEP.refused;
    head.at++;
    this.#depth++;
    this.#parent = node;
    return inside;
  }

  #close(): Step {
    const { tape } = this;
    const head = this.#head;
    const node = this.#parent;
    head.at++;
    tape.setEnd(node, head.at);
    tape.close(node);
    if (tape.kind(node) === KIND.object) {
      const duplicate = this.#duplicates.first(node);
      if (duplicate !== NO_DUPLICATE) {
        head.refuse('duplicate_name', tape.start(duplicate));
        return STEP.refused;
      }
    }
    this.#depth--;
    this.#parent = tape.parent(node);
    return this.#complete();
  }

  /** A value is whole: with it the name it belongs to, if it has one. */
  #complete(): Step {
    const { tape } = this;
    const owner = this.#parent;
    if (owner !== NO_PARENT && tape.kind(owner) === KIND.name) {
      tape.close(owner);
      this.#parent = tape.parent(owner);
    }
    return STEP.after;
  }

  #name(byte: number): Step {
    const head = this.#head;
    const start = head.at;
    if (byte !== QUOTE) {
      head.refuse(byte === NO_BYTE ? 'cut_short' : 'name_expected', start);
      return STEP.refused;
    }
    if (this.tape.detail(this.#parent) === head.bounds.membersMax) {
      head.refuse('too_many_members', start);
      return STEP.refused;
    }
    const form = takeString(head);
    if (form === 'refused') return STEP.refused;
    const node = this.#append(KIND.name, start);
    if (node === NO_NODE) return STEP.refused;
    if (form === 'escaped') this.tape.markEscaped(node);
    this.#duplicates.hash(node);
    this.#parent = node;
    return this.#colon();
  }

  #colon(): Step {
    const head = this.#head;
    head.skipWhiteSpace();
    const byte = head.peek();
    if (byte !== COLON) {
      head.refuse(byte === NO_BYTE ? 'cut_short' : 'colon_expected', head.at);
      return STEP.refused;
    }
    head.at++;
    return STEP.value;
  }

  #after(byte: number): Step {
    const head = this.#head;
    if (this.#parent === NO_PARENT) {
      if (byte === NO_BYTE) return STEP.end;
      head.refuse('trailing_data', head.at);
      return STEP.refused;
    }
    const inObject = this.tape.kind(this.#parent) === KIND.object;
    if (byte === (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return this.#close();
    if (byte === COMMA) {
      head.at++;
      return inObject ? STEP.name : STEP.value;
    }
    if (byte === NO_BYTE) head.refuse('cut_short', head.at);
    else head.refuse(inObject ? 'member_separator' : 'item_separator', head.at);
    return STEP.refused;
  }

  #append(kind: Kind, start: number): number {
    const { tape } = this;
    const head = this.#head;
    if (tape.length === head.bounds.nodesMax) {
      head.refuse('too_many_nodes', start);
      return NO_NODE;
    }
    const parent = this.#parent;
    const node = tape.append(kind, start, head.at, parent);
    if (parent !== NO_PARENT && tape.kind(parent) !== KIND.name) {
      tape.setDetail(parent, tape.detail(parent) + 1);
    }
    return node;
  }
}

const NO_NODE = -1;

const LITERALS = [
  { word: 'true', kind: KIND.true },
  { word: 'false', kind: KIND.false },
  { word: 'null', kind: KIND.null },
] as const;

function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false;
  return true;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
