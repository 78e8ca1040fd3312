import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { issueKey } from '../../governance/consumer-key.ts';
import type { Directory } from '../../model/world.ts';
import type { AuditEntry } from '../../pipeline/audit.ts';
import type { StoredCredential } from '../../state/credential-table.ts';
import type { Store } from '../../state/store.ts';
import { replaceDurably } from './durable-file.ts';

/** A key in plain text: written once, to a file that only the gateway's account can read. */
export interface FirstKey {
  readonly tenant: string;
  readonly consumer: string;
  readonly credential: string;
  readonly key: string;
}

const FIRST_KEYS_FILE = 'first-keys.json';
const FILE_MODE = 0o600;
const ENVIRONMENT = 'live';

/**
 * Gives every consumer that has no credential – in a file or in the store – its first key. The keys are added to
 * `first-keys.json` in the data folder, to be handed out and deleted; the store keeps only their hashes.
 */
export async function makeFirstKeys(
  store: Store,
  directory: Directory,
  dataFolder: string,
  parts: { readonly clock: Clock; readonly random: Random },
): Promise<Result<readonly FirstKey[], string>> {
  const holders = consumersWithoutKey(store, directory);
  if (!holders.ok) return holders;
  const made = keysFor(holders.value, store, parts);
  const before = await readFirstKeys(dataFolder);
  if (!before.ok) return before;
  if (made.length === 0) return ok([]);
  const keys = made.map(({ key }) => key);
  try {
    await writeFirstKeys(dataFolder, [...before.value, ...keys]);
  } catch (error) {
    return err(`The first keys could not be written: ${(error as Error).message}.`);
  }
  // The hashes come last: a key whose hash is stored but which nobody was told would be lost.
  const credentials = made.map(({ credential }) => credential);
  const stored = store.credentials.change({ put: credentials }, credentials.map(issuedFirst));
  return stored.ok ? ok(keys) : err(stored.error.message);
}

/** The keys that first starts have made on this data folder; none when the file was deleted. */
export async function readFirstKeys(dataFolder: string): Promise<Result<readonly FirstKey[], string>> {
  const file = join(dataFolder, FIRST_KEYS_FILE);
  try {
    const keys: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(keys)) return ok(keys as FirstKey[]);
    return err(`${file} is not the list of keys that the gateway wrote. ${KEYS_REMEDY}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok([]);
    return err(`${file} can't be read: ${(error as Error).message}. ${KEYS_REMEDY}`);
  }
}

/** The keys that are in the file already are nowhere else in plain text. */
async function writeFirstKeys(dataFolder: string, keys: readonly FirstKey[]): Promise<void> {
  await replaceDurably(join(dataFolder, FIRST_KEYS_FILE), `${JSON.stringify(keys, null, 2)}\n`, FILE_MODE);
}

const KEYS_REMEDY = 'Put it right, or move it away: the gateway knows its keys without it.';

function issuedFirst({ hash: _, ...after }: StoredCredential): AuditEntry {
  return {
    actor: { kind: 'gateway', cause: 'start' },
    action: 'keys.issue',
    target: `consumer ${after.tenant}/${after.consumer}, key ${after.name}`,
    before: null,
    after,
  };
}

interface Holder {
  readonly tenant: string;
  readonly consumer: string;
}

/** One whose keys were all revoked has had its first one. */
function consumersWithoutKey(store: Store, directory: Directory): Result<readonly Holder[], string> {
  const holders: Holder[] = [];
  for (const tenant of directory.tenants.values()) {
    for (const consumer of tenant.consumers.values()) {
      if (consumer.credentials.length > 0) continue;
      const stored = store.credentials.page([tenant.name, consumer.name], null, 1);
      if (!stored.ok) return err(stored.error.message);
      const past = store.credentials.past(tenant.name, consumer.name);
      if (!past.ok) return err(past.error.message);
      if (stored.value.length === 0 && past.value === null)
        holders.push({ tenant: tenant.name, consumer: consumer.name });
    }
  }
  return ok(holders);
}

function keysFor(
  holders: readonly Holder[],
  store: Store,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): readonly { readonly key: FirstKey; readonly credential: StoredCredential }[] {
  return holders.map(({ tenant, consumer }) => {
    const { key, keyId, hash } = issueKey({ random, environment: ENVIRONMENT, pepper: store.secrets.pepper });
    const name = `${consumer}-1`;
    const createdMs = clock.wallMs();
    return {
      key: { tenant, consumer, credential: name, key },
      credential: { tenant, consumer, name, keyId, hash, createdMs, expiresMs: null },
    };
  });
}
