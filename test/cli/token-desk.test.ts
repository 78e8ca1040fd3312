/** What a token of the admin API may give to others. */
import { expect, it } from 'vitest';
import { ok } from '../../src/base/result.ts';
import { systemClock } from '../../src/cli/run/system-clock.ts';
import { createTokenDesk } from '../../src/cli/run/token-desk.ts';
import { seededRandom } from '../../src/governance/seeded-random.cases.ts';
import type { AdminTokens, StoredAdminToken } from '../../src/state/admin-tokens.ts';

const END_MS = 1_795_456_000_000;

it.each([
  { ownMs: END_MS, expiresMs: END_MS, given: 'issued' },
  { ownMs: END_MS, expiresMs: END_MS + 1, given: 'expiry-beyond' },
  { ownMs: END_MS, expiresMs: null, given: 'expiry-beyond' },
  { ownMs: null, expiresMs: null, given: 'issued' },
])('one that ends at $ownMs asked for one that ends at $expiresMs: $given', ({ ownMs, expiresMs, given }) => {
  const own: StoredAdminToken = {
    id: 'own',
    name: 'ci',
    scopes: ['tokens', 'read'],
    tokenHash: 'x',
    createdMs: 1,
    expiresMs: ownMs,
  };
  const tokens: AdminTokens = {
    list: () => [own],
    find: (id) => (id === own.id ? own : null),
    add: () => ok(undefined),
    remove: () => ok(undefined),
  };
  const desk = createTokenDesk(tokens, { clock: systemClock(), random: seededRandom(1) });
  const actor = { kind: 'token', id: 'own', name: 'ci' } as const;
  const issued = desk.issue({ name: 'other', scopes: ['read'], expiresMs }, actor);
  expect(issued.ok ? 'issued' : issued.error).toBe(given);
});
