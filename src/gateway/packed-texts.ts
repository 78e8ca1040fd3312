/**
 * A list in memory that all threads share, each item as JSON: a thread reads those it needs, when it needs them first.
 * What lies here is no object of any thread, so nothing is read, copied or collected when a version comes or goes.
 */
export interface PackedTexts {
  readonly bytes: Uint8Array;
  /** Where each item ends; it begins where the one before ends. */
  readonly ends: Uint32Array;
}

/** Items must have a JSON form: what has none is lost without a word. */
export function packTexts(items: readonly unknown[]): PackedTexts {
  const ends = new Uint32Array(new SharedArrayBuffer(items.length * Uint32Array.BYTES_PER_ELEMENT));
  let written: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let end = 0;
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(item);
    // Room for the most that its characters can need, so that no item is measured before it is written.
    const needed = end + text.length * UTF8_BYTES_MAX;
    if (needed > written.length) written = grown(written, end, needed);
    end += written.write(text, end);
    ends[index] = end;
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(end));
  bytes.set(written.subarray(0, end));
  return { bytes, ends };
}

const FIRST_BYTES = 64 * 1024;
/** Of one unit of a string. */
const UTF8_BYTES_MAX = 3;

function grown(written: Buffer, end: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(2 * written.length, needed));
  written.copy(larger, 0, 0, end);
  return larger;
}

/** Null where there is no such item; else the item, read anew with each call. */
export function readText<Item>({ bytes, ends }: PackedTexts, index: number): Item | null {
  const end = ends[index];
  if (end === undefined) return null;
  const start = index === 0 ? 0 : ends[index - 1]!;
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()) as Item;
}

/** A thread's view of such a list: what was asked for once is kept. */
export class ReadTexts<Text, Item> {
  readonly #packed: PackedTexts;
  readonly #make: (text: Text) => Item;
  readonly #known: Item[] = [];

  constructor(packed: PackedTexts, make: (text: Text) => Item) {
    this.#packed = packed;
    this.#make = make;
  }

  /** The same object with each call; null where there is no such item. */
  at(index: number): Item | null {
    const known = this.#known[index];
    if (known !== undefined) return known;
    const text = readText<Text>(this.#packed, index);
    if (text === null) return null;
    const item = this.#make(text);
    this.#known[index] = item;
    return item;
  }
}
