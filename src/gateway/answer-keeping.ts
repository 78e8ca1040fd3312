/**
 * The cache of answers as one request uses it: asked before anything is taken from limits (language-rules #31), told of the answer
 * that comes, and named to the caller in Cache-Status (RFC 9211).
 */

import type { CallTargets } from '../pipeline/call-targets.ts';
import type { ModelRequest } from '../pipeline/model-request.ts';
import type { CacheOutcome } from '../pipeline/record.ts';
import type { ResponseHead } from '../pipeline/upstream.ts';
import type { StoredAnswer } from './answer-cache.ts';
import type { Asked, CacheWishes, Freshness } from './cacheable.ts';
import { freshnessOf } from './cacheable.ts';
import type { ExchangeThread } from './exchange-thread.ts';

export interface Keeping {
  readonly key: string;
  readonly place: string;
  readonly wishes: CacheWishes;
  readonly asked: Asked;
  /** Null of a service. */
  readonly call: Pick<ModelRequest, 'use'> | null;
}

export class AnswerKeeping {
  readonly #thread: Pick<ExchangeThread, 'answers' | 'clock' | 'limits'>;
  readonly #epoch: number;
  readonly #keeping: Keeping | null;
  #outcome: CacheOutcome = 'bypass';
  #found: StoredAnswer | null = null;
  /** Value of Cache-Status. */
  #status = 'portunus; fwd=bypass';
  /** Value of Age; null where the answer was not kept. */
  #age: number | null = null;
  #head: ResponseHead | null = null;
  #freshness: Freshness | null = null;
  #pieces: Uint8Array[] = [];
  /** Taken from the cache for the pieces. */
  #bytes = 0;

  /** `epoch`: of the rules. `keeping`: null where the request has nothing to do with caches. */
  constructor(
    thread: Pick<ExchangeThread, 'answers' | 'clock' | 'limits'>,
    epoch: number,
    keeping: Keeping | null,
  ) {
    this.#thread = thread;
    this.#epoch = epoch;
    this.#keeping = keeping;
  }

  get outcome(): CacheOutcome {
    return this.#outcome;
  }

  /** The answer, where it is at hand. */
  get found(): StoredAnswer | null {
    return this.#found;
  }

  /** Name, value, … of fields that every answer to the request gets. */
  get fields(): readonly string[] {
    const status = ['cache-status', this.#status];
    return this.#age === null ? status : ['age', String(this.#age), ...status];
  }

  /** Looks for an answer that will do: one that the caller's own rules leave the target of. `targets`: null where it goes to a service. */
  find(targets: CallTargets | null): void {
    if (this.#keeping === null) return;
    this.#outcome = 'miss';
    const nowMs = this.#thread.clock.monotonicMs();
    const found = this.#thread.answers.find(this.#epoch, this.#keeping.key, nowMs);
    if (typeof found === 'string') this.#forwarded(found === 'stale' ? 'stale' : 'miss');
    else if (targets !== null && !mayBeFrom(targets, found.pool)) this.#forwarded('miss');
    else this.#found = this.#fits(found, this.#keeping, nowMs);
  }

  #fits(answer: StoredAnswer, { wishes, asked }: Keeping, nowMs: number): StoredAnswer | null {
    const { use, ageMsMax, freshMsMin } = wishes;
    const keptMs = nowMs - answer.storedMs;
    const ageMs = answer.ageMs + keptMs;
    // Rules may give this caller less time than the one it was fetched for.
    const leftMs = Math.min(answer.lifeMs, asked.forMs) - keptMs;
    if (leftMs <= 0) {
      this.#forwarded('stale');
      return null;
    }
    if (use === 'fetched' || ageMs > ageMsMax || leftMs < freshMsMin) {
      this.#forwarded('request');
      return null;
    }
    this.#outcome = 'hit';
    this.#age = Math.floor(ageMs / 1_000);
    this.#status = `portunus; hit; ttl=${Math.floor(leftMs / 1_000)}`;
    return answer;
  }

  #forwarded(why: 'miss' | 'stale' | 'request'): void {
    this.#status = `portunus; fwd=${why}`;
  }

  /** As the service or provider sends it. */
  head(head: ResponseHead, chunk: Uint8Array, last: boolean): void {
    if (this.#outcome !== 'miss') return;
    const freshness = freshnessOf(head, this.#keeping!.asked, this.#thread.clock.wallMs());
    if (freshness.lifeMs === 0 || head.bodyBytes > this.#thread.limits.cachedAnswerBytes) return;
    this.#head = head;
    this.#freshness = freshness;
    this.data(chunk, last || !head.hasBody);
  }

  data(chunk: Uint8Array, last: boolean): void {
    if (this.#head === null) return;
    const bytes = this.#bytes + chunk.length;
    if (bytes > this.#thread.limits.cachedAnswerBytes || !this.#thread.answers.take(chunk.length)) {
      this.stop();
      return;
    }
    this.#bytes = bytes;
    // A view, which dies with the call; `slice` of a Buffer would be one, too.
    if (chunk.length > 0) this.#pieces.push(new Uint8Array(chunk));
    if (last) this.#keep(this.#head, this.#freshness!);
  }

  #keep({ fields, bodyBytes, hasBody }: ResponseHead, { lifeMs, ageMs }: Freshness): void {
    const { key, place, call } = this.#keeping!;
    const body = Buffer.concat(this.#pieces);
    this.stop();
    // A stream that was cut ends like any other: whoever sent the call knows.
    if (call !== null && !call.use.isWhole) return;
    const { answers, clock } = this.#thread;
    const pool = call === null ? '' : call.use.pool;
    const storedMs = clock.monotonicMs();
    answers.keep(this.#epoch, key, {
      ...{ fields: withoutAge(fields), bodyBytes, hasBody, body, place, pool, storedMs, ageMs, lifeMs },
    });
  }

  /** What has come so far is not kept. May be called more than once. */
  stop(): void {
    this.#thread.answers.give(this.#bytes);
    this.#bytes = 0;
    this.#pieces = [];
    this.#head = null;
  }
}

/** Rules about targets hold for answers that were kept, as for those that come (language-rules #18). */
function mayBeFrom({ pools, barred }: CallTargets, pool: string): boolean {
  return pools.includes(pool) && barred?.pools.has(pool) !== true;
}

function withoutAge(fields: readonly string[]): string[] {
  return fields.filter((_, index) => fields[index - (index % 2)] !== 'age');
}
