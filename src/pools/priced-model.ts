import type { Clock } from '../base/ports.ts';
import { type Model, priceAt } from '../model/pools.ts';
import type { BoundModel, Target } from './model-services.ts';

/** A model whose price changes: calls cost what it is when they begin. */
export class PricedModel implements BoundModel {
  readonly targets: readonly Target[];
  /** With the price before all that are dated. */
  readonly #written: Model;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #inForce: Model;

  constructor(model: Model, targets: readonly Target[], clock: Pick<Clock, 'wallMs'>) {
    this.#written = this.#inForce = model;
    this.targets = targets;
    this.#clock = clock;
  }

  get model(): Model {
    const price = priceAt(this.#written, this.#clock.wallMs());
    if (price !== this.#inForce.price) this.#inForce = { ...this.#written, price };
    return this.#inForce;
  }
}
