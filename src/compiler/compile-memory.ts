import { NO_STOPWATCH, type Stopwatch } from '../base/stopwatch.ts';
import { Conditions } from './conditions.ts';
import type { LoweredPolicies } from './lower.ts';
import type { ResidualProgram } from './residual.ts';
import type { RouteGroups } from './route-groups.ts';

/**
 * What stays true of a project's rules while some of its files change. An answer never depends on it, only how soon it comes.
 * Conditions are never forgotten one by one, so everything is when there are twice as many as a compilation needs.
 */
export class CompileMemory {
  readonly stopwatch: Stopwatch;
  #kept = nothingKept();
  #conditionsMax = Number.POSITIVE_INFINITY;
  #groups: RouteGroups = new Map();

  constructor(stopwatch: Stopwatch = NO_STOPWATCH) {
    this.stopwatch = stopwatch;
  }

  get groups(): RouteGroups {
    return this.#groups;
  }

  /** To be called once, before a compilation. */
  begin(): Kept {
    if (this.#kept.conditions.size > this.#conditionsMax) {
      this.#kept = nothingKept();
      this.#groups = new Map();
      this.#conditionsMax = Number.POSITIVE_INFINITY;
    }
    return this.#kept;
  }

  /** To be called with what the compilation has made. */
  keep(groups: RouteGroups): void {
    this.#groups = groups;
    if (this.#conditionsMax === Number.POSITIVE_INFINITY) {
      this.#conditionsMax = Math.max(CONDITIONS_MIN, 2 * this.#kept.conditions.size);
    }
  }
}

const CONDITIONS_MIN = 1_000;

interface Kept {
  readonly conditions: Conditions;
  readonly lowered: LoweredPolicies;
  readonly faultless: WeakSet<ResidualProgram>;
}

function nothingKept(): Kept {
  return { conditions: new Conditions(), lowered: new WeakMap(), faultless: new WeakSet() };
}
