/**
 * `Idempotency-Key`: the answer of a POST is kept, durably, and given again to whoever repeats it (draft-ietf-httpapi-idempotency-key-header).
 * An answer may hold a key that is shown once; so it is sealed with the caller's token, which the gateway does not keep.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Random } from '../base/ports.ts';
import type { Result } from '../base/result.ts';
import { type AdminAnswer, type AdminRefusal, isRefusal } from './route.ts';

/** Where attempts are kept. Every change is durable when it returns. */
export interface IdempotencyRecords {
  /** Null when there is none, or it has expired. */
  find(name: string): IdempotencyRecord | null;
  /** `full`: as many as may be kept are kept. */
  begin(name: string, digest: string): Result<void, 'full' | 'not-durable'>;
  finish(name: string, sealedAnswer: string): void;
  /** Nothing was done: the key may be used again. */
  forget(name: string): void;
}

export interface IdempotencyRecord {
  /** Of the request that it was first used for. */
  readonly digest: string;
  /** Null while it runs; or where the gateway ended before it did. */
  readonly sealedAnswer: string | null;
}

export interface IdempotentRequest {
  readonly key: string;
  readonly token: string;
  readonly target: string;
  readonly body: Buffer;
}

export interface IdempotencyKeeper {
  /** Does `work` if this key of this token was not used yet. */
  once(request: IdempotentRequest, work: () => Promise<AdminAnswer>): Promise<AdminAnswer>;
}

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Null when there is none. */
export function idempotencyKeyOf({ headersDistinct }: IncomingMessage): string | null | AdminRefusal {
  const fields = headersDistinct['idempotency-key'];
  if (fields === undefined) return null;
  const [key = ''] = fields;
  return fields.length === 1 && KEY.test(key) ? key : { problem: 'idempotency_key_malformed' };
}

export function createIdempotencyKeeper(records: IdempotencyRecords, random: Random): IdempotencyKeeper {
  return {
    async once(request, work) {
      const name = nameOf(request);
      const digest = digestOf(request);
      const known = records.find(name);
      if (known !== null) return repeated(known, digest, request);
      const begun = records.begin(name, digest);
      if (!begun.ok) return { problem: begun.error === 'full' ? 'idempotency_keys_full' : 'not_durable' };
      const answer = await work();
      if (isRefusal(answer) && !HAS_TAKEN_EFFECT.has(answer.problem)) records.forget(name);
      else records.finish(name, seal(answer, request, random));
      return answer;
    },
  };
}

/** Refusals of what was done all the same: a repetition would do it twice. */
const HAS_TAKEN_EFFECT: ReadonlySet<AdminRefusal['problem']> = new Set(['live_not_recorded']);

function repeated(
  { digest, sealedAnswer }: IdempotencyRecord,
  digestNow: string,
  request: IdempotentRequest,
): AdminAnswer {
  if (digest !== digestNow) return { problem: 'idempotency_key_reused' };
  if (sealedAnswer === null) return { problem: 'idempotency_outcome_unknown' };
  const answer = unseal(sealedAnswer, request);
  return 'body' in answer
    ? { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } }
    : answer;
}

/** Keys of one token are apart from those of others. */
function nameOf({ key, token }: IdempotentRequest): string {
  return createHash('sha256').update(`${token}\0${key}`, 'utf8').digest('hex');
}

function digestOf({ target, body }: IdempotentRequest): string {
  return createHash('sha256').update(`${target}\0`, 'utf8').update(body).digest('hex');
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function sealingKey({ key, token }: IdempotentRequest): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', token, key, 'portunus idempotent answer', 32));
}

function seal(answer: AdminAnswer, request: IdempotentRequest, random: Random): string {
  const nonce = new Uint8Array(NONCE_BYTES);
  random.fill(nonce);
  const cipher = createCipheriv(CIPHER, sealingKey(request), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

function unseal(text: string, request: IdempotentRequest): AdminAnswer {
  const bytes = Buffer.from(text, 'base64');
  const opened = createDecipheriv(CIPHER, sealingKey(request), bytes.subarray(0, NONCE_BYTES));
  opened.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const sealed = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  return JSON.parse(Buffer.concat([opened.update(sealed), opened.final()]).toString('utf8')) as AdminAnswer;
}
