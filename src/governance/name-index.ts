/**
 * Names in memory that every thread reads: each has a number of its own for as long as the process runs, and a place among the
 * texts. Open addressing by a keyed hash. The control thread alone writes, and no name is ever removed, so a consumer who comes
 * back has the number that its keys speak of.
 */
import { assert } from '../base/assert.ts';
import type { HashPair } from '../base/half-sip-hash.ts';
import type { SharedTexts, WritableTexts } from './shared-texts.ts';

/** Keyed hash of a tagged text. */
export type HashText = (tag: string, text: string, into: HashPair) => void;

const SLOTS_PER_NAME = 2;
/** Words of a slot: place of the text, 0 where there is none; number. */
const SLOT_WORDS = 2;
const TAG = 'directory name';

export function createNameIndex(namesMax: number): SharedArrayBuffer {
  return new SharedArrayBuffer((namesMax * SLOTS_PER_NAME + 1) * SLOT_WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/** A thread's view. */
export class NameIndex {
  protected readonly words: Int32Array;
  protected readonly slots: number;
  readonly #hash: HashText;
  readonly #pair: HashPair = { high: 0, low: 0 };
  protected readonly texts: SharedTexts;

  constructor(memory: SharedArrayBuffer, texts: SharedTexts, hash: HashText) {
    this.words = new Int32Array(memory);
    this.slots = this.words.length / SLOT_WORDS;
    this.texts = texts;
    this.#hash = hash;
  }

  /** The number of a name, or null for one that was never given. Names are ASCII. */
  find(name: string): number | null {
    const slot = this.slotOf(name);
    return Atomics.load(this.words, slot * SLOT_WORDS) === 0 ? null : this.words[slot * SLOT_WORDS + 1]!;
  }

  /** Its slot, or the empty one where it would be. */
  protected slotOf(name: string): number {
    this.#hash(TAG, name, this.#pair);
    let slot = Math.floor(((this.#pair.low >>> 0) * this.slots) / 2 ** 32);
    for (;;) {
      const place = Atomics.load(this.words, slot * SLOT_WORDS);
      if (place === 0 || this.texts.isAscii(place, name)) return slot;
      slot = slot + 1 === this.slots ? 0 : slot + 1;
    }
  }
}

/** The control thread's: the only one that writes. */
export class WritableNameIndex extends NameIndex {
  readonly #writableTexts: WritableTexts;
  readonly namesMax: number;
  #count = 0;

  constructor(memory: SharedArrayBuffer, texts: WritableTexts, hash: HashText) {
    super(memory, texts, hash);
    this.#writableTexts = texts;
    this.namesMax = Math.floor((this.slots - 1) / SLOTS_PER_NAME);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.namesMax;
  }

  /** The place of a name among the texts; `number` is what it gets if it is new. Null when there is no room. */
  give(name: string, number: number): { readonly place: number; readonly number: number } | null {
    const at = this.slotOf(name) * SLOT_WORDS;
    const known = this.words[at]!;
    if (known !== 0) return { place: known, number: this.words[at + 1]! };
    assert(IS_ASCII.test(name), 'names are ASCII');
    if (this.isFull) return null;
    const place = this.#writableTexts.write(name);
    if (place === null) return null;
    this.words[at + 1] = number;
    Atomics.store(this.words, at, place);
    this.#count++;
    return { place, number };
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL parts the names of one that is made of several
const IS_ASCII = /^[\u0000-\u007f]*$/;
