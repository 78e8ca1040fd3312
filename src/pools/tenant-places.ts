/** Which place a tenant has in the tags of pools: the same one on all threads, found by the hash of its name. */
import type { KeyHash } from '../pipeline/identity.ts';
import type { PoolMemory } from './pool-memory.ts';

/** Of calls without a tenant, and of tenants for whom there is no place left: they share one. */
const SHARED_PLACE = 0;

export class TenantPlaces {
  readonly #hashes: Int32Array;

  constructor(memory: Pick<PoolMemory, 'tenants'>) {
    this.#hashes = new Int32Array(memory.tenants);
  }

  /** Linear probing; a place is taken with one compare-and-exchange, and kept while the process runs. */
  placeOf(hash: KeyHash | null): number {
    if (hash === null) return SHARED_PLACE;
    const places = this.#hashes.length - 1;
    const own = hash.low | 1;
    const first = (hash.high >>> 0) % places;
    for (let step = 0; step < places; step++) {
      const place = 1 + ((first + step) % places);
      const there = Atomics.load(this.#hashes, place);
      if (there === own) return place;
      if (there !== 0) continue;
      const before = Atomics.compareExchange(this.#hashes, place, 0, own);
      if (before === 0 || before === own) return place;
    }
    return SHARED_PLACE;
  }
}
