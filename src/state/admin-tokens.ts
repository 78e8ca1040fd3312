/** Tokens of the admin API: who may call it, and for what. Hashes only. */
import { ok, type Result } from '../base/result.ts';
import type { AdminScope } from '../model/admin-scope.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import type { AuditLog } from './audit-chain.ts';
import type { StoreProblem } from './store-problem.ts';
import type { StoreTables } from './store-tables.ts';

export interface AdminTokens {
  /** In the order of their making. */
  list(): readonly StoredAdminToken[];
  find(id: string): StoredAdminToken | null;
  /** `replacing`: these tokens end in the same step. */
  add(
    token: StoredAdminToken,
    actor: AuditActor,
    replacing?: readonly StoredAdminToken[],
  ): Result<void, StoreProblem>;
  /** From when this returns on it is refused. */
  remove(token: StoredAdminToken, actor: AuditActor): Result<void, StoreProblem>;
}

export interface StoredAdminToken {
  /** Public part of the token. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly AdminScope[];
  /** As `governance/` makes it. */
  readonly tokenHash: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

const TOKENS = 'admin-token';

export function openAdminTokens(tables: StoreTables, audit: AuditLog): Result<AdminTokens, StoreProblem> {
  const stored = tables.list<StoredAdminToken>(TOKENS);
  if (!stored.ok) return stored;
  const inOrder = stored.value.toSorted((a, b) => a.createdMs - b.createdMs);
  const tokens = new Map(inOrder.map((token) => [token.id, token]));
  return ok({
    list: () => [...tokens.values()],
    find: (id) => tokens.get(id) ?? null,
    add(token, actor, replacing = []) {
      const target = targetOf(token);
      const ended = replacing.map((old) => revocation(old, actor));
      const issued = { actor, action: 'tokens.issue', target, before: null, after: shown(token) } as const;
      const written = audit.change([...ended, issued], (change) => {
        for (const { id } of replacing) change.remove([TOKENS, id]);
        change.put([TOKENS, token.id], token);
      });
      if (!written.ok) return written;
      for (const { id } of replacing) tokens.delete(id);
      tokens.set(token.id, token);
      return ok(undefined);
    },
    remove(token, actor) {
      const written = audit.change([revocation(token, actor)], (change) => change.remove([TOKENS, token.id]));
      if (!written.ok) return written;
      tokens.delete(token.id);
      return ok(undefined);
    },
  });
}

function revocation(token: StoredAdminToken, actor: AuditActor) {
  return {
    actor,
    action: 'tokens.revoke',
    target: targetOf(token),
    before: shown(token),
    after: null,
  } as const;
}

function targetOf({ name, id }: StoredAdminToken): string {
  return `admin token ${name} (${id})`;
}

/** Everything of a token that may be seen. */
function shown({ id, name, scopes, createdMs, expiresMs }: StoredAdminToken) {
  return { id, name, scopes, createdMs, expiresMs };
}
