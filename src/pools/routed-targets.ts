import type { CallPlan } from './call-plan.ts';
import type { Target } from './model-services.ts';

/** What rules that route leave of the targets of each model. Made once: there are as many lists of pools as there are such rules. */
export class RoutedTargets {
  readonly #known = new Map<readonly string[], Map<string, readonly Target[]>>();

  /** In the order of `pools`; none where the model has none of them. */
  of({ model, targets }: Pick<CallPlan, 'model' | 'targets'>, pools: readonly string[]): readonly Target[] {
    const known = this.#known.get(pools) ?? new Map<string, readonly Target[]>();
    if (known.size === 0) this.#known.set(pools, known);
    let routed = known.get(model.name);
    if (routed === undefined) {
      routed = pools.flatMap((name) => targets.filter(({ pool }) => pool.name === name));
      known.set(model.name, routed);
    }
    return routed;
  }
}
