/**
 * The directory of a running gateway: what the files say, with what the store has beside it, in memory that all data threads
 * share. A version of it is prepared, shown to every thread, and then taken up; keys follow at once.
 */
import type { Clock, Random } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Directory, Tenant, World } from '../model/world.ts';
import type { AuditActor } from '../pipeline/audit.ts';
import type { DirectorySnapshot } from '../pipeline/identity.ts';
import { ConsumerKeys } from './consumer-keys.ts';
import type { KeyStore, StoreFault } from './key-store.ts';
import type { HashText } from './name-index.ts';
import {
  type DirectoryDraft,
  type DirectoryFull,
  type DirectoryLimits,
  SharedDirectory,
} from './shared-directory.ts';
import {
  faultSentence,
  NO_SECRETS,
  type ReadSecret,
  readSigningSecrets,
  type SecretFault,
  type SecretsRead,
  type SigningSecrets,
  sameSecrets,
  secretsOf,
} from './signing-secrets.ts';
import {
  type EntityName,
  type EntityProblem,
  type EntityStore,
  type MergedDirectory,
  type ReadEntity,
  StoredDirectory,
  type StoredEntity,
} from './stored-directory.ts';

export interface LiveDirectoryParts {
  readonly limits: DirectoryLimits & { readonly storedEntities: number };
  readonly keys: KeyStore;
  readonly entities: EntityStore;
  /** For the world of each version. */
  readonly reader: (world: DirectoryWorld) => ReadEntity;
  readonly clock: Clock;
  readonly random: Random;
  readonly pepper: Uint8Array;
  readonly readSecret: ReadSecret;
  readonly hash: HashText;
  /** Shows a version to every data thread; all have it when this resolves. The error is one sentence. */
  readonly publish: (snapshot: DirectorySnapshot) => Promise<Result<void, string>>;
}

/** What of a world tenants, teams and consumers are read by. */
export interface DirectoryWorld
  extends Pick<World, 'directory' | 'attributes' | 'currency' | 'rates' | 'limits'> {
  /** Their names. */
  readonly routes: ReadonlyMap<string, unknown> | ReadonlySet<string>;
}

/** A version that threads can be shown. */
export interface PreparedDirectory {
  readonly snapshot: DirectorySnapshot;
  /** To be called when every thread has it: its keys count from here on, and those that are gone no more. */
  readonly takeUp: () => void;
}

export interface SecretsRenewed {
  readonly outcome: 'renewed' | 'unchanged';
  /** Of secrets that can't be read now. */
  readonly faults: readonly SecretFault[];
}

const NOBODY: Directory = { tenants: new Map(), plans: new Set(), roles: new Set() };

