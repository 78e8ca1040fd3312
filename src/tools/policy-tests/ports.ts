import type { CallOperation } from '../../model/route-calls.ts';
import type { World } from '../../model/world.ts';
import type { CounterBinding, CounterSpec } from '../../pipeline/counters.ts';
import type { ModelService } from '../../pipeline/model-request.ts';

/** What tests need of the rooms with effects; wired by `cli`. */
export interface TestPorts {
  /** The gateway's own way from a request to its route. */
  finder(world: World): RouteFinder;
  /** The gateway's own way from the body of a request to the call to a model that it is. */
  calls(world: World): (operation: CallOperation) => Pick<ModelService, 'read' | 'as' | 'capped'>;
  /** Empty counters of their own, as the gateway keeps them. */
  counters(specs: readonly CounterSpec[]): CounterBinding;
}

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  /** Lower-case name, value, … */
  readonly headers: readonly string[];
  readonly bodyBytes: number;
  /** JSON; '' for none. */
  readonly body: string;
}

export interface RouteFinder {
  find(request: SentRequest): FoundRoute | FrontProblem;
}
export interface FoundRoute {
  readonly kind: 'found';
  readonly route: string;
  /** In its normal form. */
  readonly path: string;
  readonly parameters: readonly string[];
}
/** What the gateway answers before any rule is asked. */
export interface FrontProblem {
  readonly kind: 'problem';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}
