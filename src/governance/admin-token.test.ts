import { describe, expect, it } from 'vitest';
import { createAdminTokenTest, hashAdminToken, issueAdminToken } from './admin-token.ts';
import { issueKey } from './consumer-key.ts';
import { seededRandom } from './seeded-random.cases.ts';

describe('the admin token', () => {
  const { token, tokenHash } = issueAdminToken(seededRandom(1));
  const test = createAdminTokenTest(tokenHash);

  it('is accepted, and only it', () => {
    expect(token).toMatch(/^ptn_admin_/);
    expect(test(token)).toBe(true);
    expect(test(issueAdminToken(seededRandom(2)).token)).toBe(false);
    expect(test('')).toBe(false);
    expect(test(tokenHash)).toBe(false);
  });

  it('is not a consumer key, even one whose hash were put in its place', () => {
    const { key } = issueKey({ random: seededRandom(3), environment: 'live', pepper: new Uint8Array(32) });
    expect(createAdminTokenTest(hashAdminToken(key))(key)).toBe(false);
  });

  it('is never accepted when the stored hash is no hash', () => {
    for (const damaged of ['', 'x', tokenHash.slice(1)])
      expect(createAdminTokenTest(damaged)(token)).toBe(false);
  });
});
