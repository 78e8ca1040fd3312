import type { Models } from '../model/pools.ts';
import type { CallOperation, ListOperation } from '../model/route-calls.ts';
import type { ModelService } from './model-request.ts';
import type { UpstreamService } from './upstream.ts';

/**
 * The key-pool port: provider keys, the limits of their accounts, and who may use them next. Implementation: `pools/`.
 * A *lane* is where a provider counts: one account and one model (or all models of an account). A key of a pool leads through
 * one or two of them, and keys of one account share theirs.
 */

/** What a call takes from a provider. */
export interface CallAmounts {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Nano-units of the accounting currency; 0 where no price is known. */
  readonly costNano: number;
}

/** A sound estimate of it, before it is sent: `inputTokens` are the bytes of the prompt. */
export interface AskedAmounts extends CallAmounts {
  /** The most tokens that its prompt has, where those were counted; null: what it has of `inputTokens` is learned by lane. */
  readonly countedTokens: number | null;
}

/** Most limits of one lane: requests and tokens in and out, per minute and per day, money and slots fit. */
export const LANE_METERS_MAX = 8;

/** Of one version. */
export interface BoundModels {
  /** What sends calls of an operation. */
  service(operation: CallOperation): ModelService;
  /** Answers which models there are; `path`: the pattern of its route. */
  list(operation: ListOperation, path: string): UpstreamService;
}
/** Turns the models of one version into services that AI routes send to. Implemented by `pools/`, on each data thread. */
export interface ModelServices {
  /**
   * `prepared`: places and secrets of the keys (opaque here: `pools/` makes and reads it). `services`: of the version's providers, by
   * name.
   */
  bind(models: Models, prepared: unknown, services: ReadonlyMap<string, UpstreamService>): BoundModels;
  /** Keys that are others from now on, for all versions (opaque here, as above). */
  renewKeys(renewed: unknown): void;
}
