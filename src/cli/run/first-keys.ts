import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Random } from '../../base/ports.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { issueKey } from '../../governance/consumer-key.ts';
import type { Directory } from '../../model/world.ts';
import type { Store, StoredCredential } from '../../state/store.ts';

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
  const made = keysFor(consumersWithoutKey(store, directory), store, parts);
  const before = await readFirstKeys(dataFolder);
  if (!before.ok) return before;
  if (made.length === 0) return ok([]);
  const keys = made.map(({ key }) => key);
  try {
    const file = join(dataFolder, FIRST_KEYS_FILE);
    await writeFile(file, `${JSON.stringify([...before.value, ...keys], null, 2)}\n`, { mode: FILE_MODE });
    await chmod(file, FILE_MODE);
  } catch (error) {
    return err(`The first keys could not be written: ${(error as Error).message}.`);
  }
  // The hashes come last: a key whose hash is stored but which nobody was told would be lost.
  const stored = store.putCredentials(made.map(({ credential }) => credential));
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

const KEYS_REMEDY = 'Put it right, or move it away: the gateway knows its keys without it.';

interface Holder {
  readonly tenant: string;
  readonly consumer: string;
}

function consumersWithoutKey(store: Store, directory: Directory): readonly Holder[] {
  const withStoredKey = new Set(store.credentials().map(({ tenant, consumer }) => `${tenant}\0${consumer}`));
  return [...directory.tenants.values()].flatMap((tenant) =>
    [...tenant.consumers.values()]
      .filter((consumer) => consumer.credentials.length === 0)
      .filter((consumer) => !withStoredKey.has(`${tenant.name}\0${consumer.name}`))
      .map((consumer) => ({ tenant: tenant.name, consumer: consumer.name })),
  );
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
