import { assert } from '../assert.ts';
import { CodePoints, NO_CODE_POINT } from './code-points.ts';
import { toNumber } from './numbers.ts';
import { KIND, type Kind, type Tape } from './tape.ts';

/** A value or a member name of one document; it means nothing in another. */
export type JsonNode = number & { readonly brand: 'JsonNode' };

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'name';

/** Half-open range of bytes. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * A text that `scanJson` accepted. An object's children are its names, and a name's only child is its value; an array's
 * children are its items. Nothing is decoded before it is asked for.
 *
 * @example
 * const model = document.find(['model']);
 * if (model !== undefined && document.typeOf(model) === 'string') return document.text(model);
 */
export class JsonDocument {
  readonly bytes: Uint8Array;
  readonly root = 0 as JsonNode;
  /** No character of it is, nor is one escaped that might be, more than ASCII. */
  readonly isAscii: boolean;
  readonly #tape: Tape;
  readonly #points = new CodePoints();

  constructor(bytes: Uint8Array, tape: Tape, isAscii: boolean) {
    this.bytes = bytes;
    this.#tape = tape;
    this.isAscii = isAscii;
  }

  /** The value that the path leads to: a string names a member, a number counts items from 0. */
  find(path: readonly (string | number)[]): JsonNode | undefined {
    let node: JsonNode | undefined = this.root;
    for (const step of path) {
      if (node === undefined) return undefined;
      node = typeof step === 'string' ? this.member(node, step) : this.item(node, step);
    }
    return node;
  }

  /** The value of the member with this name, or undefined, also where `object` is not an object. */
  member(object: JsonNode, name: string): JsonNode | undefined {
    const tape = this.#tape;
    if (tape.kind(object) !== KIND.object) return undefined;
    // Children of an object are names, each with its value behind it.
    const behind = tape.next(object);
    for (let child = object + 1; child < behind; child = tape.next(child))
      if (this.isText(child as JsonNode, name)) return (child + 1) as JsonNode;
    return undefined;
  }

  /** The item at this index, or undefined, also where `array` is not an array. Costs a step for each item before it. */
  item(array: JsonNode, index: number): JsonNode | undefined {
    if (this.typeOf(array) !== 'array' || index < 0 || !Number.isInteger(index)) return undefined;
    let child = this.first(array);
    for (let i = 0; i < index && child !== undefined; i++) child = this.next(child);
    return child;
  }

  typeOf(node: JsonNode): JsonType {
    return TYPES[this.#tape.kind(node)];
  }

  /** Members of an object or items of an array. */
  size(container: JsonNode): number {
    const type = this.typeOf(container);
    assert(type === 'object' || type === 'array', `a ${type} has no size`);
    return this.#tape.detail(container);
  }

  /** The first name of an object or the first item of an array. */
  first(container: JsonNode): JsonNode | undefined {
    return this.size(container) === 0 ? undefined : ((container + 1) as JsonNode);
  }

  /** The name or item behind this one in its object or array. */
  next(child: JsonNode): JsonNode | undefined {
    const next = this.#tape.next(child);
    const parent = this.#tape.parent(child);
    return parent >= 0 && next < this.#tape.next(parent) ? (next as JsonNode) : undefined;
  }

  /** The value that stands behind a name. */
  valueOf(name: JsonNode): JsonNode {
    assert(this.typeOf(name) === 'name', 'only a name has a value behind it');
    return (name + 1) as JsonNode;
  }

  /** A string or name, its escapes resolved. */
  text(node: JsonNode): string {
    const type = this.typeOf(node);
    assert(type === 'string' || type === 'name', `a ${type} has no text`);
    const start = this.#tape.start(node);
    const end = this.#tape.end(node);
    if (!this.#tape.isEscaped(node)) return UTF_8.decode(this.bytes.subarray(start + 1, end - 1));
    // The scanner took the literal as stricter than JSON.parse does, which is the fastest way to resolve escapes.
    return JSON.parse(UTF_8.decode(this.bytes.subarray(start, end)));
  }

  number(node: JsonNode): number {
    assert(this.typeOf(node) === 'number', `a ${this.typeOf(node)} is not a number`);
    return toNumber(this.bytes, this.#tape.start(node), this.#tape.end(node));
  }

  boolean(node: JsonNode): boolean {
    assert(this.typeOf(node) === 'boolean', `a ${this.typeOf(node)} is not a boolean`);
    return this.#tape.kind(node) === KIND.true;
  }

  /** Where a value or name stands, quotes and brackets included, without white space around it. */
  span(node: JsonNode): JsonSpan {
    return { start: this.#tape.start(node), end: this.#tape.end(node) };
  }

  /** Whether a string or name is this one, its escapes resolved. Nothing is decoded. */
  isText(node: JsonNode, text: string): boolean {
    const compared = this.compareName(node, text);
    return compared === 'unsure' ? this.#hasPoints(node, text) : compared === 'same';
  }

  /**
   * How a name stands to an ASCII one, told from its bytes alone: most names of an object are neither it nor like it, and
   * decoding each of them was two thirds of reading a body. `unsure`: only {@link text} tells.
   */
  compareName(name: JsonNode, ascii: string): 'same' | 'differs' | 'unsure' {
    const { bytes } = this;
    if (this.#tape.isEscaped(name)) return 'unsure';
    const start = this.#tape.start(name) + 1;
    const length = this.#tape.end(name) - 1 - start;
    let alike = true;
    for (let at = 0; at < length; at++) {
      const byte = bytes[start + at]!;
      const wanted = ascii.charCodeAt(at);
      if (byte === wanted && byte < 0x80) continue;
      if (byte >= 0x80 || wanted >= 0x80) return 'unsure';
      // beyond the end `wanted` is no number, and differs
      if ((byte | CAPITAL_BIT) !== (wanted | CAPITAL_BIT)) return 'differs';
      alike = false;
    }
    if (length !== ascii.length) return 'differs';
    return alike ? 'same' : 'unsure';
  }

  /** Whether a name is ASCII as it is written, without escapes and capitals: then no reader takes it for another. */
  isPlainName(name: JsonNode): boolean {
    const { bytes } = this;
    if (this.#tape.isEscaped(name)) return false;
    const end = this.#tape.end(name) - 1;
    for (let at = this.#tape.start(name) + 1; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80 || (byte >= CAPITAL_A && byte <= CAPITAL_Z)) return false;
    }
    return true;
  }

  #hasPoints(node: JsonNode, text: string): boolean {
    const points = this.#points;
    points.open(this.bytes, this.#tape.start(node), this.#tape.end(node));
    let at = 0;
    for (;;) {
      const point = points.next();
      if (point === NO_CODE_POINT) return at === text.length;
      if (text.codePointAt(at) !== point) return false;
      at += point > 0xffff ? 2 : 1;
    }
  }
}

/** Set in small letters, not in capitals; that it tells other signs apart as little only makes more of them unsure. */
const CAPITAL_BIT = 0x20;
const CAPITAL_A = 0x41;
const CAPITAL_Z = 0x5a;

const TYPES: Readonly<Record<Kind, JsonType>> = {
  [KIND.object]: 'object',
  [KIND.array]: 'array',
  [KIND.string]: 'string',
  [KIND.number]: 'number',
  [KIND.true]: 'boolean',
  [KIND.false]: 'boolean',
  [KIND.null]: 'null',
  [KIND.name]: 'name',
};

/** Without `ignoreBOM` a U+FEFF at the start of a string would be dropped. */
const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });
