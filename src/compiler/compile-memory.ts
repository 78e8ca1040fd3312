import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import type { Route, World } from '../model/world.ts';
import type { RuleBundle } from '../pipeline/program.ts';
import type { BundledRoutes, bundleOf } from './bundle.ts';
import { Conditions } from './conditions.ts';
import type { LoweredPolicies } from './lower.ts';
import type { ResidualProgram } from './residual.ts';
import type { GroupedRoutes } from './route-groups.ts';
import { SortedRoutes } from './sorted-routes.ts';

/**
 * What stays true of a project's rules while some of its files change. An answer never depends on it, only how soon it comes.
 * Conditions are never forgotten one by one, so everything is when there are twice as many as a compilation needs.
 */
export class CompileMemory {
  readonly stopwatch: Stopwatch;
  #kept = nothingKept();
  #conditionsMax = Number.POSITIVE_INFINITY;
  readonly #sorted = new SortedRoutes();
  #lowered: LoweredPolicies = new Map();
  #grouped: GroupedRoutes | null = null;
  #bundled: BundledRoutes | null = null;

  constructor(stopwatch: Stopwatch = NO_STOPWATCH) {
    this.stopwatch = stopwatch;
  }

  sorted(routes: World['routes']): readonly Route[] {
    return this.#sorted.of(routes);
  }

  get lowered(): LoweredPolicies {
    return this.#lowered;
  }

  /** Of the last compilation; null before the first. */
  get grouped(): GroupedRoutes | null {
    return this.#grouped;
  }

  /** Makes a rule set, with the programs of the last one at hand. */
  bundle(make: (before: BundledRoutes | null) => ReturnType<typeof bundleOf>): RuleBundle {
    const { bundle, bundled } = make(this.#bundled);
    this.#bundled = bundled;
    return bundle;
  }

  /** To be called once, before a compilation. */
  begin(): Kept {
    if (this.#kept.conditions.size > this.#conditionsMax) {
      this.#kept = nothingKept();
      this.#lowered = new Map();
      this.#grouped = null;
      this.#bundled = null;
      this.#conditionsMax = Number.POSITIVE_INFINITY;
    }
    return this.#kept;
  }

  /** To be called with what the compilation has made. */
  keep(lowered: LoweredPolicies, grouped: GroupedRoutes): void {
    this.#lowered = lowered;
    this.#grouped = grouped;
    if (this.#conditionsMax === Number.POSITIVE_INFINITY) {
      this.#conditionsMax = Math.max(CONDITIONS_MIN, 2 * this.#kept.conditions.size);
    }
  }
}

const CONDITIONS_MIN = 1_000;

interface Kept {
  readonly conditions: Conditions;
  readonly faultless: WeakSet<ResidualProgram>;
}

function nothingKept(): Kept {
  return { conditions: new Conditions(), faultless: new WeakSet() };
}
