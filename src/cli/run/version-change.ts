/** How all threads go over to other rules, another directory, or both: everything is prepared first, one flip makes it hold. */

import { ok, type Result } from '../../base/result.ts';
import type { DataThreads } from '../../gateway/data-threads.ts';
import { DroppedMemory } from '../../gateway/dropped-memory.ts';
import type { LiveDirectory, PreparedDirectory } from '../../governance/live-directory.ts';
import type { CounterSpec } from '../../pipeline/counters.ts';
import type { PoolRegistry } from '../../pools/pool-registry.ts';
import type { CounterMemory } from '../../state/counter-layout.ts';
import type { CounterRegistry } from '../../state/counter-registry.ts';
import type { Change } from './configuration.ts';
import type { EndpointKeeper } from './endpoint-keeper.ts';
import type { QuotaKeeper } from './quota-keeper.ts';
import type { RateKeeper } from './rate-keeper.ts';
import type { ReplacedKeeper } from './replaced-keeper.ts';

export interface VersionChangeParts {
  readonly threads: DataThreads;
  readonly directory: LiveDirectory;
  readonly counters: CounterRegistry;
  readonly endpoints: EndpointKeeper;
  readonly pools: PoolRegistry;
  readonly quotas: QuotaKeeper;
  readonly rates: RateKeeper;
  readonly replaced: ReplacedKeeper;
  /** Of the version that runs, or that the process before this one ran. */
  readonly countersBefore: () => readonly CounterSpec[];
}

export class VersionChange {
  readonly #parts: VersionChangeParts;
  /** Of versions that requests may still be handled by. */
  readonly #counterMemory = new Map<number, CounterMemory>();
  readonly #dropped = new DroppedMemory();
  /** Shared memory that was made for the rules that run. */
  #rulesBytes = 0;
  /** How many threads are done with an old version. */
  readonly #retirements = new Map<number, number>();

  constructor(parts: VersionChangeParts) {
    this.#parts = parts;
  }

  /** Null: the change holds for all threads. Else why not, in a sentence, and nothing has changed. Changes of the directory come one after another, those of the admin API among them. */
  make(epoch: number, change: Change): Promise<string | null> {
    return this.#parts.directory.exclusively(() => this.#makeNow(epoch, change));
  }

  async #makeNow(epoch: number, { rules, files, world, replaced }: Change): Promise<string | null> {
    const parts = this.#parts;
    const prepared: Result<PreparedDirectory | null, string> =
      world === null ? ok(null) : parts.directory.prepare(world);
    if (!prepared.ok) return prepared.error;
    const packed = rules === null ? ok(null) : rules.pack();
    if (!packed.ok) return packed.error;
    const slots = rules === null ? ok(null) : parts.endpoints.prepare(epoch, rules.services);
    if (!slots.ok) return slots.error;
    const pools = rules === null ? ok(null) : parts.pools.prepare(rules.models);
    if (!pools.ok) {
      parts.endpoints.retire(epoch);
      return pools.error;
    }
    const memory = rules === null ? null : parts.counters.prepare(rules.counters);
    if (memory !== null) {
      parts.rates.regionsChanged();
      await parts.replaced.prepare(replaced);
      parts.quotas.goOn(parts.countersBefore(), rules!.counters);
    }
    const changed = await parts.threads.change(epoch, {
      rules:
        packed.value === null
          ? null
          : { bundle: packed.value, counterMemory: memory, endpointSlots: slots.value!, pools: pools.value },
      directory: prepared.value === null ? null : prepared.value.snapshot,
    });
    if (memory !== null) parts.quotas.wentOn();
    if (!changed.ok) {
      if (memory !== null) {
        parts.counters.retire(memory);
        parts.rates.regionsChanged();
        await parts.replaced.abandon();
      }
      parts.endpoints.retire(epoch);
      return changed.error;
    }
    prepared.value?.takeUp();
    if (rules !== null) {
      this.#counterMemory.set(epoch, memory!);
      this.#dropped.add(this.#rulesBytes);
      this.#rulesBytes = packed.value!.ownBytes;
      parts.endpoints.live(rules.services, files);
      parts.pools.activate(rules.models);
      parts.quotas.renamed(rules.counters);
      await parts.replaced.live(epoch, replaced);
      this.#tellEarliest();
    }
    return null;
  }

  /** A thread is done with the rules of an old version. */
  retired(epoch: number): void {
    const memory = this.#counterMemory.get(epoch);
    if (memory === undefined) return;
    const threads = (this.#retirements.get(epoch) ?? 0) + 1;
    this.#retirements.set(epoch, threads);
    if (threads !== this.#parts.threads.count) return;
    this.#retirements.delete(epoch);
    this.#counterMemory.delete(epoch);
    this.#parts.counters.retire(memory);
    this.#parts.endpoints.retire(epoch);
    this.#tellEarliest();
  }

  #tellEarliest(): void {
    this.#parts.replaced.earliestIs(Math.min(...this.#counterMemory.keys()));
  }
}
