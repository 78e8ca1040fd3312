/** What an attempt taught about its endpoint. */
export type AttemptOutcome =
  /** Nothing: aborted by the caller, or a stale keep-alive connection. */
  | 'unknown'
  | 'answered'
  | 'connect-failed'
  /** A connection broke while an answer was due. */
  | 'broken';

/** Failures in a row that take an endpoint out. One refused connect is proof; a broken exchange may be the request's fault. */
export const FAILURES_TO_EJECT: Readonly<Record<AttemptOutcome, number>> = {
  unknown: Number.POSITIVE_INFINITY,
  answered: Number.POSITIVE_INFINITY,
  'connect-failed': 1,
  broken: 3,
};

export const EJECTION_MS = { first: 1_000, longest: 30_000 } as const;

/**
 * Passive health of one endpoint: ejected after failures, for a time that doubles; then half-open, where one request
 * decides whether it is back.
 */
export class EndpointHealth {
  #failures = 0;
  #ejections = 0;
  #ejectedUntilMs = 0;
  #probing = false;

  /** Whether the endpoint may be chosen. Half-open, only while no probe is out. */
  isAvailable(nowMs: number): boolean {
    return this.#ejections === 0 || (nowMs >= this.#ejectedUntilMs && !this.#probing);
  }

  /** When it comes back: the least bad of several ejected endpoints is the one that is back first. */
  get ejectedUntilMs(): number {
    return this.#ejectedUntilMs;
  }

  attemptBegins(nowMs: number): void {
    if (this.#ejections > 0 && nowMs >= this.#ejectedUntilMs) this.#probing = true;
  }

  attemptEnds(outcome: AttemptOutcome, nowMs: number): void {
    this.#probing = false;
    if (outcome === 'unknown') return;
    if (outcome === 'answered') {
      this.#failures = 0;
      this.#ejections = 0;
      return;
    }
    this.#failures++;
    const isHalfOpen = this.#ejections > 0;
    if (isHalfOpen ? nowMs >= this.#ejectedUntilMs : this.#failures >= FAILURES_TO_EJECT[outcome]) {
      this.#eject(nowMs);
    }
  }

  #eject(nowMs: number): void {
    this.#ejectedUntilMs = nowMs + Math.min(EJECTION_MS.first * 2 ** this.#ejections, EJECTION_MS.longest);
    this.#ejections = Math.min(this.#ejections + 1, EJECTIONS_COUNTED_MAX);
    this.#failures = 0;
  }
}

/** Beyond it the longest ejection is reached anyway. */
const EJECTIONS_COUNTED_MAX = 16;
