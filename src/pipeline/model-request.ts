/** Calls to models: read off the body before any rule about it is asked, and sent as they were read. */
import type { FormDocument } from '../base/form-data.ts';
import type { JsonDocument } from '../base/json/document.ts';
import type { CallBounds, CallFacts } from '../model/model-call.ts';
import type { Model } from '../model/pools.ts';
import type { Encoding } from '../model/tokenizers.ts';
import type { AskedAmounts } from './key-pool.ts';
import type { TargetLimits } from './target-limits.ts';
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
  document: JsonDocument | FormDocument | null;
  readonly facts: CallFacts;
  /** What is called. */
  readonly model: Model;
  /** What it takes at most of the limits of keys: finite, where `bounds` may not be. */
  readonly amounts: AskedAmounts;
  /** The most that it can take of each measure; infinite where nothing bounds it soundly, and `unbounded` says why. */
  readonly bounds: CallBounds;
  readonly unbounded: UnboundedCall;
  /**
   * What bounds the tokens of the prompt: its bytes, or a count by the model's tokenizer. `countable`: its bytes, and a count may show
   * that it has fewer.
   */
  prompt: 'bytes' | 'countable' | 'counted';
  /** Limits reserve what the cap on its answer allows, so that cap has to be in what is sent (language-rules #2). */
  relyOnCap: boolean;
  readonly use: CallUse;
}

/** In words that follow "because of"; '' where there is a bound. */
export interface UnboundedCall {
  readonly input: string;
  readonly output: string;
  readonly money: string;
}

/** Tokens of a call that is over: as its answer tells them, or else their bound; null where neither is known. */
export type UsedTokens = Readonly<
  Record<'inputTokens' | 'outputTokens' | 'cachedTokens' | 'reasoningTokens', number | null>
>;

/** How the call went: filled by whoever sends it, and read once it has ended. */
export interface CallUse {
  /** Where its last attempt went, '' before there was one. */
  pool: string;
  key: string;
  /** `nothing`: no provider can have worked on it. `reserve`: nobody has told what it used, so all that was reserved is spent. */
  charged: 'nothing' | 'told' | 'reserve';
  /** The answer has come to its end, and tells of no failure. */
  isWhole: boolean;
  /** Why a stream ended before its time, with an event that says so; '' for others. */
  brokenOff: string;
  /** Null unless told, at least in part. */
  usage: UsedTokens | null;
  /** Why not all of `usage` was told, or believed; '': it was. */
  doubt: string;
  /** Nano-units; null where it was not told, or no price is known. Of what is paid by the search it may be told without `usage`. */
  costNano: number | null;
}

/** A call to a model on its way. */
export interface SentModelCall extends UpstreamCall {
  /** No provider works on it, nor is paid for it: it waits for a key or a connection, though a key may have been refused before. */
  readonly isWaiting: boolean;
  /**
   * Ends an answer that streams with an event that says why, and the handler is told the end of it; what was used is settled. False: there is no
   * such answer, and nothing has happened.
   */
  breakOff(code: string, sentence: string): boolean;
}

/** What a tokenizer is to count. */
export interface CountedPrompt {
  readonly encoding: Encoding;
  readonly texts: readonly string[];
  /** The most tokens that the prompt has besides. */
  readonly beside: number;
}

/** Counts on another thread; null in the end where no count came in time. Null at once: as many are being counted as may be. */
export type CountPrompt = (prompt: CountedPrompt) => Promise<number | null> | null;

/** Why a body is no call. */
export interface NoModelRequest {
  readonly code: UpstreamErrorCode;
  readonly sentence: string;
}

/** Which pools of its model a call may use. */
export interface PoolChoice {
  /** In the order in which they are tried; null: all, in the order of the model. */
  readonly order: readonly string[] | null;
  /** But for these; null: none. */
  readonly barred: ReadonlySet<string> | null;
}

/** One operation on all models of a version: where AI routes send to. */
export interface ModelService extends UpstreamService {
  /** Its requests may be forms, as well as JSON. */
  readonly takesForms: boolean;
  /** `text`: the whole body, without content coding. It is looked into, not copied. `boundary`: of a form; null: it is JSON. */
  read(text: Uint8Array, boundary?: string | null): ModelRequest | NoModelRequest;
  /** The same call, to another model; null where this operation does not offer that. */
  as(call: ModelRequest, model: string): ModelRequest | null;
  /** The same call, with an answer of no more tokens than that; or why it can't have one. */
  capped(call: ModelRequest, outputTokens: number): ModelRequest | NoModelRequest;
  /** Of a call that is `countable`; null where its prompt holds something whose tokens nobody knows. */
  prompt(call: ModelRequest): CountedPrompt | null;
  /** The same call, whose prompt has no more tokens than that. */
  counted(call: ModelRequest, promptTokens: number): ModelRequest;
  /**
   * As `dispatch`, but for the body, which is that of `call`: nothing is written to it. `pools`: those that rules leave it; null: all of the
   * model. `limits`: of rules, counted by key or target; null: there are none.
   */
  send(
    call: ModelRequest,
    pools: PoolChoice | null,
    request: UpstreamRequest,
    handler: UpstreamHandler,
    limits: TargetLimits | null,
  ): SentModelCall;
}