export class LiveDirectory {
  readonly keys: ConsumerKeys;
  readonly #parts: LiveDirectoryParts;
  readonly #memory: SharedDirectory;
  readonly #stored: StoredDirectory;
  #written: Directory = NOBODY;
  /** What the files say with what was made here beside it. */
  #whole: Directory = NOBODY;
  #merged: MergedDirectory | null = null;
  #secrets: SecretsRead = NO_SECRETS;
  /** The consumer that is being deleted, `tenant/name`: no key is issued to it meanwhile, which would outlive it. */
  #leaving: string | null = null;
  #epoch = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: LiveDirectoryParts) {
    this.#parts = parts;
    this.#memory = new SharedDirectory(parts.limits, parts.hash);
    this.#stored = new StoredDirectory(parts.entities, parts.limits.storedEntities);
    const { keys: store, clock, random, pepper } = parts;
    this.keys = new ConsumerKeys({
      store,
      memory: this.#memory,
      clock,
      random,
      pepper,
      hasConsumer: (tenant, consumer) =>
        this.#leaving !== `${tenant}/${consumer}` &&
        this.#whole.tenants.get(tenant)?.consumers.has(consumer) === true,
    });
  }

  /** What the store has. Once, before the first version. */
  load(): Result<void, string> {
    const stored = this.#stored.load();
    return stored.ok ? this.keys.load() : stored;
  }

  /** As it is in force. */
  get whole(): Directory {
    return this.#whole;
  }

  /** What was made here, as it was given, and what of it can't be used now. */
  get made(): Pick<StoredDirectory, 'all' | 'get' | 'leftOut'> {
    return this.#stored;
  }

  get consumers(): number {
    return [...this.#whole.tenants.values()].reduce((sum, { consumers }) => sum + consumers.size, 0);
  }

  /** What there is, and the most that there may be. */
  get usage() {
    const { consumerKeys, directoryBytes, storedEntities } = this.#parts.limits;
    return {
      keys: this.#memory.keys,
      keysMax: consumerKeys,
      bytes: this.#memory.usedBytes,
      bytesMax: directoryBytes,
      stored: this.#stored.count,
      storedMax: storedEntities,
      leftOut: this.#stored.leftOut.length,
    };
  }

  /** See `SharedDirectory.names`. */
  get names() {
    return this.#memory.names;
  }

  /** Changes one after another: each is made of the version that the one before took up. */
  async exclusively<Value>(work: () => Promise<Value>): Promise<Value> {
    const mine = this.#last.then(work, work);
    // Whoever asked for it hears of its error; the next one only waits for its end.
    this.#last = mine.catch(() => {});
    return await mine;
  }

  /** A version after files have changed. The error is one sentence. */
  prepare(world: DirectoryWorld): Result<PreparedDirectory, string> {
    const { directory } = world;
    const secrets = readSigningSecrets(directory, this.#parts.readSecret);
    const unread = faultSentence(secrets.faults);
    if (unread !== null) return err(unread);
    return this.#prepare(directory, this.#stored.beside(directory, this.#parts.reader(world)), secrets);
  }

  /**
   * Secrets to sign with may be others where they lie: those count when this resolves, and where one can't be read what was read
   * before. The error is one sentence.
   */
  renewSecrets(): Promise<Result<SecretsRenewed, string>> {
    return this.exclusively(async () => {
      const merged = this.#merged;
      const secrets = readSigningSecrets(this.#written, this.#parts.readSecret, this.#secrets.texts);
      const { faults } = secrets;
      if (merged === null || sameSecrets(secrets.secrets, this.#secrets.secrets))
        return ok({ outcome: 'unchanged', faults });
      const prepared = this.#prepare(this.#written, merged, secrets);
      if (!prepared.ok) return prepared;
      const published = await this.#parts.publish(prepared.value.snapshot);
      if (!published.ok) return published;
      prepared.value.takeUp();
      return ok({ outcome: 'renewed', faults });
    });
  }

  /** Makes or changes a tenant, team or consumer of the store; it holds on every data thread when this resolves. */
  put(entity: StoredEntity, actor: AuditActor): Promise<Result<'made' | 'changed', EntityProblem>> {
    return this.exclusively(async () => {
      const known = this.#stored.get(entity) !== null;
      const whole = this.#stored.with(entity, this.#written);
      if (!whole.ok) return whole;
      const done = await this.#change(whole.value, () => this.#stored.keep(entity, actor));
      return done.ok ? ok(known ? 'changed' : 'made') : done;
    });
  }

  /** With a consumer its keys go. */
  remove(name: EntityName, actor: AuditActor): Promise<Result<void, EntityProblem>> {
    return this.exclusively(async () => {
      const whole = this.#stored.without(name, this.#written);
      if (!whole.ok) return whole;
      const keys = name.kind === 'consumer' ? this.keys.issuedTo(name.tenant, name.name) : ok([]);
      if (!keys.ok) return err(notSaved(keys.error));
      if (name.kind === 'consumer') this.#leaving = `${name.tenant}/${name.name}`;
      try {
        const done = await this.#change(whole.value, () =>
          this.#stored.remove(name, { remove: keys.value }, actor),
        );
        if (done.ok) this.keys.forget(keys.value);
        return done;
      } finally {
        this.#leaving = null;
      }
    });
  }

  /** On the disk first, then on the threads. */
  async #change(
    whole: MergedDirectory,
    save: () => Result<void, StoreFault>,
  ): Promise<Result<void, EntityProblem>> {
    const prepared = this.#prepare(this.#written, whole, this.#secrets);
    if (!prepared.ok) return err({ code: 'directory_full', message: prepared.error, remedy: '' });
    const saved = save();
    if (!saved.ok) return err(notSaved(saved.error));
    const published = await this.#parts.publish(prepared.value.snapshot);
    if (!published.ok) return err(notSaved({ message: published.error, remedy: 'Start the gateway anew.' }));
    prepared.value.takeUp();
    return ok(undefined);
  }

  #prepare(
    written: Directory,
    merged: MergedDirectory,
    read: SecretsRead,
  ): Result<PreparedDirectory, string> {
    const { secrets } = read;
    const whole = merged.directory;
    const draft = this.#memory.draft();
    forget(this.#whole, whole, draft);
    for (const tenant of whole.tenants.values()) {
      // Unchanged tenants are the same objects: nothing of them is written anew.
      if (this.#whole.tenants.get(tenant.name) !== tenant) enterTenant(tenant, secrets, draft);
    }
    if (secrets !== this.#secrets.secrets) enterSecrets(whole, secrets, draft);
    if (draft.full !== null) return err(fullSentence(draft.full));
    const epoch = ++this.#epoch;
    const { pepper } = this.#parts;
    return ok({
      snapshot: { epoch, pepper, memory: this.#memory.memory, records: draft.toMemory() },
      takeUp: () => {
        this.#memory.use(draft);
        this.#written = written;
        this.#whole = whole;
        this.#merged = merged;
        this.#secrets = read;
        this.#stored.takeUp(merged);
        this.keys.follow(written);
      },
    });
  }
}

function notSaved({ message, remedy }: StoreFault): EntityProblem {
  return { code: 'not_saved', message, remedy };
}

/** What says the same as before takes no room. */
function enterSecrets(whole: Directory, secrets: SigningSecrets, draft: DirectoryDraft): void {
  for (const tenant of whole.tenants.values()) {
    for (const consumer of tenant.consumers.values()) {
      const own = secretsOf(secrets, tenant.name, consumer.name);
      if (own !== null) draft.putConsumer(tenant.name, consumer, own);
    }
  }
}

function enterTenant(tenant: Tenant, secrets: SigningSecrets, draft: DirectoryDraft): void {
  draft.putTenant(tenant);
  for (const team of tenant.teams.values()) draft.putTeam(tenant.name, team.name, team.attributes);
  for (const consumer of tenant.consumers.values())
    draft.putConsumer(tenant.name, consumer, secretsOf(secrets, tenant.name, consumer.name));
}

/** What the files have no more. */
function forget(before: Directory, after: Directory, draft: DirectoryDraft): void {
  for (const tenant of before.tenants.values()) {
    const kept = after.tenants.get(tenant.name);
    if (kept === undefined) draft.removeTenant(tenant.name);
    for (const name of tenant.teams.keys())
      if (kept?.teams.has(name) !== true) draft.removeTeam(tenant.name, name);
    for (const name of tenant.consumers.keys())
      if (kept?.consumers.has(name) !== true) draft.removeConsumer(tenant.name, name);
  }
}

function fullSentence(limit: NonNullable<DirectoryFull>): string {
  return `The directory has no room for it: limits.${limit} is reached. Raise it in portunus.yaml and start anew.`;
}
