/** The versions of rules and directory a data thread holds, and which of them a new request gets. */
import { assert } from '../base/assert.ts';
import type { IdentitySource } from '../pipeline/identity.ts';
import type { DroppedMemory } from './dropped-memory.ts';
import type { IdentityCache } from './identity-cache.ts';
import { EPOCH_CELLS } from './messages.ts';
import type { RuleVersion } from './rule-version.ts';

export class VersionStore {
  readonly #epochs: Int32Array;
  readonly #identities: IdentityCache;
  readonly #onRetired: (epoch: number) => void;
  readonly #dropped: DroppedMemory;
  readonly #rules = new Map<number, RuleVersion>();
  readonly #directories = new Map<number, IdentitySource>();
  #current: RuleVersion | null = null;
  #directoryEpoch = 0;

  constructor(
    epochs: SharedArrayBuffer,
    identities: IdentityCache,
    onRetired: (epoch: number) => void,
    dropped: DroppedMemory,
  ) {
    this.#epochs = new Int32Array(epochs);
    this.#identities = identities;
    this.#onRetired = onRetired;
    this.#dropped = dropped;
  }

  addRules(version: RuleVersion): void {
    this.#rules.set(version.epoch, version);
  }

  addDirectory(epoch: number, source: IdentitySource): void {
    this.#directories.set(epoch, source);
  }

  /** Forgets what was prepared for an epoch that will not be used. */
  discardDirectory(epoch: number): void {
    if (epoch !== this.#directoryEpoch) this.#directories.delete(epoch);
  }

  discardRules(epoch: number): void {
    const version = this.#rules.get(epoch);
    if (version === undefined || version === this.#current) return;
    this.#drop(version);
  }

  /**
   * The version for a new request, counted as in flight; null before the first one. Both epochs are read here and only
   * here, so one request never sees two versions.
   */
  enter(): RuleVersion | null {
    this.refresh();
    const version = this.#current;
    if (version !== null) version.inFlight++;
    return version;
  }

  leave(version: RuleVersion): void {
    version.inFlight--;
    if (version !== this.#current && version.inFlight === 0) this.#retire(version);
  }

  /** Follows the epochs; also called by the sweep, so that a thread without traffic lets old versions go. */
  refresh(): void {
    const rules = Atomics.load(this.#epochs, EPOCH_CELLS.rules);
    if (this.#current === null ? rules !== 0 : rules !== this.#current.epoch) this.#changeRules(rules);
    const directory = Atomics.load(this.#epochs, EPOCH_CELLS.directory);
    if (directory !== this.#directoryEpoch) this.#changeDirectory(directory);
  }

  #changeRules(epoch: number): void {
    const next = this.#rules.get(epoch);
    assert(next !== undefined, `the epoch of rules is ${epoch}, which this thread was not asked to prepare`);
    this.#current = next;
    for (const version of this.#rules.values())
      if (version.epoch < epoch && version.inFlight === 0) this.#retire(version);
  }

  #changeDirectory(epoch: number): void {
    const source = this.#directories.get(epoch);
    assert(
      source !== undefined,
      `the epoch of the directory is ${epoch}, which this thread was not asked to prepare`,
    );
    this.#directoryEpoch = epoch;
    this.#identities.use(source);
    for (const known of this.#directories.keys()) if (known < epoch) this.#directories.delete(known);
  }

  #retire(version: RuleVersion): void {
    this.#drop(version);
    this.#onRetired(version.epoch);
  }

  #drop(version: RuleVersion): void {
    this.#rules.delete(version.epoch);
    for (const service of version.services) service.retire();
    this.#dropped.add(version.rules.ownBytes);
  }
}
