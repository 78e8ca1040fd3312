import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../base/ports.ts';
import { parseKey, randomKey } from './consumer-key.ts';

const ENVIRONMENT = 'admin';

export interface IssuedAdminToken {
  /** `ptn_admin_…`, shaped like a consumer key so that scanners know it. Shown once. */
  readonly token: string;
  /** SHA-256 in base64url. No pepper: 190 random bits can't be guessed from their hash. */
  readonly tokenHash: string;
}

export function issueAdminToken(random: Random): IssuedAdminToken {
  const { key } = randomKey(random, ENVIRONMENT);
  return { token: key, tokenHash: hashAdminToken(key) };
}

export function hashAdminToken(token: string): string {
  return sha256(token).toString('base64url');
}

/** Tests presented tokens against a hash; the comparison takes the same time for every token of the right shape. */
export function createAdminTokenTest(tokenHash: string): (presented: string) => boolean {
  const expected = Buffer.from(tokenHash, 'base64url');
  return (presented) => {
    const parsed = parseKey(presented);
    if (parsed === null || parsed.environment !== ENVIRONMENT) return false;
    const digest = sha256(presented);
    return digest.length === expected.length && timingSafeEqual(digest, expected);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
