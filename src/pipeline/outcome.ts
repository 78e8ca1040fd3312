/**
 * What a phase answers. Compared by identity or by `kind`; the permitted path only ever sees the one CONTINUE.
 */
export type Outcome = Continue | Respond | Wait | WaitForGrant | NextVariant | Fail;

export interface Continue {
  readonly kind: 'continue';
}
/** The request is answered here: refused by a rule, or served without the upstream. */
export interface Respond {
  readonly kind: 'respond';
  readonly refusal: Refusal;
}
/** There is no room yet: try again in turn (language-rules #9). */
export interface Wait {
  readonly kind: 'wait';
  /** The first moment at which there may be room in all counters: not after `untilMonotonicMs`. */
  readonly atMonotonicMs: number;
  /** From then on `refusal` is the answer. */
  readonly untilMonotonicMs: number;
  /** Those without room. */
  readonly counters: readonly WaitedCounter[];
  /** `slot` where that is the room of any. */
  readonly room: WaitedCounter['room'];
  readonly refusal: Refusal;
}
export interface WaitedCounter {
  /** The same in all rule sets. */
  readonly name: string;
  /** The first moment at which this one alone may have room. */
  readonly atMs: number;
  /** `slot`: no clock says when there is room, somebody else's end does. */
  readonly room: 'clock' | 'slot';
}
/** Try again when a grant has arrived (leases): no moment can be named. */
export interface WaitForGrant {
  readonly kind: 'wait-for-grant';
}
/** There is no room for the call as it was asked for, and all limits without room name other models (language-rules #6 to #8). */
export interface NextVariant {
  readonly kind: 'next-variant';
  /** In the order in which they are tried. */
  readonly models: readonly string[];
  /** Those without room, by their counters. */
  readonly fallen: ReadonlySet<string>;
  /** What it is where none of them can have the call either. */
  readonly otherwise: Respond | Wait;
}
/** The gateway or the upstream failed; `code` is one of the stable problem codes. */
export interface Fail {
  readonly kind: 'fail';
  readonly refusal: Refusal;
}

export const CONTINUE: Continue = Object.freeze({ kind: 'continue' });

/** An answer of the gateway's own, rendered as `application/problem+json` (RFC 9457). */
export interface Refusal {
  readonly status: number;
  /** Stable, lower_snake_case: `unauthenticated`, `forbidden`, `limit_exceeded`, or the rule's own. */
  readonly code: string;
  /** One sentence for the caller. */
  readonly detail: string;
  /** The rule that decided, or -1: an index into `RuleBundle.rules`. */
  readonly ruleIndex: number;
  /** Seconds for `Retry-After`, rounded up, or -1 for none. */
  readonly retryAfterS: number;
  /** Ready values of `RateLimit` and `RateLimit-Policy`, or ''. */
  readonly rateLimit: string;
  readonly rateLimitPolicy: string;
}
