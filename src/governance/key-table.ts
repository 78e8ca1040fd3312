/**
 * All consumer keys in memory that every thread reads: open addressing by the keyed hash of a key, which nobody can aim.
 * The control thread alone writes. What a slot holds never changes while its key counts: a changed expiry is a new slot, and
 * the old one ends. So a reader needs one look at the slot's state before and one after.
 */
import { assert } from '../base/assert.ts';
import { CREDENTIAL_KINDS, type CredentialKind } from '../model/world.ts';
import type { KeyMark } from '../pipeline/identity.ts';

/** One cache line per key, in words of 32 bits. */
const SLOT_WORDS = 16;
const AT = { state: 0, consumer: 1, name: 2, created: 3, expires: 5, kind: 7, digest: 8 } as const;
export const DIGEST_WORDS = 8;
/** What of a key's digest says where its slot is. */
const WORD_VALUES = 2 ** 32;

/**
 * The low bits of a state. The rest counts the changes of the slot and is never set back, so that a state which was seen
 * once never comes again: caches rely on it.
 */
const STATUS = { empty: 0, live: 1, ended: 2, mask: 3 } as const;
const STATUS_BITS = 2;

/** Slots per key: a key that is not there is known for it after some four looks. */
const SLOTS_PER_KEY = 1.5;

export interface TableKey {
  readonly kind: CredentialKind;
  /** Number of the consumer: see `DirectoryMemory`. */
  readonly consumer: number;
  /** Place of the credential's name. */
  readonly name: number;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

export function createKeyTable(keysMax: number): SharedArrayBuffer {
  const slots = Math.ceil(keysMax * SLOTS_PER_KEY) + 1;
  return new SharedArrayBuffer(slots * SLOT_WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/** The digest of a key as the table holds it; `into` is filled anew. */
export function digestWords(digest: Buffer, into: Int32Array): Int32Array {
  for (let word = 0; word < DIGEST_WORDS; word++) into[word] = digest.readInt32LE(word * 4);
  return into;
}

/** A thread's view of the table. */
export class KeyTableReader {
  protected readonly words: Int32Array;
  protected readonly slots: number;
  // -- of the key that `find` found last -----------------------------------------------------------------------
  kind: CredentialKind = 'key';
  consumer = 0;
  name = 0;
  createdMs = 0;
  expiresMs: number | null = null;
  slot = 0;
  state = 0;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.slots = this.words.length / SLOT_WORDS;
  }

  /**
   * Leaves what it found in this object. How long it takes depends on digests alone, which are made with a secret: nothing
   * of a key can be learnt from it, and each comparison looks at all words.
   */
  find(digest: Int32Array): boolean {
    let slot = this.home(digest[0]!);
    for (let probes = 0; probes < this.slots; ) {
      const state = Atomics.load(this.words, slot * SLOT_WORDS);
      const status = state & STATUS.mask;
      if (status === STATUS.empty) return false;
      const same = status === STATUS.live && this.#read(slot, digest);
      // Changed under the reader: what it read belongs together only by chance.
      if (Atomics.load(this.words, slot * SLOT_WORDS) !== state) continue;
      if (same) {
        this.slot = slot;
        this.state = state;
        return true;
      }
      slot = this.next(slot);
      probes++;
    }
    return false;
  }

  /** False from the moment that the key ended, on every thread. */
  holds({ slot, state }: KeyMark): boolean {
    return Atomics.load(this.words, slot * SLOT_WORDS) === state;
  }

  #read(slot: number, digest: Int32Array): boolean {
    const { words } = this;
    const base = slot * SLOT_WORDS;
    let difference = 0;
    for (let word = 0; word < DIGEST_WORDS; word++)
      difference |= Atomics.load(words, base + AT.digest + word) ^ digest[word]!;
    if (difference !== 0) return false;
    this.kind = CREDENTIAL_KINDS[Atomics.load(words, base + AT.kind)]!;
    this.consumer = Atomics.load(words, base + AT.consumer);
    this.name = Atomics.load(words, base + AT.name);
    this.createdMs = readMs(words, base + AT.created) ?? 0;
    this.expiresMs = readMs(words, base + AT.expires);
    return true;
  }

  /** Where the search for a key begins, by the first word of its digest. */
  protected home(word: number): number {
    return Math.floor(((word >>> 0) * this.slots) / WORD_VALUES);
  }

  protected next(slot: number): number {
    return slot + 1 === this.slots ? 0 : slot + 1;
  }
}

/** The control thread's: the only one that writes. */
export class KeyTable extends KeyTableReader {
  readonly keysMax: number;
  #count = 0;

  constructor(memory: SharedArrayBuffer) {
    super(memory);
    this.keysMax = Math.floor((this.slots - 1) / SLOTS_PER_KEY);
  }

  get count(): number {
    return this.#count;
  }

