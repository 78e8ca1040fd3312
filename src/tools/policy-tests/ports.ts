import type { Clock } from '../../base/ports.ts';
import type { TokenUsage } from '../../model/model-call.ts';
import type { CallOperation } from '../../model/route-calls.ts';
import type { World } from '../../model/world.ts';
import type { CounterBinding, CounterSpec } from '../../pipeline/counters.ts';
import type { ModelRequest, ModelService } from '../../pipeline/model-request.ts';

/** What tests need of the rooms with effects; wired by `cli`. */
export interface TestPorts {
  /** The gateway's own way from a request to its route. */
  finder(world: World): RouteFinder;
  /** The gateway's own way from the body of a request to the call to a model that it is; `clock`: of the requests, as prices change. */
  calls(world: World, clock: Pick<Clock, 'wallMs'>): (operation: CallOperation) => TestCalls;
  /** Empty counters of their own, as the gateway keeps them. */
  counters(specs: readonly CounterSpec[]): CounterBinding;
}

/** One operation on the models of the project, as far as it needs no key. */
export interface TestCalls extends Pick<ModelService, 'read' | 'as' | 'capped'> {
  /** The same call, its prompt counted by the tokenizer of its model; null: nobody counts it. */
  counted(call: ModelRequest): ModelRequest | null;
  /** Names of the models that it can be asked of. */
  readonly models: readonly string[];
  /** The pools of a call's model that it can be sent to, whatever rules say, in the order of the model. */
  pools(call: ModelRequest): readonly string[];
  /** Its body as a provider with a key of that pool gets it. */
  outgoing(call: ModelRequest, pool: string): Uint8Array;
  /** What it costs with the first key of that pool where its answer tells that usage, in nano-units; null: no price is known. */
  costNano(call: ModelRequest, pool: string, usage: TokenUsage): number | null;
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
