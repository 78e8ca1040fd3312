import type { AccessRecord } from '../pipeline/record.ts';
import type { GroupKind } from './record-names.ts';

/** Groups that both sides have room for before many are in use. */
export const NAMES_KNOWN_AT_FIRST = 4_096;
/** A group lies in one of so many slots, found by its hash. */
const SLOTS_PER_SET = 4;

/**
 * The writer's side of one kind of groups: which ones the reader has been told, by which number. A group has four slots it may lie
 * in, found by a hash, and takes the one that was filled first. So a look-up compares five times at most, however many
 * routes, callers and versions of the rules there are. Where groups come back that were driven out, the room is doubled up to
 * `knownMax`: what a group costs that is not known, on both sides, is more than all the rest of a record. Groups that never come
 * back, such as callers who call once, make no room.
 */
export class KnownNames<Names extends object> {
  readonly #kind: GroupKind<Names>;
  #slots: (Names | undefined)[] = [];
  /** Of each set, the slot that is filled next. */
  #next = new Uint8Array(0);
  #hashShift = 0;
  /** Groups that were told a second time, since the room was made. */
  #cameBack = 0;
  /** Hashes of groups that were told in this room, by a part of themselves: who finds its own there comes back. */
  readonly #told: Int32Array;
  /** Makes hashes of an earlier room mean nothing, without going over all of them. */
  #room = 0;
  #lastSlot = 0;

  constructor(kind: GroupKind<Names>) {
    this.#kind = kind;
    this.#told = new Int32Array(kind.knownMax);
    this.#makeRoom(NAMES_KNOWN_AT_FIRST);
  }

  /** The number of the record's group, or -1 when the reader has not been told it. */
  find(record: AccessRecord): number {
    const kind = this.#kind;
    const slots = this.#slots;
    const last = slots[this.#lastSlot];
    if (last !== undefined && kind.same(record, last)) return this.#lastSlot;
    const first = this.#firstSlot(record);
    for (let slot = first; slot < first + SLOTS_PER_SET; slot++) {
      const names = slots[slot];
      if (names === undefined || !kind.same(record, names)) continue;
      this.#lastSlot = slot;
      return slot;
    }
    return -1;
  }

  /** A number for a group that {@link find} did not find; the reader must be told both. */
  add(record: AccessRecord): number {
    if (this.#cameBack > this.#slots.length / SLOTS_PER_SET && this.#slots.length < this.#kind.knownMax)
      this.#makeRoom(2 * this.#slots.length);
    const slot = this.#slotFor(record);
    this.#slots[slot] = this.#kind.pick(record);
    this.#lastSlot = slot;
    return slot;
  }

  /** What the reader knows is in doubt: a frame did not get in, or did not come out. */
  forget(): void {
    this.#makeRoom(NAMES_KNOWN_AT_FIRST);
  }

  #slotFor(record: AccessRecord): number {
    const slots = this.#slots;
    const first = this.#firstSlot(record);
    for (let slot = first; slot < first + SLOTS_PER_SET; slot++) {
      const names = slots[slot];
      if (names !== undefined && this.#kind.supersedes(record, names)) return slot;
    }
    this.#noteTold(record);
    const set = first / SLOTS_PER_SET;
    const slot = first + this.#next[set]!;
    this.#next[set] = (this.#next[set]! + 1) % SLOTS_PER_SET;
    return slot;
  }

  #noteTold(record: AccessRecord): void {
    const hash = this.#hash(record) ^ this.#room;
    const at = hash & (this.#told.length - 1);
    if (this.#told[at] === hash) this.#cameBack++;
    else this.#told[at] = hash;
  }

  /** Numbers are slots, so all groups are told anew. */
  #makeRoom(slots: number): void {
    const sets = slots / SLOTS_PER_SET;
    if (this.#slots.length === slots) {
      this.#slots.fill(undefined);
      this.#next.fill(0);
    } else {
      this.#slots = new Array<Names | undefined>(slots).fill(undefined);
      this.#next = new Uint8Array(sets);
    }
    this.#hashShift = 32 - Math.log2(sets);
    this.#cameBack = 0;
    this.#room = Math.imul(this.#room + 1, HASH_FACTOR);
    this.#lastSlot = 0;
  }

  #firstSlot(record: AccessRecord): number {
    return (this.#hash(record) >>> this.#hashShift) * SLOTS_PER_SET;
  }

  #hash(record: AccessRecord): number {
    return Math.imul(this.#kind.hash(record), HASH_FACTOR);
  }
}

/** 2^32 over the golden ratio: spreads hashes over their upper bits (Knuth, The Art of Computer Programming, 6.4). */
const HASH_FACTOR = 0x9e3779b1;

/** The reader's side of one kind: as large as the numbers that it is told. */
export class NamesByNumber<Names extends object> {
  readonly #knownMax: number;
  #slots: (Names | undefined)[] = [];

  constructor({ knownMax }: GroupKind<Names>) {
    this.#knownMax = knownMax;
  }

  /** False for a number that no writer gives. */
  set(number: number, names: Names): boolean {
    if (number >= this.#knownMax) return false;
    const slots = this.#slots;
    while (number >= slots.length) slots.push(undefined);
    slots[number] = names;
    return true;
  }

  /** Undefined for a number that was never told. */
  get(number: number): Names | undefined {
    return this.#slots[number];
  }

  forget(): void {
    this.#slots = [];
  }
}
