import { join } from 'node:path';
import { readAdminAccess } from '../../admin/access-file.ts';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { issueAdminToken, recogniseAdminToken } from '../../governance/admin-token.ts';
import { ADMIN_SCOPE_NAMES } from '../../model/admin-scope.ts';
import type { ListenAddress, ServerSettings } from '../../model/world.ts';
import type { AuditActor } from '../../pipeline/audit.ts';
import type { Store } from '../../state/store.ts';
import { replaceDurably } from './durable-file.ts';

/** Where commands on this machine find address and token of the gateway of a data folder. */
export function adminAccessFile(dataFolder: string): string {
  return join(dataFolder, 'admin-access.json');
}

/** The token of commands on this machine; it may do everything. */
export const LOCAL_TOKEN = 'local';

/**
 * The token of commands on this machine: made by `init`, or else at first start, kept as a hash in the store and in plain text only in the
 * access file. A new one is made when the file is gone, or gives no token that is in force: which is how it is replaced.
 */
export async function openAdminAccess(
  store: Store,
  server: ServerSettings,
  { random, clock, fingerprints, actor = STARTING }: AdminAccessParts,
): Promise<Result<AdminAccessKeeper, string>> {
  const file = adminAccessFile(server.dataFolder);
  const known = await readAdminAccess(file);
  const kept = known.ok ? localToken(store, known.value.token, clock.wallMs()) : null;
  const token = kept === null ? replaceLocalToken(store, random, clock.wallMs(), actor) : ok(kept);
  if (!token.ok) return token;
  const keeper: AdminAccessKeeper = {
    write: (shown) =>
      writeAdminAccess(file, { listen: server.admin, token: token.value, fingerprints: shown }),
  };
  const written = await keeper.write(fingerprints);
  return written.ok ? ok(keeper) : written;
}

interface AdminAccessParts {
  readonly random: Random;
  readonly clock: Clock;
  /** Of the certificate that the admin API shows; null without TLS. */
  readonly fingerprints: readonly string[] | null;
  /** Who makes the token, where there is none; the starting gateway, where nothing is said. */
  readonly actor?: AuditActor;
}

const STARTING: AuditActor = { kind: 'gateway', cause: 'start' };

export interface AdminAccessKeeper {
  /** Writes the file anew for other certificates. The error is one sentence. */
  readonly write: (fingerprints: readonly string[] | null) => Promise<Result<void, string>>;
}

/** Only the account that runs the gateway may read it: it holds the token. */
const FILE_MODE = 0o600;

/**
 * Written at each start, when port and token are known. On the disk when it returns: the store has only the token's hash, so nobody
 * could make it again.
 */
export async function writeAdminAccess(
  file: string,
  { listen, token, fingerprints }: WrittenAccess,
): Promise<Result<void, string>> {
  const text = JSON.stringify({ listen, token, ...(fingerprints === null ? {} : { fingerprints }) });
  try {
    await replaceDurably(file, `${text}\n`, FILE_MODE);
    return ok(undefined);
  } catch (error) {
    return err(`The admin access can't be written to ${file}: ${(error as Error).message}.`);
  }
}

interface WrittenAccess {
  readonly listen: ListenAddress;
  readonly token: string;
  readonly fingerprints: readonly string[] | null;
}

/** The token again if it is the one of commands on this machine. */
function localToken(store: Store, token: string, nowMs: number): string | null {
  const known = recogniseAdminToken(token, (id) => store.adminTokens.find(id), nowMs);
  return known?.name === LOCAL_TOKEN ? token : null;
}

function replaceLocalToken(
  store: Store,
  random: Random,
  nowMs: number,
  actor: AuditActor,
): Result<string, string> {
  const { token, id, tokenHash } = issueAdminToken(random);
  const replaced = store.adminTokens.list().filter(({ name }) => name === LOCAL_TOKEN);
  const stored = store.adminTokens.add(
    {
      id,
      name: LOCAL_TOKEN,
      scopes: ADMIN_SCOPE_NAMES,
      tokenHash,
      createdMs: nowMs,
      expiresMs: null,
    },
    actor,
    replaced,
  );
  return stored.ok ? ok(token) : err(stored.error.message);
}
