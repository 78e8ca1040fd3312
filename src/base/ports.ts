/**
 * The two effects that even pure rooms need, as ports: time and randomness.
 * Production binds them once in `cli/compose`; tests bind a virtual clock and a seed.
 */

export interface Clock {
  /**
   * Monotonic milliseconds, fractional, on one scale for every thread of the process (and, on one boot, of the
   * machine). Windows, token buckets and deadlines use it: it never goes back.
   */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. Calendars, expiry dates and records use it: it may jump. */
  wallMs(): number;
}

export interface Random {
  /** Fills `target` with cryptographically strong bytes. */
  fill(target: Uint8Array): void;
  /** A uniform integer in [0, 2^32), for choices that need no secrecy. */
  uint32(): number;
}
