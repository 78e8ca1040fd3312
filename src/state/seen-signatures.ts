/**
 * Signatures that were used, in memory that all data threads share, until they would be refused anyway. One is looked up and
 * remembered in one step under the lock of its bucket, so of two requests with one signature, on whichever threads, one gets in.
 * A signature is the output of a MAC: nobody can aim at a bucket.
 */
import { threadId } from 'node:worker_threads';
import { LockSet, lockOwner } from '../base/shared-lock.ts';
import type { SeenSignatures } from '../pipeline/identity.ts';

/** Words of a slot: three of the signature, and the second in which it may be forgotten, 0 for none. */
const SLOT_WORDS = 4;
const SLOTS_PER_BUCKET = 64;
/** Room for as many again, so that a bucket is full only when the table is (one in some 10^7 at half). */
const SLOTS_PER_SIGNATURE = 2;
/** The first word is the lock; slots begin on a cache line of their own. */
const HEADER_WORDS = 16;
const BUCKET_WORDS = HEADER_WORDS + SLOTS_PER_BUCKET * SLOT_WORDS;

/** In front of the buckets, on a cache line of its own: how many signatures found no room. */
const FRONT_WORDS = 16;
const REFUSED_CELL = 0;

export function createSeenSignaturesMemory(signaturesMax: number): SharedArrayBuffer {
  const buckets = Math.ceil((signaturesMax * SLOTS_PER_SIGNATURE) / SLOTS_PER_BUCKET);
  return new SharedArrayBuffer((FRONT_WORDS + buckets * BUCKET_WORDS) * Int32Array.BYTES_PER_ELEMENT);
}

/** How many signatures have found no room since the start; begins anew behind 2^32. */
export function signaturesWithoutRoom(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), REFUSED_CELL) >>> 0;
}

/** Signatures that are remembered, counted; of a table beyond the usual size estimated by its first buckets: none is preferred. */
export function countSeenSignatures(memory: SharedArrayBuffer, wallMs: number): number {
  const words = new Int32Array(memory);
  const nowS = Math.floor(wallMs / 1_000);
  const buckets = (words.length - FRONT_WORDS) / BUCKET_WORDS;
  const counted = Math.min(buckets, COUNTED_BUCKETS_MAX);
  let count = 0;
  for (let bucket = 0; bucket < counted; bucket++) {
    const slots = FRONT_WORDS + bucket * BUCKET_WORDS + HEADER_WORDS;
    for (let slot = slots; slot < slots + SLOTS_PER_BUCKET * SLOT_WORDS; slot += SLOT_WORDS)
      if (words[slot + 3]! >>> 0 > nowS) count++;
  }
  return Math.round((count * buckets) / counted);
}

/** Half a million slots, which takes a millisecond or two: all of the default of `signaturesRemembered`. */
const COUNTED_BUCKETS_MAX = 8_192;

/** A thread's view. */
export function createSeenSignatures(memory: SharedArrayBuffer): SeenSignatures {
  const words = new Int32Array(memory);
  const buckets = (words.length - FRONT_WORDS) / BUCKET_WORDS;
  const full = (): 'full' => {
    Atomics.add(words, REFUSED_CELL, 1);
    return 'full';
  };
  const locks = new LockSet(lockOwner(threadId));
  return {
    remember(signature, untilMs, wallMs) {
      const view = new DataView(signature.buffer, signature.byteOffset, signature.byteLength);
      const bucket = FRONT_WORDS + Math.floor((view.getUint32(0) * buckets) / 2 ** 32) * BUCKET_WORDS;
      // Only a thread that died within leaves it locked: then nobody can know what it has seen.
      if (!locks.acquire(words, bucket)) return full();
      try {
        const outcome = rememberIn(words, bucket + HEADER_WORDS, view, {
          nowS: Math.floor(wallMs / 1_000),
          untilS: Math.ceil(untilMs / 1_000),
        });
        return outcome === 'full' ? full() : outcome;
      } finally {
        locks.releaseAll();
      }
    },
  };
}

function rememberIn(
  words: Int32Array,
  slots: number,
  signature: DataView,
  { nowS, untilS }: { readonly nowS: number; readonly untilS: number },
): 'new' | 'seen' | 'full' {
  const [first, second, third] = [signature.getInt32(4), signature.getInt32(8), signature.getInt32(12)];
  let free = -1;
  for (let slot = slots; slot < slots + SLOTS_PER_BUCKET * SLOT_WORDS; slot += SLOT_WORDS) {
    // Unsigned: seconds go on behind 2038.
    if (words[slot + 3]! >>> 0 <= nowS) {
      if (free === -1) free = slot;
    } else if (words[slot] === first && words[slot + 1] === second && words[slot + 2] === third) {
      return 'seen';
    }
  }
  if (free === -1) return 'full';
  words[free] = first;
  words[free + 1] = second;
  words[free + 2] = third;
  words[free + 3] = untilS;
  return 'new';
}
