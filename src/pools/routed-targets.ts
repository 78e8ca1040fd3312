import type { PoolChoice } from '../pipeline/model-request.ts';
import type { CallPlan } from './call-plan.ts';
import type { Target } from './model-services.ts';

type OfModels = Map<string, readonly Target[]>;

/** What rules leave of the targets of each model. Made once for each order of pools and each set that is left out. */
export class RoutedTargets {
  readonly #known = new WeakMap<object, WeakMap<object, OfModels>>();

  /** None where nothing is left. */
  of(
    { model, targets }: Pick<CallPlan, 'model' | 'targets'>,
    { order, barred }: PoolChoice,
  ): readonly Target[] {
    const known = this.#madeOf(order ?? ALL, barred ?? NONE);
    let routed = known.get(model.name);
    if (routed === undefined) {
      const ordered =
        order === null ? targets : order.flatMap((name) => targets.filter(({ pool }) => pool.name === name));
      routed = ordered.filter(({ pool }) => barred === null || !barred.has(pool.name));
      known.set(model.name, routed);
    }
    return routed;
  }

  #madeOf(order: object, barred: object): OfModels {
    let ofOrder = this.#known.get(order);
    if (ofOrder === undefined) {
      ofOrder = new WeakMap();
      this.#known.set(order, ofOrder);
    }
    let made = ofOrder.get(barred);
    if (made === undefined) {
      made = new Map();
      ofOrder.set(barred, made);
    }
    return made;
  }
}

const ALL = {};
const NONE = {};
