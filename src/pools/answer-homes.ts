/**
 * Whose an answer or a conversation is that a later call builds upon (`previous_response_id` and `conversation` of OpenAI's responses): the
 * account that keeps it, as another one does not know it, or the tenant that it was made for, as no other may go on with it. Of the latest
 * ones of all threads, in shared memory: what is forgotten goes to any account, and for any tenant, as if nothing were known.
 *
 * A 64-bit word for each: the tag of the id above, the owner below. Buckets of {@link WAYS}, the latest first, each id once: a
 * conversation of many turns takes the room of one. Each word is written whole; of two threads that write a bucket at a time one may
 * lose what it wrote, and one that reads may miss what another moves: as if it were forgotten.
 */

import type { KeyHash } from '../pipeline/identity.ts';

/** Words of a bucket. */
const WAYS = 4;

export function answerHomesBytes(answers: number): number {
  return Math.ceil(answers / WAYS) * WAYS * BigInt64Array.BYTES_PER_ELEMENT;
}

export class AnswerHomes {
  readonly #words: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new BigInt64Array(memory);
  }

  /** `owner`: 31 bits, not 0. */
  remember(id: string, owner: number): void {
    const first = this.#bucketOf(id);
    const tag = tagOf(id);
    const last = first + WAYS - 1;
    let at = first;
    while (at < last && !isOf(Atomics.load(this.#words, at), tag)) at++;
    for (; at > first; at--) Atomics.store(this.#words, at, Atomics.load(this.#words, at - 1));
    Atomics.store(this.#words, first, BigInt.asIntN(64, (BigInt(tag) << 32n) | BigInt(owner)));
  }

  /** Null: forgotten, or never known. */
  ownerOf(id: string): number | null {
    const first = this.#bucketOf(id);
    const tag = tagOf(id);
    for (let at = first; at < first + WAYS; at++) {
      // loaded once: another thread may move it
      const word = Atomics.load(this.#words, at);
      if (isOf(word, tag)) return Number(BigInt.asUintN(32, word));
    }
    return null;
  }

  #bucketOf(id: string): number {
    return (hashOf(id, BUCKET_SEED) % (this.#words.length / WAYS)) * WAYS;
  }
}

/** What tells accounts apart: 31 bits of its name and its provider's, never 0. */
export function accountTag(provider: string, account: string): number {
  return (hashOf(`${provider}\0${account}`, TAG_SEED) >>> 1) | 1;
}

/** What tells tenants apart: 31 bits, never 0. */
export function tenantTag({ high, low }: KeyHash): number {
  return ((high ^ low) >>> 1) | 1;
}

/** No owner is 0, so a word that nobody has written is no id's. */
function isOf(word: bigint, tag: number): boolean {
  return word !== 0n && Number(BigInt.asUintN(32, word >> 32n)) === tag;
}

function tagOf(id: string): number {
  return hashOf(id, TAG_SEED);
}

/** FNV-1a, with a last mixing (MurmurHash3): ids differ in their ends. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const BUCKET_SEED = 0x811c_9dc5;
const TAG_SEED = 0x9747_b28c;
