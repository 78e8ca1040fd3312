/**
 * Which keys there are: those of files with what became of them here, and those of the store; memory that all threads share
 * follows them.
 */
import { err, ok, type Result } from '../base/result.ts';
import type { CredentialKind, Directory } from '../model/world.ts';
import { type KeyProblem, noRoom, unread } from './key-problems.ts';
import {
  type KeyChange,
  type KeyEnding,
  type KeyName,
  type KeyStore,
  type PastNames,
  type StoredKey,
  spell,
} from './key-store.ts';
import type { DirectoryFull, SharedDirectory } from './shared-directory.ts';

/** One of a file, which need not be a key. */
export interface WrittenKey extends StoredKey {
  readonly kind: CredentialKind;
}

export class KnownKeys {
  readonly #store: KeyStore;
  readonly #memory: SharedDirectory;
  #written = new Map<string, WrittenKey>();
  /** By hash: a key that ended does not come back under another name, nor when the file has it again. */
  readonly #endings = new Map<string, KeyEnding>();

  constructor(store: KeyStore, memory: SharedDirectory) {
    this.#store = store;
    this.#memory = memory;
  }

  /** Those of files. */
  get written(): ReadonlyMap<string, WrittenKey> {
    return this.#written;
  }

  /** Once, before anybody asks: what the store has. */
  load(): Result<void, string> {
    const endings = this.#store.endings();
    if (!endings.ok) return err(endings.error.message);
    for (const ending of endings.value) this.#endings.set(ending.hash, ending);
    let full: DirectoryFull = null;
    const read = this.#store.scan((keys) => {
      const lacking = this.#memory.putScanned(keys);
      full ??= lacking;
    });
    if (!read.ok) return err(read.error.message);
    return full === null ? ok(undefined) : err(noRoom(full).message);
  }

  /** The files say other things now. What they no longer hold counts no more when this returns. */
  follow(directory: Directory): DirectoryFull {
    const before = this.#written;
    this.#written = writtenKeys(directory);
    let full: DirectoryFull = null;
    for (const [spelt, key] of before)
      if (this.#written.get(spelt)?.hash !== key.hash) this.#memory.endKey(key.hash);
    for (const [spelt, key] of this.#written) {
      const stored = before.has(spelt) ? null : this.#stored(key);
      if (stored !== null && stored.hash !== key.hash) this.#memory.endKey(stored.hash);
      // All of them, even when there is no room: one that ends earlier now must end.
      const lacking = this.#count(key);
      full ??= lacking;
    }
    // A name that a file had is its stored key's again.
    for (const [spelt, key] of before) {
      const stored = this.#written.has(spelt) ? null : this.#stored(key);
      const lacking = stored === null ? null : this.#hold(stored, 'key');
      full ??= lacking;
    }
    return full;
  }

  /** Makes memory follow the store. */
  apply({ put = [], remove = [], endings = [] }: KeyChange): DirectoryFull {
    let full: DirectoryFull = null;
    for (const key of remove) this.#memory.endKey(key.hash);
    for (const ending of endings) {
      this.#endings.set(ending.hash, ending);
      const written = this.#written.get(spell(ending));
      const lacking = written === undefined ? null : this.#count(written);
      full ??= lacking;
    }
    for (const key of put) {
      const lacking = this.#hold(key, 'key');
      full ??= lacking;
    }
    return full;
  }

  /** A written key counts as its file and its ending say. */
  #count(written: WrittenKey): DirectoryFull {
    const key = this.withEnding(written);
    if (key.expiresMs !== 0) return this.#hold(key, written.kind);
    this.#memory.endKey(key.hash);
    return null;
  }

  #hold(
    { tenant, consumer, name, hash, createdMs, expiresMs }: StoredKey,
    kind: CredentialKind,
  ): DirectoryFull {
    return this.#memory.putKey(tenant, consumer, { name, kind, hash, createdMs, expiresMs });
  }

  /** 0 where it was revoked. */
  withEnding(written: StoredKey): StoredKey {
    const ending = this.#endings.get(written.hash);
    if (ending === undefined) return written;
    return { ...written, expiresMs: earlier(written.expiresMs, ending.endsMs) };
  }

  #stored(name: KeyName): StoredKey | null {
    const stored = this.#store.get(name);
    return stored.ok ? stored.value : null;
  }

  find(name: KeyName): Result<StoredKey, KeyProblem> {
    const written = this.#written.get(spell(name));
    if (written !== undefined) return ok(this.withEnding(written));
    const stored = this.#store.get(name);
    if (!stored.ok) return err(unread(stored.error));
    if (stored.value !== null) return ok(stored.value);
    return err({
      code: 'key_not_found',
      message: `Consumer "${name.consumer}" of "${name.tenant}" has no key "${name.name}".`,
      remedy: '`portunus keys list` names all keys.',
    });
  }

  past({ tenant, consumer }: Pick<KeyName, 'tenant' | 'consumer'>): Result<PastNames, KeyProblem> {
    const past = this.#store.past(tenant, consumer);
    if (!past.ok) return err(unread(past.error));
    return ok(past.value ?? { tenant, consumer, numbers: {}, ended: [] });
  }
}

function writtenKeys(directory: Directory): Map<string, WrittenKey> {
  const keys = new Map<string, WrittenKey>();
  for (const tenant of directory.tenants.values()) {
    for (const consumer of tenant.consumers.values()) {
      for (const { secrets: _, ...credential } of consumer.credentials) {
        const key = { tenant: tenant.name, consumer: consumer.name, ...credential };
        keys.set(spell(key), key);
      }
    }
  }
  return keys;
}

export function earlier(expiresMs: number | null, endsMs: number): number {
  return expiresMs === null ? endsMs : Math.min(expiresMs, endsMs);
}
