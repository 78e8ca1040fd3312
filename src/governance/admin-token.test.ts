import { describe, expect, it } from 'vitest';
import { issueAdminToken, recogniseAdminToken } from './admin-token.ts';
import { issueKey } from './consumer-key.ts';
import { seededRandom } from './seeded-random.cases.ts';

describe('an admin token', () => {
  const { token, id, tokenHash } = issueAdminToken(seededRandom(1));
  const recognise = (
    presented: string,
    changes: { tokenHash?: string; expiresMs?: number } = {},
    nowMs = 1_000,
  ) =>
    recogniseAdminToken(
      presented,
      (asked) => (asked === id ? { tokenHash, expiresMs: null, ...changes } : null),
      nowMs,
    );

  it('is recognised, and only it', () => {
    expect(token).toMatch(/^ptn_admin_/);
    expect(token).toContain(id);
    expect(recognise(token)).toEqual({ tokenHash, expiresMs: null });
    expect(recognise(issueAdminToken(seededRandom(2)).token)).toBeNull();
    expect(recognise('')).toBeNull();
    expect(recognise(tokenHash)).toBeNull();
  });

  it('is not another token that was given its public part', () => {
    const other = issueAdminToken(seededRandom(2));
    expect(recognise(token, { tokenHash: other.tokenHash })).toBeNull();
  });

  it('is not a consumer key, even one whose hash were put in its place', () => {
    const { key } = issueKey({ random: seededRandom(3), environment: 'live', pepper: new Uint8Array(32) });
    expect(recogniseAdminToken(key, () => ({ tokenHash, expiresMs: null }), 0)).toBeNull();
  });

  it('ends at the moment of its expiry', () => {
    expect(recognise(token, { expiresMs: 1_000 }, 999)).not.toBeNull();
    expect(recognise(token, { expiresMs: 1_000 }, 1_000)).toBeNull();
  });

  it('is never recognised when the stored hash is no hash', () => {
    for (const damaged of ['', 'x', tokenHash.slice(1)])
      expect(recognise(token, { tokenHash: damaged })).toBeNull();
  });
});
