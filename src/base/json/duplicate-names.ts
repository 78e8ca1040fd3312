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

  constructor(bytes: Uint8Array, tape: Tape) {
    this.#bytes = bytes;
    this.#tape = tape;
  }

  /** A hash of the name just appended, kept in its detail word. */
  hash(name: number): void {
    const tape = this.#tape;
    const bytes = this.#bytes;
    const end = tape.end(name) - 1;
    let hash = FNV_OFFSET;
    for (let at = tape.start(name) + 1; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80 || byte === BACKSLASH) {
        hash = this.#hashOfPoints(name);
        break;
      }
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    }
    tape.setDetail(name, hash);
  }

  #hashOfPoints(name: number): number {
    const points = this.#left;
    points.open(this.#bytes, this.#tape.start(name), this.#tape.end(name));
    let hash = FNV_OFFSET;
    for (let point = points.next(); point !== NO_CODE_POINT; point = points.next()) {
      hash = Math.imul(hash ^ point, FNV_PRIME);
    }
    return hash;
  }

  /** The first name of a closed object that an earlier member has already, or {@link NO_DUPLICATE}. */
  first(object: number): number {
    return this.#tape.detail(object) <= PAIRWISE_MAX ? this.#firstOfFew(object) : this.#firstOfMany(object);
  }

  #firstOfFew(object: number): number {
    const tape = this.#tape;
    const behind = tape.next(object);
    for (let later = object + 1; later < behind; later = tape.next(later)) {
      for (let earlier = object + 1; earlier < later; earlier = tape.next(earlier)) {
        if (this.#order(earlier, later) === 0) return later;
      }
    }
    return NO_DUPLICATE;
  }

  #firstOfMany(object: number): number {
    const tape = this.#tape;
    const names = new Int32Array(tape.detail(object));
    for (let i = 0, name = object + 1; i < names.length; i++, name = tape.next(name)) names[i] = name;
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
const BACKSLASH = 0x5c;

/** FNV-1a, 32 bits, over code points instead of bytes. */
const FNV_OFFSET = 0x811c_9dc5 | 0;
const FNV_PRIME = 0x0100_0193;
