import type { SecretActions } from '../../admin/routes/secrets.ts';
import { err, ok } from '../../base/result.ts';
import type { StoredSecrets } from '../../state/stored-secrets.ts';

export interface SecretDeskParts {
  readonly stored: StoredSecrets;
  /** `limits.storedSecrets`. */
  readonly secretsMax: number;
  /** What of the configuration that runs has the secret: `key "k2" of pool "openai-main"`. */
  readonly usersOf: (name: string) => readonly string[];
  /** Told of each secret that is another one, before that is answered. */
  readonly changed: (name: string) => Promise<void>;
}

/** What is done with the secrets of the store: over the admin API, and by commands while no gateway runs. */
export function createSecretDesk({ stored, secretsMax, usersOf, changed }: SecretDeskParts): SecretActions {
  return {
    list: () => stored.list(),
    async set(name, value, actor) {
      const known = stored.list();
      if (known.length >= secretsMax && !known.some((each) => each.name === name)) return err('full');
      const set = stored.set(name, Buffer.from(value, 'utf8'), { actor, keepFormerMs: 0, usedBy: null });
      if (set.ok) await changed(name);
      return set;
    },
    remove(name, actor) {
      const users = usersOf(name);
      if (users.length > 0) return err({ inUseBy: users });
      const removed = stored.remove(name, actor);
      if (!removed.ok) return removed;
      return removed.value === 'unknown' ? err('unknown') : ok(undefined);
    },
  };
}
