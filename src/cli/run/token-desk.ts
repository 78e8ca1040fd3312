import type { TokenActions, TokenDescription } from '../../admin/routes/tokens.ts';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok } from '../../base/result.ts';
import { issueAdminToken } from '../../governance/admin-token.ts';
import type { AdminTokens, StoredAdminToken } from '../../state/admin-tokens.ts';
import { LOCAL_TOKEN } from './admin-access.ts';

/** Makes and ends tokens of the admin API. */
export function createTokenDesk(
  tokens: AdminTokens,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): TokenActions {
  return {
    list: () => tokens.list().map(described),
    issue({ name, scopes, expiresMs }, actor) {
      if (tokens.list().some((token) => token.name === name)) return err('name-taken');
      const own = actor.kind === 'token' ? tokens.find(actor.id) : null;
      if (own === null || scopes.some((scope) => !own.scopes.includes(scope))) return err('scope-beyond');
      if (endsAfter(expiresMs, own.expiresMs)) return err('expiry-beyond');
      const { token, id, tokenHash } = issueAdminToken(random);
      const stored = { id, name, scopes, tokenHash, createdMs: clock.wallMs(), expiresMs };
      const added = tokens.add(stored, actor);
      return added.ok ? ok({ ...described(stored), token }) : added;
    },
    revoke(id, actor) {
      const token = tokens.find(id);
      if (token === null) return err('unknown');
      if (token.name === LOCAL_TOKEN) return err('local');
      return tokens.remove(token, actor);
    },
  };
}

/** Null never ends. */
function endsAfter(expiresMs: number | null, otherMs: number | null): boolean {
  return otherMs !== null && (expiresMs === null || expiresMs > otherMs);
}

function described({ id, name, scopes, createdMs, expiresMs }: StoredAdminToken): TokenDescription {
  return { id, name, scopes, createdMs, expiresMs };
}
