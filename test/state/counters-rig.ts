/** A set of limits over shared memory, driven key by key: what the tests of this folder have in common. */
import type { CounterBinding, CounterSpec, CounterWindow, TakeBatch } from '../../src/pipeline/counters.ts';
import type { CounterMemory } from '../../src/state/counter-layout.ts';
import { type CounterRegistry, createCounterRegistry } from '../../src/state/counter-registry.ts';
import { createSharedCounters } from '../../src/state/shared-counters.ts';

export interface Rig {
  readonly registry: CounterRegistry;
  readonly memory: CounterMemory;
  readonly binding: CounterBinding;
  readonly batch: TakeBatch;
}

export interface Asked {
  readonly counter: number;
  readonly key: number;
  readonly weight: number;
}

export function spec(identity: string, window: CounterWindow, more: Partial<CounterSpec> = {}): CounterSpec {
  return { identity, window, maxKeys: 8, onFailure: 'refuse', thresholdsPercent: [], ...more };
}

export function rigOf(specs: readonly CounterSpec[]): Rig {
  const registry = createCounterRegistry();
  const memory = registry.prepare(specs);
  const binding = createSharedCounters(memory, null).bind(specs);
  return { registry, memory, binding, batch: binding.createBatch() };
}

export function fill(batch: TakeBatch, asked: readonly Asked[]): TakeBatch {
  batch.count = asked.length;
  asked.forEach(({ counter, key, weight }, i) => {
    batch.counter[i] = counter;
    batch.keyHigh[i] = key;
    batch.keyLow[i] = Math.imul(key, 0x9e37_79b1);
    batch.weight[i] = weight;
  });
  return batch;
}

export function bytesOf(memory: CounterMemory): string {
  return memory.regions.map(({ memory: region }) => Buffer.from(region).toString('base64')).join();
}
