import { join } from 'node:path';
import { readAdminAccess, writeAdminAccess } from '../../admin/access-file.ts';
import type { Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { hashAdminToken, issueAdminToken } from '../../governance/admin-token.ts';
import type { ServerSettings } from '../../model/world.ts';
import type { Store } from '../../state/store.ts';

/** Where `portunus status` and `portunus reload` find address and token of the gateway of a data folder. */
export function adminAccessFile(dataFolder: string): string {
  return join(dataFolder, 'admin-access.json');
}

/**
 * The admin token of this data folder: made at first start, kept as a hash in the store and in plain text only in the
 * access file. A new one is made when the file is gone, which is how a token is replaced.
 */
export async function openAdminAccess(
  store: Store,
  server: ServerSettings,
  random: Random,
): Promise<Result<{ readonly tokenHash: string }, string>> {
  const file = adminAccessFile(server.dataFolder);
  const known = await readAdminAccess(file);
  const kept = known.ok && hashAdminToken(known.value.token) === store.adminTokenHash;
  const { token, tokenHash } = kept
    ? { token: known.value.token, tokenHash: hashAdminToken(known.value.token) }
    : issueAdminToken(random);
  if (!kept) {
    const stored = store.setAdminTokenHash(tokenHash);
    if (!stored.ok) return err(stored.error.message);
  }
  const written = await writeAdminAccess(file, { listen: server.admin, token });
  return written.ok ? ok({ tokenHash }) : written;
}
