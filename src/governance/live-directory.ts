/**
 * The directory of a running gateway: what the files say, with what the store has beside it, in memory that all data threads
 * share. A version of it is prepared, shown to every thread, and then taken up; keys follow at once.
 */
import type { Clock, Random } from '../base/ports.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Directory, Tenant } from '../model/world.ts';
import type { DirectorySnapshot } from '../pipeline/identity.ts';
import { ConsumerKeys, type KeyStore } from './consumer-keys.ts';
import type { HashText } from './name-index.ts';
import {
  type DirectoryDraft,
  type DirectoryFull,
  type DirectoryLimits,
  SharedDirectory,
} from './shared-directory.ts';

export interface LiveDirectoryParts {
  readonly limits: DirectoryLimits;
  readonly keys: KeyStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly pepper: Uint8Array;
  readonly hash: HashText;
}

/** A version that threads can be shown. */
export interface PreparedDirectory {
  readonly snapshot: DirectorySnapshot;
  /** To be called when every thread has it: its keys count from here on, and those that are gone no more. */
  readonly takeUp: () => void;
}

const NOBODY: Directory = { tenants: new Map(), plans: new Set(), roles: new Set() };

export class LiveDirectory {
  readonly keys: ConsumerKeys;
  readonly #parts: LiveDirectoryParts;
  readonly #memory: SharedDirectory;
  #written: Directory = NOBODY;
  #epoch = 0;

  constructor(parts: LiveDirectoryParts) {
    this.#parts = parts;
    this.#memory = new SharedDirectory(parts.limits, parts.hash);
    const { keys: store, clock, random, pepper } = parts;
    this.keys = new ConsumerKeys({
      store,
      memory: this.#memory,
      clock,
      random,
      pepper,
      hasConsumer: (tenant, consumer) => this.hasConsumer(tenant, consumer),
    });
  }

  /** What the store has. Once, before the first version. */
  load(): Result<void, string> {
    return this.keys.load();
  }

  hasConsumer(tenant: string, consumer: string): boolean {
    return this.#written.tenants.get(tenant)?.consumers.has(consumer) === true;
  }

  get usage(): { readonly keys: number; readonly bytes: number } {
    return { keys: this.#memory.keys, bytes: this.#memory.usedBytes };
  }

  /** A version after files have changed. The error is one sentence. */
  prepare(written: Directory): Result<PreparedDirectory, string> {
    const draft = this.#memory.draft();
    forget(this.#written, written, draft);
    for (const tenant of written.tenants.values()) enterTenant(tenant, draft);
    if (draft.full !== null) return err(fullSentence(draft.full));
    const epoch = ++this.#epoch;
    const { pepper } = this.#parts;
    return ok({
      snapshot: { epoch, pepper, memory: this.#memory.memory, records: draft.toMemory() },
      takeUp: () => {
        this.#memory.use(draft);
        this.#written = written;
        this.keys.follow(written);
      },
    });
  }
}

function enterTenant(tenant: Tenant, draft: DirectoryDraft): void {
  draft.putTenant(tenant.name, tenant.plan, tenant.attributes);
  for (const team of tenant.teams.values()) draft.putTeam(tenant.name, team.name, team.attributes);
  for (const consumer of tenant.consumers.values()) draft.putConsumer(tenant.name, consumer);
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
