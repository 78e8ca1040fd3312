import { CodePoints, NO_CODE_POINT } from './code-points.ts';
import type { Tape } from './tape.ts';

/**
 * Finds members of one object that have the same name, escapes resolved (RFC 7493 section 2.3).
 *
 * Small objects are compared pair by pair. Larger ones are sorted, by hash first: unlike a hash table this stays at
 * n log n comparisons for names chosen to collide, without a secret, which a pure room does not have.
 */
export class DuplicateNames {
  readonly #bytes: Uint8Array;
  readonly #tape: Tape;
  readonly #left = new CodePoints();
  readonly #right = new CodePoints();
  #names = new Int32Array(64);

  constructor(bytes: Uint8Array, tape: Tape) {
    this.#bytes = bytes;
    this.#tape = tape;
  }

  /** A hash of the name just appended, kept in its detail word. */
  hash(name: number): void {
    const tape = this.#tape;
    const points = this.#left;
    points.open(this.#bytes, tape.start(name), tape.end(name));
    let hash = FNV_OFFSET;
    for (let point = points.next(); point !== NO_CODE_POINT; point = points.next()) {
      hash = Math.imul(hash ^ point, FNV_PRIME);
    }
    tape.setDetail(name, hash);
  }

  /** The first name of a closed object that an earlier member has already, or {@link NO_DUPLICATE}. */
  first(object: number): number {
    const names = this.#collect(object);
    return names.length <= PAIRWISE_MAX ? this.#firstOfFew(names) : this.#firstOfMany(names);
  }

  #collect(object: number): Int32Array {
    const tape = this.#tape;
    const count = tape.detail(object);
    if (count > this.#names.length) this.#names = new Int32Array(Math.max(count, this.#names.length * 2));
    let name = object + 1;
    for (let i = 0; i < count; i++) {
      this.#names[i] = name;
      name = tape.next(name);
    }
    return this.#names.subarray(0, count);
  }

  #firstOfFew(names: Int32Array): number {
    for (let later = 1; later < names.length; later++) {
      for (let earlier = 0; earlier < later; earlier++) {
        if (this.#order(names[earlier]!, names[later]!) === 0) return names[later]!;
      }
    }
    return NO_DUPLICATE;
  }

  #firstOfMany(names: Int32Array): number {
    // The sort is stable and nodes are numbered in the order of the text: of equal names the earlier stays before.
    names.sort((one, other) => this.#order(one, other));
    let first = NO_DUPLICATE;
    for (let i = 1; i < names.length; i++) {
      const name = names[i]!;
      if ((first === NO_DUPLICATE || name < first) && this.#order(names[i - 1]!, name) === 0) first = name;
    }
    return first;
  }

  #order(one: number, other: number): number {
    const tape = this.#tape;
    const oneHash = tape.detail(one);
    const otherHash = tape.detail(other);
    if (oneHash !== otherHash) return oneHash < otherHash ? -1 : 1;
    this.#left.open(this.#bytes, tape.start(one), tape.end(one));
    this.#right.open(this.#bytes, tape.start(other), tape.end(other));
    for (;;) {
      const point = this.#left.next();
      const difference = point - this.#right.next();
      if (difference !== 0 || point === NO_CODE_POINT) return difference;
    }
  }
}

export const NO_DUPLICATE = -1;

const PAIRWISE_MAX = 8;

/** FNV-1a, 32 bits, over code points instead of bytes. */
const FNV_OFFSET = 0x811c_9dc5 | 0;
const FNV_PRIME = 0x0100_0193;
