import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import type { Random } from '../base/ports.ts';
import { isBase62, randomBase62, uint32ToBase62 } from './base62.ts';

/**
 * Consumer keys: `ptn_<environment>_<id>_<secret><checksum>`.
 *
 * - environment: a lower-case word (`live`, `test`), so that people see what a leaked key opens
 * - id: 12 base-62 characters, public; what logs and files name the key by
 * - secret: 32 base-62 characters, 190.5 bits (up to 64 are read)
 * - checksum: CRC-32 of all before it, 6 base-62 characters: typos are told from unknown keys without a lookup, and
 *   secret scanners recognise a key offline (the scheme of GitHub's tokens)
 */
const PREFIX = 'ptn_';
const ID_LENGTH = 12;
const SECRET_LENGTH = 32;
const SECRET_LENGTH_MAX = 64;
const CHECKSUM_LENGTH = 6;
const ENVIRONMENT_LENGTH_MAX = 16;
const KEY_LENGTH_MIN = PREFIX.length + 1 + 1 + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;
export const KEY_LENGTH_MAX =
  PREFIX.length + ENVIRONMENT_LENGTH_MAX + 1 + ID_LENGTH + 1 + SECRET_LENGTH_MAX + CHECKSUM_LENGTH;

export interface IssuedKey {
  /** The whole key. Shown once, kept nowhere. */
  readonly key: string;
  readonly keyId: string;
  /** What is kept of it: see {@link hashConsumerKey}. */
  readonly hash: string;
}

export interface IssueOptions {
  readonly random: Random;
  /** A lower-case word of at most 16 letters and digits. */
  readonly environment: string;
  /** Secret of the data folder; a stolen list of hashes is worthless without it. */
  readonly pepper: Uint8Array;
}

export function issueKey(options: IssueOptions): IssuedKey {
  const { key, keyId } = randomKey(options.random, options.environment);
  return { key, keyId, hash: hashConsumerKey(options.pepper, keyId, key) };
}

/** A fresh key without a hash; also the shape of the admin token. */
export function randomKey(
  random: Random,
  environment: string,
): { readonly key: string; readonly keyId: string } {
  assert(isEnvironment(environment), `"${environment}" is no environment of a key`);
  const keyId = randomBase62(random, ID_LENGTH);
  const body = `${PREFIX}${environment}_${keyId}_${randomBase62(random, SECRET_LENGTH)}`;
  return { key: body + checksumOf(body), keyId };
}

export interface ParsedKey {
  readonly environment: string;
  readonly keyId: string;
}

/** The parts of a presented key, or null when it is none of ours: wrong shape or wrong checksum. */
export function parseKey(key: string): ParsedKey | null {
  if (key.length < KEY_LENGTH_MIN || key.length > KEY_LENGTH_MAX || !key.startsWith(PREFIX)) return null;
  const environmentEnd = key.indexOf('_', PREFIX.length);
  const idEnd = environmentEnd + 1 + ID_LENGTH;
  const secretEnd = key.length - CHECKSUM_LENGTH;
  const shaped =
    environmentEnd !== -1 &&
    secretEnd - (idEnd + 1) >= SECRET_LENGTH &&
    secretEnd - (idEnd + 1) <= SECRET_LENGTH_MAX &&
    key[idEnd] === '_' &&
    isBase62(key, environmentEnd + 1, idEnd) &&
    isBase62(key, idEnd + 1, key.length);
  if (!shaped) return null;
  const environment = key.slice(PREFIX.length, environmentEnd);
  if (!isEnvironment(environment)) return null;
  if (checksumOf(key.slice(0, secretEnd)) !== key.slice(secretEnd)) return null;
  return { environment, keyId: key.slice(environmentEnd + 1, idEnd) };
}

const HASH_PREFIX = 'ptnh1:';
/** 32 bytes in base64url without padding. */
const DIGEST_LENGTH = 43;

