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
const KEY_LENGTH_MAX =
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
  return `${HASH_PREFIX}${keyId}:${digestOfKey(pepper, key).toString('base64url')}`;
}

export function digestOfKey(pepper: Uint8Array, key: string): Buffer {
  return createHmac('sha256', pepper).update(key, 'utf8').digest();
}

/**
 * The digest of a hash text as eight words, without an object for it: a million of them are read at start. False where the text
 * is not one.
 */
export function readHashDigest(hash: string, into: Int32Array): boolean {
  const start = HASH_PREFIX.length + ID_LENGTH + 1;
  return (
    hash.startsWith(HASH_PREFIX) &&
    hash[start - 1] === ':' &&
    isBase62(hash, HASH_PREFIX.length, start - 1) &&
    readDigest(hash, start, into)
  );
}

/** The same for its last part alone, which begins at `start` and ends with the text. */
export function readDigest(text: string, start: number, into: Int32Array): boolean {
  if (text.length !== start + DIGEST_LENGTH) return false;
  let bits = 0;
  let held = 0;
  let byte = 0;
  into.fill(0);
  for (let at = start; at < text.length; at++) {
    const value = BASE64URL_VALUES[text.charCodeAt(at)] ?? NO_DIGIT;
    if (value === NO_DIGIT) return false;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    into[byte >> 2]! |= ((bits >> held) & 0xff) << (8 * (byte & 3));
    byte++;
    bits &= (1 << held) - 1;
  }
  // Spare bits: only the one right spelling is a hash.
  return bits === 0;
}

const NO_DIGIT = 255;
const BASE64URL_VALUES = base64UrlValues();

function base64UrlValues(): Uint8Array {
  const values = new Uint8Array(128).fill(NO_DIGIT);
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
