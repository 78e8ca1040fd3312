/** Calls to models: read off the body before any rule about it is asked, and sent as they were read. */
import type { JsonDocument } from '../base/json/document.ts';
import type { CallFacts } from '../model/model-call.ts';
import type { Model } from '../model/pools.ts';
import type { CallAmounts } from './key-pool.ts';
import type {
  UpstreamCall,
  UpstreamErrorCode,
  UpstreamHandler,
  UpstreamRequest,
  UpstreamService,
} from './upstream.ts';

/** One call, as the body of a request says it. Made by a {@link ModelService}, and sent by the same one. */
export interface ModelRequest {
  /** Views the bytes of the body. Null once an answer has begun: nothing is sent again then, and whoever held the bytes lets go of them. */
  document: JsonDocument | null;
  readonly facts: CallFacts;
  /** What is called. */
  readonly model: Model;
  /** What it takes at most. */
  readonly amounts: CallAmounts;
}

/** Why a body is no call. */
export interface NoModelRequest {
  readonly code: UpstreamErrorCode;
  readonly sentence: string;
}

/** One operation on all models of a version: where AI routes send to. */
export interface ModelService extends UpstreamService {
  /** `text`: the whole body, without content coding. It is looked into, not copied. */
  read(text: Uint8Array): ModelRequest | NoModelRequest;
  /**
   * As `dispatch`, but for the body, which is that of `call`: nothing is written to it. `pools`: those that rules leave it, in the
   * order in which they are tried; null: all of the model.
   */
  send(
    call: ModelRequest,
    pools: readonly string[] | null,
    request: UpstreamRequest,
    handler: UpstreamHandler,
  ): UpstreamCall;
}
