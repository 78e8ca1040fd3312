/** How an attempt failed. */
export type FailureKind =
  | 'connect-failed'
  | 'connect-timeout'
  | 'tls-failed'
  | 'closed'
  | 'write-failed'
  | 'first-byte-timeout'
  | 'idle-timeout'
  | 'malformed'
  | 'too-large';

export interface AttemptFailure {
  readonly kind: FailureKind;
  readonly detail: string;
  /** Bytes of the request were handed to the connection: it may have been processed. */
  readonly wrote: boolean;
  /** Bytes of an answer had come. */
  readonly answered: boolean;
  /** The connection had carried an exchange before: the likeliest reason is that the peer retired it. */
  readonly reused: boolean;
}

/**
 * Where another attempt makes sense. An endpoint that refused a connection refuses the next one too; time that was waited
 * for in vain is not spent twice.
 */
export const REPEATED_AT: Readonly<
  Record<FailureKind, 'another endpoint' | 'another connection' | 'nowhere'>
> = {
  'connect-failed': 'another endpoint',
  'connect-timeout': 'another endpoint',
  'tls-failed': 'another endpoint',
  closed: 'another connection',
  'write-failed': 'another connection',
  'first-byte-timeout': 'nowhere',
  'idle-timeout': 'nowhere',
  malformed: 'nowhere',
  'too-large': 'nowhere',
};

/** What of a request decides whether it can be sent again. */
export interface Repeatability {
  readonly repeatable: boolean;
  /** Attempts begun so far. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** The body bytes handed over so far are still held. */
  readonly bodyAtHand: boolean;
  readonly endpoints: number;
}

/**
 * Whether to send a request again (RFC 9110, 9.2.2): when nothing of it was written it cannot have been processed; otherwise
 * only if the caller allows it and no byte of an answer came.
 */
export function mayRepeat(failure: AttemptFailure, request: Repeatability): boolean {
  const where = REPEATED_AT[failure.kind];
  if (where === 'nowhere' || failure.answered) return false;
  if (where === 'another endpoint' && request.endpoints < 2) return false;
  if (request.attempts >= request.attemptsMax || !request.bodyAtHand) return false;
  return !failure.wrote || request.repeatable;
}

/** In credits, whole numbers so that nothing is lost to rounding. */
export const RETRY_BUDGET = {
  perRetry: 1_000,
  /** Two retries in each second, however few the requests are. */
  perSecond: 2_000,
  /** What can be saved up, so that a restart of an upstream may break many idle connections at once. */
  most: 100_000,
  atStart: 10_000,
} as const;

/** Bounds the retries of one service, so that they never multiply the load on an upstream in trouble. */
export class RetryBudget {
  readonly #perRequest: number;
  #credits: number = RETRY_BUDGET.atStart;
  /** The end of the last whole second that was paid in. */
  #paidMs: number;

  /** @param share retries, as a share, 0 to 1, of the requests; 0 allows none at all */
  constructor(share: number, nowMs: number) {
    this.#perRequest = Math.round(share * RETRY_BUDGET.perRetry);
    this.#paidMs = nowMs;
  }

  request(): void {
    this.#add(this.#perRequest);
  }

  /** True when a retry is in the budget, which it then has used. */
  take(nowMs: number): boolean {
    if (this.#perRequest === 0) return false;
    const seconds = Math.max(0, Math.floor((nowMs - this.#paidMs) / 1_000));
    this.#paidMs += seconds * 1_000;
    this.#add(seconds * RETRY_BUDGET.perSecond);
    if (this.#credits < RETRY_BUDGET.perRetry) return false;
    this.#credits -= RETRY_BUDGET.perRetry;
    return true;
  }

  #add(credits: number): void {
    this.#credits = Math.min(RETRY_BUDGET.most, this.#credits + credits);
  }
}