  /** False when there is no room. A key that is there already ends, and counts as `key` says. */
  put(digest: Int32Array, key: TableKey): boolean {
    const before = this.find(digest) ? this.slot : null;
    if (before === null && this.#count === this.keysMax) return false;
    this.#write(this.#freeSlot(digest), digest, key);
    this.#count++;
    if (before !== null) this.#end(before);
    return true;
  }

  /**
   * {@link KeyTable.put} for one of the keys that are read at start, whose digest begins at word `from`: few slots are taken and none
   * has ended yet, so one look finds the place of a key.
   */
  putFirst(
    digests: Int32Array,
    from: number,
    consumer: number,
    name: number,
    createdMs: number,
    /** NaN where the key has no end. */
    expiresMs: number,
  ): boolean {
    const { words } = this;
    let slot = this.home(digests[from]!);
    while (words[slot * SLOT_WORDS] !== STATUS.empty) {
      if (this.#status(slot) !== STATUS.live || this.#isOf(slot, digests, from)) {
        const digest = digests.slice(from, from + DIGEST_WORDS);
        const ends = Number.isNaN(expiresMs) ? null : expiresMs;
        return this.put(digest, { kind: 'key', consumer, name, createdMs, expiresMs: ends });
      }
      slot = this.next(slot);
    }
    if (this.#count === this.keysMax) return false;
    // Nobody reads a slot that was never taken: its words need no order among themselves, only before its state.
    const base = slot * SLOT_WORDS;
    for (let word = 0; word < DIGEST_WORDS; word++) words[base + AT.digest + word] = digests[from + word]!;
    words[base + AT.kind] = CREDENTIAL_KINDS.indexOf('key');
    words[base + AT.consumer] = consumer;
    words[base + AT.name] = name;
    writeMs(words, base + AT.created, createdMs);
    writeMs(words, base + AT.expires, Number.isNaN(expiresMs) ? null : expiresMs);
    this.#change(slot, STATUS.live);
    this.#count++;
    return true;
  }

  /**
   * Looks at the slots where keys will be put. One after the other, each waits for memory that no cache has; here nothing waits for
   * what the look before it found, so the machine fetches many at once.
   */
  touch(digests: Int32Array, count: number): void {
    // An atomic look is never left out as useless.
    for (let index = 0; index < count; index++)
      Atomics.load(this.words, this.home(digests[index * DIGEST_WORDS]!) * SLOT_WORDS);
  }

  #isOf(slot: number, digests: Int32Array, from: number): boolean {
    const base = slot * SLOT_WORDS + AT.digest;
    for (let word = 0; word < DIGEST_WORDS; word++)
      if (this.words[base + word] !== digests[from + word]) return false;
    return true;
  }

  /** False when there is no such key. It ended for all threads when this returns. */
  end(digest: Int32Array): boolean {
    if (!this.find(digest)) return false;
    this.#end(this.slot);
    return true;
  }

  #end(slot: number): void {
    this.#change(slot, STATUS.ended);
    this.#count--;
    this.#emptyBehind(slot);
  }

  /** Ended slots in front of an empty one are passed in vain: they become empty, so that misses stay short. */
  #emptyBehind(last: number): void {
    if (this.#status(this.next(last)) !== STATUS.empty) return;
    let slot = last;
    while (this.#status(slot) === STATUS.ended) {
      this.#change(slot, STATUS.empty);
      slot = slot === 0 ? this.slots - 1 : slot - 1;
    }
  }

  #freeSlot(digest: Int32Array): number {
    let slot = this.home(digest[0]!);
    while (this.#status(slot) === STATUS.live) slot = this.next(slot);
    return slot;
  }

  #write(slot: number, digest: Int32Array, key: TableKey): void {
    const { words } = this;
    const base = slot * SLOT_WORDS;
    for (let word = 0; word < DIGEST_WORDS; word++)
      Atomics.store(words, base + AT.digest + word, digest[word]!);
    Atomics.store(words, base + AT.kind, CREDENTIAL_KINDS.indexOf(key.kind));
    Atomics.store(words, base + AT.consumer, key.consumer);
    Atomics.store(words, base + AT.name, key.name);
    writeMs(words, base + AT.created, key.createdMs);
    writeMs(words, base + AT.expires, key.expiresMs);
    this.#change(slot, STATUS.live);
  }

  #status(slot: number): number {
    return this.words[slot * SLOT_WORDS]! & STATUS.mask;
  }

  #change(slot: number, status: number): void {
    const changes = (this.words[slot * SLOT_WORDS]! >> STATUS_BITS) + 1;
    Atomics.store(this.words, slot * SLOT_WORDS, (changes << STATUS_BITS) | status);
  }
}

const NEVER = -1;

/** The last moment that a date can have: none is later. */
export const MOMENT_MAX_MS = 8_640_000_000_000_000;

function writeMs(words: Int32Array, at: number, ms: number | null): void {
  // Earlier versions let later moments into the store: one of them must not keep the gateway from starting.
  const within = ms === null ? null : Math.min(ms, MOMENT_MAX_MS);
  assert(
    within === null || (Number.isSafeInteger(within) && within >= 0),
    'moments are whole milliseconds after 1970',
  );
  Atomics.store(words, at, within === null ? NEVER : Math.floor(within / WORD_VALUES));
  Atomics.store(words, at + 1, (within ?? 0) | 0);
}

function readMs(words: Int32Array, at: number): number | null {
  const high = Atomics.load(words, at);
  return high === NEVER ? null : high * WORD_VALUES + (Atomics.load(words, at + 1) >>> 0);
}
