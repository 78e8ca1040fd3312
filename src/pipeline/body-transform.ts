import type { RequestContext } from './context.ts';
import type { ResponseHead } from './upstream.ts';

/**
 * Changes one body on its way, piece by piece: made for one request and one direction. It sees the text itself, without
 * content coding, and what it answers goes out with framing made afresh.
 */
export interface BodyTransform {
  /**
   * The bytes that may leave now: a view that holds until the next call, `chunk` itself where nothing changes. `chunk` dies
   * with the call; `last` comes once, maybe with an empty chunk, and leaves nothing held back. A fault ends the exchange.
   */
  push(chunk: Uint8Array, last: boolean): Uint8Array | BodyFault;
  /** It is pushed to once, with everything: whoever runs it holds the pieces, within `maskedAnswerBytes`. */
  readonly takesWhole?: true;
  /** Bytes held back because what follows may change them: bounded by the limit `bodyHoldBackBytes`. */
  readonly heldBytes: number;
  /** Nothing more comes or goes. May be called at any time, more than once. */
  stop?(): void;
}

/** Why a body may not pass. Told to the client as a problem while nothing has been sent; else the connection breaks. */
export interface BodyFault {
  readonly status: number;
  /** Stable, lower_snake_case. */
  readonly code: string;
  readonly detail: string;
}

/** Null where this request's body passes as it came. */
export type TransformRequestBody = (context: RequestContext) => BodyTransform | null;
/** Null where this answer's body passes as it came; also asked where there is none (HEAD, 304), for the fields. */
export type TransformResponseBody = (context: RequestContext, head: ResponseHead) => BodyTransform | null;
