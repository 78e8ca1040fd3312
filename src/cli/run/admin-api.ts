import type { AdminActions } from '../../admin/actions.ts';
import { createIdempotencyKeeper } from '../../admin/idempotency.ts';
import { openApiDocument } from '../../admin/openapi.ts';
import { ADMIN_ROUTES } from '../../admin/routes.ts';
import { type AdminCertificate, type AdminServer, createAdminServer } from '../../admin/server.ts';
import type { Clock, Random } from '../../base/ports.ts';
import type { Result } from '../../base/result.ts';
import { compileRequestSchema } from '../../config/request-schema.ts';
import type { World } from '../../model/world.ts';
import type { Store } from '../../state/store.ts';
import { VERSION } from '../version.ts';
import { backupEntry } from './store-arrival.ts';
import { createTokenDesk } from './token-desk.ts';

/** What the admin API needs of the gateway; its tokens, its records and the audit log it has from the store. */
export interface AdminApiParts
  extends Pick<
    AdminActions,
    | 'health'
    | 'status'
    | 'reload'
    | 'keys'
    | 'pools'
    | 'models'
    | 'secrets'
    | 'directory'
    | 'observation'
    | 'configuration'
  > {
  readonly store: Store;
  /** Null: without TLS. */
  readonly certificate: AdminCertificate | null;
  readonly settings: Pick<World, 'server' | 'limits'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onDefect: (error: unknown) => void;
}

/** Opens the admin API, wired to the store. The error is one sentence. */
export function openAdminApi(parts: AdminApiParts): Promise<Result<AdminServer, string>> {
  const { store, clock, random, onDefect } = parts;
  const { server, limits } = parts.settings;
  const bounds = { keysMax: limits.adminIdempotencyKeys, keepMs: limits.adminIdempotencyMs };
  return createAdminServer({
    routes: ADMIN_ROUTES,
    actions: {
      health: parts.health,
      status: parts.status,
      reload: parts.reload,
      observation: parts.observation,
      configuration: parts.configuration,
      openApi: () => openApiDocument(ADMIN_ROUTES, VERSION),
      keys: parts.keys,
      pools: parts.pools,
      models: parts.models,
      secrets: parts.secrets,
      directory: parts.directory,
      tokens: createTokenDesk(store.adminTokens, { clock, random }),
      audit: {
        records: (after, count) => store.audit.records(after ?? store.audit.head().sequence - count, count),
        backupMade: (path, actor) => store.audit.append(backupEntry(path, actor)),
        anchor: () => store.audit.sign('anchor', store.audit.head()),
      },
    },
    findToken: (id) => store.adminTokens.find(id),
    nowMs: () => clock.wallMs(),
    listen: server.admin,
    certificate: parts.certificate,
    limits,
    makeCheck: (schema) => compileRequestSchema(schema, limits.regexInstructions),
    idempotency: createIdempotencyKeeper(
      {
        find: (name) => store.idempotency.find(name),
        begin: (name, digest) => store.idempotency.begin(name, digest, bounds),
        finish: (name, sealedAnswer) => store.idempotency.finish(name, sealedAnswer),
        forget: (name) => store.idempotency.forget(name),
      },
      random,
    ),
    onDefect,
  });
}
