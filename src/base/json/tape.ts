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

/**
 * Written into memory that all scans of the thread use in turn, and moved to where it stays once it is whole ({@link Tape.keep}): typed
 * arrays lie outside of V8's heap, and one for each text cost as much as reading a short one.
 */
export class Tape {
  /** Nodes written so far. */
  length = 0;
  #words = borrowScratch();
  /** Index of its first word. */
  #from = 0;

  /** Nothing is appended any more. This or {@link drop} ends every scan. */
  keep(): void {
    const words = this.#words;
    const count = this.length * WORDS;
    // Grown beyond the scratch, or long enough to be worth an array of its own.
    if (words.length === SCRATCH_WORDS) {
      if (count > SLAB_WORDS / SLAB_SHARE) this.#words = words.slice(0, count);
      else {
        this.#from = roomInSlab(count);
        this.#words = slab;
        for (let at = 0; at < count; at++) slab[this.#from + at] = words[at]!;
      }
    }
    returnScratch(words);
  }

  /** The text is refused: nobody reads the tape. */
  drop(): void {
    returnScratch(this.#words);
  }

  /** Appends a node that is its own whole subtree; {@link close} changes that for objects, arrays and names. */
  append(kind: Kind, start: number, end: number, parent: number): number {
    const node = this.length;
    const base = node * WORDS;
    if (base + WORDS > this.#words.length) this.#grow();
    const words = this.#words;
    words[base + KIND_WORD] = kind;
    words[base + START] = start;
    words[base + END] = end;
    words[base + NEXT] = node + 1;
    words[base + PARENT] = parent;
    words[base + DETAIL] = 0;
    this.length = node + 1;
    return node;
  }

  /** All nodes written since `node` are its descendants. */
  close(node: number): void {
    this.#words[this.#from + node * WORDS + NEXT] = this.length;
  }

  kind(node: number): Kind {
    return (this.#words[this.#from + node * WORDS + KIND_WORD]! & ~ESCAPED) as Kind;
  }

  isEscaped(node: number): boolean {
    return (this.#words[this.#from + node * WORDS + KIND_WORD]! & ESCAPED) !== 0;
  }

  markEscaped(node: number): void {
    this.#words[this.#from + node * WORDS + KIND_WORD]! |= ESCAPED;
  }

  /** Byte offset of the first byte; strings and names begin with their quote. */
  start(node: number): number {
    return this.#words[this.#from + node * WORDS + START]!;
  }

  /** Byte offset behind the last byte. */
  end(node: number): number {
    return this.#words[this.#from + node * WORDS + END]!;
  }

  setEnd(node: number, end: number): void {
    this.#words[this.#from + node * WORDS + END] = end;
  }

  /** The node behind the subtree of `node`. */
  next(node: number): number {
    return this.#words[this.#from + node * WORDS + NEXT]!;
  }

  /** The array or name that a value belongs to, the object that a name belongs to, or {@link NO_PARENT}. */
  parent(node: number): number {
    return this.#words[this.#from + node * WORDS + PARENT]!;
  }

  /** Children of an object or array; the hash of a name. */
  detail(node: number): number {
    return this.#words[this.#from + node * WORDS + DETAIL]!;
  }

  setDetail(node: number, detail: number): void {
    this.#words[this.#from + node * WORDS + DETAIL] = detail;
  }

  #grow(): void {
    const wider = new Int32Array(this.#words.length * 2);
    wider.set(this.#words);
    returnScratch(this.#words);
    this.#words = wider;
  }
}

/** Null while a tape is written into it. */
let scratch: Int32Array | null = null;

function borrowScratch(): Int32Array {
  const words = scratch ?? new Int32Array(SCRATCH_WORDS);
  scratch = null;
  return words;
}

function returnScratch(words: Int32Array): void {
  if (words.length === SCRATCH_WORDS) scratch = words;
}

/** Where tapes of short texts lie side by side; it goes with the last of them. */
let slab = new Int32Array(0);
let slabUsed = 0;

function roomInSlab(count: number): number {
  if (slabUsed + count > slab.length) {
    slab = new Int32Array(SLAB_WORDS);
    slabUsed = 0;
  }
  const from = slabUsed;
  slabUsed += count;
  return from;
}

const WORDS = 6;
/** 1,365 nodes. */
const SCRATCH_WORDS = 8_192;
/** 8 KiB: what one text that is held long keeps of others is no more than that. */
const SLAB_WORDS = 2_048;
/** A tape of more than such a share of a slab has an array of its own. */
const SLAB_SHARE = 4;
const KIND_WORD = 0;
const START = 1;
const END = 2;
const NEXT = 3;
const PARENT = 4;
const DETAIL = 5;
const ESCAPED = 0x100;
