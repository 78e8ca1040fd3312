/**
 * Fair shares of a pool between tenants, over all threads: start-time fair queueing (Goyal, Vin, Cheng, 1996) with its tags in
 * shared memory. Who has waiters is served in the order of start tags; each call moves its tenant's tag on by its work over the
 * tenant's weight. A tenant that was idle begins where the others are: it has saved nothing up, and owes nothing. One that waits
 * stays where it was when it began to, however far others come meanwhile.
 *
 * Float64 cells of one pool: {@link POOL}, then one heading per thread ({@link HEADING}), then one tag for each tenant's place.
 * Single cells are written whole, by threads that may overtake each other: a tag may then be a call behind, which the next one makes
 * up for.
 */

export const POOL = { virtualTime: 0, cells: 1 } as const;
/** What a thread's first waiter is: others let it go first while it is news. */
export const HEADING = { startTag: 0, saidMs: 1, keptLane: 2, cells: 3 } as const;

/** A heading that is older is of a thread that stands still. */
const NEWS_MS = 100;
export const NO_LANE = -1;

export interface FairSharesOptions {
  readonly cells: Float64Array;
  readonly threads: number;
  readonly thread: number;
}

export function fairSharesCells(threads: number, tenants: number): number {
  return POOL.cells + threads * HEADING.cells + tenants;
}

export class FairShares {
  readonly #cells: Float64Array;
  readonly #threads: number;
  readonly #thread: number;
  readonly #tagsAt: number;

  constructor({ cells, threads, thread }: FairSharesOptions) {
    this.#cells = cells;
    this.#threads = threads;
    this.#thread = thread;
    this.#tagsAt = POOL.cells + threads * HEADING.cells;
  }

  /** Where the others are: whoever begins to wait, or does not have to, begins there. */
  get now(): number {
    return this.#cells[POOL.virtualTime]!;
  }

  /** Where the next call of this tenant stands in line; `since`: {@link now} when its first one began to wait. */
  startTag(tenant: number, since: number): number {
    return Math.max(since, this.#cells[this.#tagsAt + tenant]!);
  }

  /** A call of the tenant goes that had this start tag. */
  served(tenant: number, startTag: number, work: number, weight: number): void {
    this.#cells[this.#tagsAt + tenant] = startTag + work / weight;
    this.#cells[POOL.virtualTime] = Math.max(this.now, startTag);
  }

  /** It took another amount than was thought. */
  corrected(tenant: number, work: number, weight: number): void {
    this.#cells[this.#tagsAt + tenant]! += work / weight;
  }

  /** Says what this thread's first waiter is, and which lane is kept for it; null: nobody waits here. */
  announce(startTag: number | null, keptLane: number, nowMs: number): void {
    const at = this.#headingAt(this.#thread);
    this.#cells[at + HEADING.startTag] = startTag ?? 0;
    this.#cells[at + HEADING.keptLane] = keptLane;
    this.#cells[at + HEADING.saidMs] = startTag === null ? 0 : nowMs;
  }

  /** The least tag of a waiter of another thread that comes before one with this tag; null: none does. */
  before(startTag: number, nowMs: number): number | null {
    let least = startTag;
    for (let thread = 0; thread < this.#threads; thread++)
      if (thread !== this.#thread && this.#isNews(thread, nowMs))
        least = Math.min(least, this.#tagOf(thread));
    return least < startTag ? least : null;
  }

  /** Whether anybody waits on another thread. */
  othersWait(nowMs: number): boolean {
    for (let thread = 0; thread < this.#threads; thread++)
      if (thread !== this.#thread && this.#isNews(thread, nowMs)) return true;
    return false;
  }

  /** Whether one of the lanes is kept for a waiter of another thread that comes before this tag. */
  isKept(lanes: readonly number[], startTag: number, nowMs: number): boolean {
    for (let thread = 0; thread < this.#threads; thread++) {
      if (thread === this.#thread || !this.#isNews(thread, nowMs)) continue;
      const kept = this.#cells[this.#headingAt(thread) + HEADING.keptLane]!;
      if (lanes.includes(kept) && this.#tagOf(thread) < startTag) return true;
    }
    return false;
  }

  #headingAt(thread: number): number {
    return POOL.cells + thread * HEADING.cells;
  }

  #tagOf(thread: number): number {
    return this.#cells[this.#headingAt(thread) + HEADING.startTag]!;
  }

  #isNews(thread: number, nowMs: number): boolean {
    const saidMs = this.#cells[this.#headingAt(thread) + HEADING.saidMs]!;
    return saidMs !== 0 && nowMs - saidMs < NEWS_MS;
  }
}
