/** What calls to one model cost with each of its keys: as it is when they begin. */
import type { Clock } from '../base/ports.ts';
import {
  dearerPrice,
  type Model,
  type ModelPrice,
  type Pool,
  type Prices,
  priceAt,
  pricesIn,
} from '../model/pools.ts';

/** Of one moment. Calls keep theirs: what was reserved for one and what it costs in the end are of one price. */
export interface PricesInForce {
  /** No key costs more than this, of any kind of token; null: of one of them it is not known. */
  readonly dearest: ModelPrice | null;
  /** By `Candidate.pricePlace`. More than one where keys differ; null: not known. */
  readonly each: readonly (ModelPrice | null)[];
}

export class ModelPrices {
  readonly #clock: Pick<Clock, 'wallMs'>;
  /** Each that counts for a key, once. */
  readonly #schedules: readonly Prices[];
  /** By pool and key. */
  readonly #places: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** When any of them changes, in order. */
  readonly #changesMs: readonly number[];
  #inForce: PricesInForce;
  /** From then on, and until before then, `#inForce` is: a wall clock may be set back. */
  #fromMs = Number.NEGATIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(model: Model, pools: ReadonlyMap<string, Pool>, clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock;
    const schedules = new Map<Prices, number>();
    const places = new Map<string, ReadonlyMap<string, number>>();
    for (const name of model.pools) {
      const ofPool = new Map<string, number>();
      const pricesOf = pricesIn(model, name);
      for (const key of pools.get(name)?.keys ?? []) {
        const prices = pricesOf(key.name);
        const place = schedules.get(prices) ?? schedules.size;
        schedules.set(prices, place);
        ofPool.set(key.name, place);
      }
      places.set(name, ofPool);
    }
    this.#schedules = [...schedules.keys()];
    this.#places = places;
    const changesMs = this.#schedules.flatMap(({ datedPrices }) => datedPrices.map(({ fromMs }) => fromMs));
    this.#changesMs = [...new Set(changesMs)].sort((a, b) => a - b);
    this.#inForce = this.#at(clock.wallMs());
  }

  get inForce(): PricesInForce {
    if (this.#changesMs.length === 0) return this.#inForce;
    const wallMs = this.#clock.wallMs();
    if (wallMs < this.#fromMs || wallMs >= this.#untilMs) this.#inForce = this.#at(wallMs);
    return this.#inForce;
  }

  /** Which of `each` counts for a key of the pools that the model names. */
  placeOf(pool: string, key: string): number {
    return this.#places.get(pool)!.get(key)!;
  }

  #at(wallMs: number): PricesInForce {
    this.#fromMs = this.#changesMs.findLast((changeMs) => changeMs <= wallMs) ?? Number.NEGATIVE_INFINITY;
    this.#untilMs = this.#changesMs.find((changeMs) => changeMs > wallMs) ?? Number.POSITIVE_INFINITY;
    const each = this.#schedules.map((prices) => priceAt(prices, wallMs));
    const [first = null] = each;
    const dearest = each.reduce(
      (most, price) => (most === null || price === null ? null : dearerPrice(most, price)),
      first,
    );
    return { dearest, each };
  }
}
