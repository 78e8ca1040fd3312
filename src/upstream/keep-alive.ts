/**
 * How long an idle connection to one endpoint may be kept. Stale keep-alive connections are the classic source of 502s:
 * they are retired before the peer does it, by what it announces (`Keep-Alive: timeout=…`) or by what was seen.
 */
export class KeepAlive {
  #learnedMs = Number.POSITIVE_INFINITY;
  #learnedAtMs = 0;

  /** Milliseconds from now for a connection that has just become idle; `announcedMs` is -1 for none. */
  idleMs(announcedMs: number, nowMs: number): number {
    if (nowMs - this.#learnedAtMs > KEEP_ALIVE.learnedForMs) this.#learnedMs = Number.POSITIVE_INFINITY;
    const announced = announcedMs < 0 ? Number.POSITIVE_INFINITY : beforePeer(announcedMs);
    return Math.min(KEEP_ALIVE.longestMs, announced, this.#learnedMs);
  }

  /** The peer closed a connection that had been idle for so long: others will fare likewise. */
  peerClosedAfter(idleMs: number, nowMs: number): void {
    // Shorter ones are restarts and full tables, not a timeout.
    if (idleMs < KEEP_ALIVE.shortestLearnedMs) return;
    this.#learnedMs = Math.min(this.#learnedMs, beforePeer(idleMs));
    this.#learnedAtMs = nowMs;
  }
}

export const KEEP_ALIVE = {
  /** Below the 60 s that nginx, and the 75 s that others, keep an idle client connection. */
  longestMs: 55_000,
  /** A request may be under way while the peer's timer fires. */
  marginMs: 1_000,
  shortestLearnedMs: 1_000,
  learnedForMs: 600_000,
} as const;

function beforePeer(peerMs: number): number {
  return peerMs - Math.min(KEEP_ALIVE.marginMs, peerMs / 2);
}
