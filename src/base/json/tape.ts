/** The flat form of a scanned text: six 32-bit words for each node, in the order of the text. */

/** Internal kinds, one word; `ESCAPED` is set on strings and names that hold a backslash. */
export const KIND = {
  object: 0,
  array: 1,
  string: 2,
  number: 3,
  true: 4,
  false: 5,
  null: 6,
  name: 7,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export const NO_PARENT = -1;

export class Tape {
  /** Nodes written so far. */
  length = 0;
  #words: Int32Array;

  constructor(nodesExpected: number) {
    this.#words = new Int32Array(nodesExpected * WORDS);
  }

  /** Appends a node that is its own whole subtree; {@link close} changes that for objects, arrays and names. */
  append(kind: Kind, start: number, end: number, parent: number): number {
    const node = this.length;
    const base = node * WORDS;
    if (base === this.#words.length) this.#grow();
    this.#words[base + KIND_WORD] = kind;
    this.#words[base + START] = start;
    this.#words[base + END] = end;
    this.#words[base + NEXT] = node + 1;
    this.#words[base + PARENT] = parent;
    this.#words[base + DETAIL] = 0;
    this.length = node + 1;
    return node;
  }

  /** All nodes written since `node` are its descendants. */
  close(node: number): void {
    this.#words[node * WORDS + NEXT] = this.length;
  }

  kind(node: number): Kind {
    return (this.#words[node * WORDS + KIND_WORD]! & ~ESCAPED) as Kind;
  }

  isEscaped(node: number): boolean {
    return (this.#words[node * WORDS + KIND_WORD]! & ESCAPED) !== 0;
  }

  markEscaped(node: number): void {
    this.#words[node * WORDS + KIND_WORD]! |= ESCAPED;
  }

  /** Byte offset of the first byte; strings and names begin with their quote. */
  start(node: number): number {
    return this.#words[node * WORDS + START]!;
  }

  /** Byte offset behind the last byte. */
  end(node: number): number {
    return this.#words[node * WORDS + END]!;
  }

  setEnd(node: number, end: number): void {
    this.#words[node * WORDS + END] = end;
  }

  /** The node behind the subtree of `node`. */
  next(node: number): number {
    return this.#words[node * WORDS + NEXT]!;
  }

  /** The array or name that a value belongs to, the object that a name belongs to, or {@link NO_PARENT}. */
  parent(node: number): number {
    return this.#words[node * WORDS + PARENT]!;
  }

  /** Children of an object or array; the hash of a name. */
  detail(node: number): number {
    return this.#words[node * WORDS + DETAIL]!;
  }

  setDetail(node: number, detail: number): void {
    this.#words[node * WORDS + DETAIL] = detail;
  }

  #grow(): void {
    const wider = new Int32Array(this.#words.length * 2);
    wider.set(this.#words);
    this.#words = wider;
  }
}

const WORDS = 6;
const KIND_WORD = 0;
const START = 1;
const END = 2;
const NEXT = 3;
const PARENT = 4;
const DETAIL = 5;
const ESCAPED = 0x100;