/** `ptnh1:<keyId>:<base64url of HMAC-SHA-256(pepper, key)>`, the form that files and the store keep. */
export function hashConsumerKey(pepper: Uint8Array, keyId: string, key: string): string {
  return `${HASH_PREFIX}${keyId}:${createHmac('sha256', pepper).update(key, 'utf8').digest('base64url')}`;
}

/** The digest of a hash text as eight words. False where the text is not one. */
export function readHashDigest(hash: string, into: Int32Array): boolean {
  const start = HASH_PREFIX.length + ID_LENGTH + 1;
  if (!hash.startsWith(HASH_PREFIX) || hash[start - 1] !== ':') return false;
  if (!isBase62(hash, HASH_PREFIX.length, start - 1)) return false;
  const digest = Buffer.from(hash.slice(start));
  return readDigest(digest, 0, digest.length, into, 0);
}

/** The same for the bytes of its last part, from word `at` on. A million are read at start: no object, and four digits at once. */
export function readDigest(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Int32Array,
  at: number,
): boolean {
  if (end !== start + DIGEST_LENGTH) return false;
  let from = start;
  // Sixteen digits are three words; twice that, and two words are left.
  for (let word = at; word < at + 6; word += 3) {
    const a = fourDigits(bytes, from);
    const b = fourDigits(bytes, from + 4);
    const c = fourDigits(bytes, from + 8);
    const d = fourDigits(bytes, from + 12);
    if ((a | b | c | d) < 0) return false;
    into[word] = swapped((a << 8) | (b >> 16));
    into[word + 1] = swapped((b << 16) | (c >> 8));
    into[word + 2] = swapped((c << 24) | d);
    from += 16;
  }
  const a = fourDigits(bytes, from);
  const b = fourDigits(bytes, from + 4);
  const c = threeDigits(bytes, from + 8);
  into[at + 6] = swapped((a << 8) | (b >> 16));
  into[at + 7] = swapped((b << 16) | (c >> 2));
  // Spare bits: only the one right spelling is a hash.
  return (a | b | c) >= 0 && (c & 3) === 0;
}

/** 24 bits; negative where a sign is no digit. */
function fourDigits(bytes: Uint8Array, at: number): number {
  const first = BASE64URL_VALUES[bytes[at]!]!;
  const rest = threeDigits(bytes, at + 1);
  return first === NO_DIGIT ? -1 : rest < 0 ? rest : (first << 18) | rest;
}

function threeDigits(bytes: Uint8Array, at: number): number {
  const first = BASE64URL_VALUES[bytes[at]!]!;
  const second = BASE64URL_VALUES[bytes[at + 1]!]!;
  const third = BASE64URL_VALUES[bytes[at + 2]!]!;
  return (first | second | third) === NO_DIGIT ? -1 : (first << 12) | (second << 6) | third;
}

/** The first byte of a digest is the lowest of its word. */
function swapped(word: number): number {
  return (word >>> 24) | ((word >> 8) & 0xff00) | ((word << 8) & 0xff_0000) | (word << 24);
}

const NO_DIGIT = 255;
const BASE64URL_VALUES = base64UrlValues();

function base64UrlValues(): Uint8Array {
  const values = new Uint8Array(256).fill(NO_DIGIT);
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let value = 0; value < digits.length; value++) values[digits.charCodeAt(value)] = value;
  return values;
}

function checksumOf(body: string): string {
  return uint32ToBase62(crc32(body));
}

/** `[a-z][a-z0-9]{0,15}`. */
export function isEnvironment(text: string): boolean {
  if (text.length === 0 || text.length > ENVIRONMENT_LENGTH_MAX || !isLowerLetter(text.charCodeAt(0)))
    return false;
  for (let index = 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (!isLowerLetter(unit) && !(unit >= 0x30 && unit <= 0x39)) return false;
  }
  return true;
}

function isLowerLetter(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}
