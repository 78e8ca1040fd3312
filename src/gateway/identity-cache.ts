import type { Identity, IdentityFailure, IdentitySource, KnownKey } from '../pipeline/identity.ts';

/**
 * Remembers which caller a presented key belongs to: a look-up, with its keyed hash and what is made of what it finds, costs ten
 * times as much. Holds only keys that were found, so nobody can fill it by guessing; oldest go first. What was found is
 * believed while the key's place in the shared table is as it was: a revoked key is known no more from that moment on.
 */
export class IdentityCache {
  readonly #entriesMax: number;
  readonly #known = new Map<string, KnownKey>();
  /** Keys as they came, in a ring: a `Map` finds its first key by going over all that were deleted before it. */
  readonly #order: string[] = [];
  #oldest = 0;
  #source: IdentitySource | null = null;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** Null before the first directory. */
  get source(): IdentitySource | null {
    return this.#source;
  }

  /** A new directory: what was known may no longer hold. */
  use(source: IdentitySource): void {
    this.#source = source;
    this.#known.clear();
    this.#order.length = 0;
    this.#oldest = 0;
  }

  identify(presentedKey: string, wallMs: number): Identity | IdentityFailure {
    const source = this.#source;
    if (source === null) return 'unknown';
    const known = this.#known.get(presentedKey);
    if (known !== undefined) {
      if (source.holds(known)) {
        const { expiresMs } = known.identity.credential;
        return expiresMs !== null && expiresMs <= wallMs ? 'expired' : known.identity;
      }
    }
    const found = source.identify(presentedKey, wallMs);
    if (typeof found === 'string') {
      if (known !== undefined) this.#known.delete(presentedKey);
      return found;
    }
    // One that is known keeps its place in the order.
    if (known !== undefined) this.#known.set(presentedKey, found);
    else if (this.#entriesMax > 0) this.#remember(presentedKey, found);
    return found.identity;
  }

  #remember(key: string, found: KnownKey): void {
    const order = this.#order;
    if (order.length < this.#entriesMax) order.push(key);
    else {
      this.#known.delete(order[this.#oldest]!);
      order[this.#oldest] = key;
      this.#oldest = (this.#oldest + 1) % this.#entriesMax;
    }
    this.#known.set(key, found);
  }
}
