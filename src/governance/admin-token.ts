import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../base/ports.ts';
import { parseKey, randomKey } from './consumer-key.ts';

const ENVIRONMENT = 'admin';

export interface IssuedAdminToken {
  /** `ptn_admin_…`, shaped like a consumer key so that scanners know it. Shown once. */
  readonly token: string;
  /** Its public part, by which it is found. */
  readonly id: string;
  /** SHA-256 in base64url. No pepper: 190 random bits can't be guessed from their hash. */
  readonly tokenHash: string;
}

export function issueAdminToken(random: Random): IssuedAdminToken {
  const { key, keyId } = randomKey(random, ENVIRONMENT);
  return { token: key, id: keyId, tokenHash: hashAdminToken(key) };
}

function hashAdminToken(token: string): string {
  return sha256(token).toString('base64url');
}

/** The public part of a token, or null when it is none. */
function adminTokenId(token: string): string | null {
  const parsed = parseKey(token);
  return parsed?.environment === ENVIRONMENT ? parsed.keyId : null;
}

/** What has to be known of a token to recognise it. */
export interface KnownToken {
  readonly tokenHash: string;
  readonly expiresMs: number | null;
}

/** The token that was presented, or null: none, unknown, or expired. Takes the same time for every one of the right shape. */
export function recogniseAdminToken<Token extends KnownToken>(
  presented: string,
  find: (id: string) => Token | null,
  nowMs: number,
): Token | null {
  const id = adminTokenId(presented);
  if (id === null) return null;
  const known = find(id);
  const expected = known === null ? NO_DIGEST : Buffer.from(known.tokenHash, 'base64url');
  const digest = sha256(presented);
  const matches = digest.length === expected.length && timingSafeEqual(digest, expected);
  if (known === null || !matches) return null;
  return known.expiresMs === null || nowMs < known.expiresMs ? known : null;
}

const NO_DIGEST = Buffer.alloc(32);

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
