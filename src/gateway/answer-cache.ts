/**
 * Answers of services and providers that rules let be kept, of one data thread: within bounds of answers and bytes, of which
 * whatever was asked for least lately goes first. Of one version of the rules: with the next one all are forgotten.
 */
import type { LimitValues } from '../base/limits.ts';
import type { RequestContext } from '../pipeline/context.ts';

/** An answer as it came, before rules shape it for a caller. */
export interface StoredAnswer {
  /** Lower-case name, value, …; without Age, which is told anew. */
  readonly fields: readonly string[];
  /** As of `ResponseHead`: what a HEAD tells, or -1. */
  readonly bodyBytes: number;
  readonly hasBody: boolean;
  readonly body: Uint8Array;
  /** Host, path and query that were asked for: see {@link AnswerCache.forget}. */
  readonly place: string;
  /** The pool that it came from; '' of a service. */
  readonly pool: string;
  readonly storedMs: number;
  /** How old it was then. */
  readonly ageMs: number;
  /** From then on. */
  readonly lifeMs: number;
}

export type Found = StoredAnswer | 'none' | 'stale';

export class AnswerCache {
  /** Times that an answer went, in time, to make room. */
  evicted = 0;
  readonly #limits: Pick<LimitValues, 'cachedAnswersPerThread' | 'cachedBytesPerThread'>;
  /** In the order in which they were asked for last. */
  readonly #answers = new Map<string, StoredAnswer>();
  readonly #keysAt = new Map<string, Set<string>>();
  #bytes = 0;
  /** Of the rules whose answers these are. */
  #epoch = 0;

  constructor(limits: Pick<LimitValues, 'cachedAnswersPerThread' | 'cachedBytesPerThread'>) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** With those of answers that are still coming. */
  get bytes(): number {
    return this.#bytes;
  }

  find(epoch: number, key: string, nowMs: number): Found {
    if (!this.#isOf(epoch)) return 'none';
    const answer = this.#answers.get(key);
    if (answer === undefined) return 'none';
    if (nowMs - answer.storedMs >= answer.lifeMs) {
      this.#remove(key, answer);
      return 'stale';
    }
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  keep(epoch: number, key: string, answer: StoredAnswer): void {
    if (!this.#isOf(epoch)) return;
    const before = this.#answers.get(key);
    if (before !== undefined) this.#remove(key, before);
    if (!this.take(bytesOf(key, answer))) return;
    this.#answers.set(key, answer);
    const keys = this.#keysAt.get(answer.place);
    if (keys === undefined) this.#keysAt.set(answer.place, new Set([key]));
    else keys.add(key);
    while (this.#answers.size > this.#limits.cachedAnswersPerThread) this.#evict();
  }

  /** What is there may be something else by now, for all callers (RFC 9111, 4.4). */
  forget(place: string): void {
    for (const key of this.#keysAt.get(place) ?? []) this.#remove(key, this.#answers.get(key)!);
  }

  /** Room for answers that are still coming, made at the cost of others; false where there is none. */
  take(bytes: number): boolean {
    const { cachedBytesPerThread } = this.#limits;
    if (bytes > cachedBytesPerThread) return false;
    while (this.#bytes + bytes > cachedBytesPerThread && this.#answers.size > 0) this.#evict();
    if (this.#bytes + bytes > cachedBytesPerThread) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Requests of a version that goes find and keep nothing any more. */
  #isOf(epoch: number): boolean {
    if (epoch > this.#epoch) {
      for (const [key, answer] of this.#answers) this.#remove(key, answer);
      this.#epoch = epoch;
    }
    return epoch === this.#epoch;
  }

  #evict(): void {
    const [oldest] = this.#answers;
    if (oldest === undefined) return;
    this.#remove(...oldest);
    this.evicted++;
  }

  #remove(key: string, answer: StoredAnswer): void {
    this.#answers.delete(key);
    const keys = this.#keysAt.get(answer.place);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysAt.delete(answer.place);
    this.#bytes -= bytesOf(key, answer);
  }
}

function bytesOf(key: string, { fields, body, place }: StoredAnswer): number {
  const texts = fields.reduce((sum, text) => sum + text.length, key.length + place.length);
  return texts + body.length + OBJECTS_BYTES;
}

/** What the objects around the texts take, roughly. */
const OBJECTS_BYTES = 512;

/** See {@link StoredAnswer.place}. */
export function placeOf({ host, path, query }: Pick<RequestContext, 'host' | 'path' | 'query'>): string {
  return `${host}${path}?${query}`;
}
